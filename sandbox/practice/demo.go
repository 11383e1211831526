package practice

import (
	"errors"
	"net/http"
)

// demo is a site of nobody: plain forms and pages, the way a utility's site would be in a better world.
func demo() *utility {
	return &utility{
		id: "DEMO", name: "Demonstration Power and Light",
		entry:   "https://demo.meterkey.example/sign-in",
		kinds:   commonKinds(Question, Choice),
		methods: []method{{"text", "sms", 0}, {"email", "email", 0}, {"call", "call", 0}},
		meters: meterGenerator{
			state: "VT", city: "Fairmont", zip: 5000, account: numberFormat{"4", 9}, service: numberFormat{"SP", 10}, meterDigits: 8, perAccount: 2,
			gasTariff: "Gas heating", tariffs: []string{"Residential", "Residential time of use", "Small business"},
			shows: func(m Meter) Meter { return m },
		},
		hosts:    []host{{"", "https://demo.meterkey.example"}},
		handlers: func(s *site) map[string]http.Handler { return map[string]http.Handler{"": (&demoSite{s}).routes()} },
	}
}

type demoSite struct{ *site }

func (d *demoSite) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/sign-in", http.StatusFound) })
	mux.HandleFunc("GET /sign-in", func(w http.ResponseWriter, r *http.Request) { d.signInPage(w, r, "") })
	mux.HandleFunc("POST /sign-in", d.signIn)
	mux.HandleFunc("GET /method", d.challengePage)
	mux.HandleFunc("POST /method", d.choose)
	mux.HandleFunc("GET /code", d.challengePage)
	mux.HandleFunc("POST /code", d.answer)
	mux.HandleFunc("POST /code/again", d.again)
	mux.HandleFunc("GET /question", d.challengePage)
	mux.HandleFunc("POST /question", d.answer)
	mux.HandleFunc("POST /tips", d.needSignIn("/sign-in", d.dismissTips))
	mux.HandleFunc("GET /tips", d.needSignIn("/sign-in", func(w http.ResponseWriter, r *http.Request, _ *session) {
		d.show(w, r, "demo/tips", "Save more energy", nil)
	}))
	mux.HandleFunc("GET /meters", d.needSignIn("/sign-in", d.meters))
	return mux
}

func (d *demoSite) signInPage(w http.ResponseWriter, r *http.Request, problem string) {
	d.show(w, r, "demo/sign-in", "Sign in", problem)
}

func (d *demoSite) signIn(w http.ResponseWriter, r *http.Request) {
	x := d.newExchange(w, r)
	result, err := d.login(x, r.FormValue("username"), r.FormValue("password"))
	switch {
	case err != nil:
		d.fail(w, r, err)
	case result == rejected:
		d.signInPage(w, r, "The user name or the password is not right.")
	case result == accountLocked:
		d.signInPage(w, r, "This account is locked. Call us to unlock it.")
	case result == challenged:
		d.beginChallenge(w, r, x.session)
	case result == admitted:
		http.Redirect(w, r, d.landingPath(x.session, "/tips", "/meters"), http.StatusSeeOther)
	default:
		http.Redirect(w, r, interstitialFor(result), http.StatusSeeOther)
	}
}

func (d *demoSite) beginChallenge(w http.ResponseWriter, r *http.Request, sess *session) {
	switch d.system.snapshot(sess).challenge.kind {
	case "choice":
		http.Redirect(w, r, "/method", http.StatusSeeOther)
	case "question":
		d.system.askQuestion(sess)
		http.Redirect(w, r, "/question", http.StatusSeeOther)
	default:
		d.sendCode(w, r, sess, "")
	}
}

func (d *demoSite) sendCode(w http.ResponseWriter, r *http.Request, sess *session, by string) {
	err := d.system.sendCode(sess, by)
	switch {
	case errors.Is(err, errEnded):
		http.Redirect(w, r, sessionEndedPath, http.StatusSeeOther)
	case errors.Is(err, errNoOption):
		http.Redirect(w, r, "/method", http.StatusSeeOther)
	case err != nil && !errors.Is(err, errCooling):
		d.fail(w, r, err)
	default:
		http.Redirect(w, r, "/code", http.StatusSeeOther)
	}
}

// waiting gives the session that waits for a code, choice or answer; others are sent away.
func (d *demoSite) waiting(w http.ResponseWriter, r *http.Request) (*session, bool) {
	sess := d.session(r)
	if d.system.snapshot(sess).state != awaitingCode {
		http.Redirect(w, r, sessionEndedPath, http.StatusSeeOther)
		return nil, false
	}
	return sess, true
}

func (d *demoSite) challengePage(w http.ResponseWriter, r *http.Request) {
	if sess, ok := d.waiting(w, r); ok {
		d.drawChallenge(w, r, d.system.snapshot(sess), "")
	}
}

func (d *demoSite) drawChallenge(w http.ResponseWriter, r *http.Request, snap snapshot, problem string) {
	data := struct {
		Question, To, Problem string
		Options               []option
		CoolDown              int64
	}{snap.challenge.question, snap.challenge.sent.To, problem, snap.options, d.system.opts.ResendAfter.Milliseconds()}
	switch snap.challenge.kind {
	case "choice":
		d.show(w, r, "demo/method", "How do you want your code?", data)
	case "question":
		d.show(w, r, "demo/question", "Security question", data)
	default:
		d.show(w, r, "demo/code", "Enter your code", data)
	}
}

func (d *demoSite) choose(w http.ResponseWriter, r *http.Request) {
	if sess, ok := d.waiting(w, r); ok {
		d.sendCode(w, r, sess, r.FormValue("method"))
	}
}

func (d *demoSite) again(w http.ResponseWriter, r *http.Request) {
	if sess, ok := d.waiting(w, r); ok {
		d.sendCode(w, r, sess, "")
	}
}

func (d *demoSite) answer(w http.ResponseWriter, r *http.Request) {
	x := d.newExchange(w, r)
	snap := d.system.snapshot(x.session)
	result, err := d.submitCode(x, r.FormValue("code"))
	switch {
	case err != nil:
		d.fail(w, r, err)
	case result == codeRight:
		http.Redirect(w, r, d.landingPath(x.session, "/tips", "/meters"), http.StatusSeeOther)
	case result == codeWrong:
		d.drawChallenge(w, r, snap, "That is not right. Please try again.")
	default:
		http.Redirect(w, r, sessionEndedPath, http.StatusSeeOther)
	}
}

func (d *demoSite) dismissTips(w http.ResponseWriter, r *http.Request, sess *session) {
	d.system.dismissNag(sess)
	http.Redirect(w, r, "/meters", http.StatusSeeOther)
}

func (d *demoSite) meters(w http.ResponseWriter, r *http.Request, sess *session) {
	d.system.noteMetersRead(sess)
	d.show(w, r, "demo/meters", "Your meters", paginate(d.system.snapshot(sess).meters(d.utility), queryInt(r.URL.Query(), "page", 1), 10))
}
