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
		shape: shape{
			state: "VT", city: "Fairmont", zip: 5000, account: digits{"4", 9}, service: digits{"SP", 10}, meterDigits: 8, perAccount: 2,
			gasTariff: "Gas heating", tariffs: []string{"Residential", "Residential time of use", "Small business"},
			shows: func(m Meter) Meter { return m },
		},
		hosts: []host{{"", "https://demo.meterkey.example"}},
		build: func(s *site) map[string]http.Handler { return map[string]http.Handler{"": (&demoSite{s}).routes()} },
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
	mux.HandleFunc("GET /tips", d.needSignIn("/sign-in", func(w http.ResponseWriter, r *http.Request, _ *visit) {
		d.show(w, r, "demo/tips", "Save more energy", nil)
	}))
	mux.HandleFunc("GET /meters", d.needSignIn("/sign-in", d.meters))
	return mux
}

func (d *demoSite) signInPage(w http.ResponseWriter, r *http.Request, problem string) {
	d.show(w, r, "demo/sign-in", "Sign in", problem)
}

func (d *demoSite) signIn(w http.ResponseWriter, r *http.Request) {
	c := d.call(w, r)
	said, err := d.login(c, r.FormValue("username"), r.FormValue("password"))
	switch {
	case err != nil:
		d.fail(w, r, err)
	case said == rejected:
		d.signInPage(w, r, "The user name or the password is not right.")
	case said == accountLocked:
		d.signInPage(w, r, "This account is locked. Call us to unlock it.")
	case said == challenged:
		d.beginChallenge(w, r, c.visit)
	case said == admitted:
		http.Redirect(w, r, d.landing(c.visit, "/tips", "/meters"), http.StatusSeeOther)
	default:
		http.Redirect(w, r, detour(said), http.StatusSeeOther)
	}
}

func (d *demoSite) beginChallenge(w http.ResponseWriter, r *http.Request, v *visit) {
	switch d.desk.look(v).asks.kind {
	case "choice":
		http.Redirect(w, r, "/method", http.StatusSeeOther)
	case "question":
		d.desk.ask(v)
		http.Redirect(w, r, "/question", http.StatusSeeOther)
	default:
		d.sendCode(w, r, v, "")
	}
}

func (d *demoSite) sendCode(w http.ResponseWriter, r *http.Request, v *visit, by string) {
	err := d.desk.send(v, by)
	switch {
	case errors.Is(err, errEnded):
		http.Redirect(w, r, endedPath, http.StatusSeeOther)
	case errors.Is(err, errNoOption):
		http.Redirect(w, r, "/method", http.StatusSeeOther)
	case err != nil && !errors.Is(err, errCooling):
		d.fail(w, r, err)
	default:
		http.Redirect(w, r, "/code", http.StatusSeeOther)
	}
}

// waiting gives the visit that waits for a code, choice or answer; others are sent away.
func (d *demoSite) waiting(w http.ResponseWriter, r *http.Request) (*visit, bool) {
	v := d.visit(r)
	if d.desk.look(v).is != asked {
		http.Redirect(w, r, endedPath, http.StatusSeeOther)
		return nil, false
	}
	return v, true
}

func (d *demoSite) challengePage(w http.ResponseWriter, r *http.Request) {
	if v, ok := d.waiting(w, r); ok {
		d.drawChallenge(w, r, d.desk.look(v), "")
	}
}

func (d *demoSite) drawChallenge(w http.ResponseWriter, r *http.Request, look seen, problem string) {
	data := struct {
		Question, To, Problem string
		Options               []option
		CoolDown              int64
	}{look.asks.question, look.asks.sent.To, problem, look.options, d.desk.opts.ResendAfter.Milliseconds()}
	switch look.asks.kind {
	case "choice":
		d.show(w, r, "demo/method", "How do you want your code?", data)
	case "question":
		d.show(w, r, "demo/question", "Security question", data)
	default:
		d.show(w, r, "demo/code", "Enter your code", data)
	}
}

func (d *demoSite) choose(w http.ResponseWriter, r *http.Request) {
	if v, ok := d.waiting(w, r); ok {
		d.sendCode(w, r, v, r.FormValue("method"))
	}
}

func (d *demoSite) again(w http.ResponseWriter, r *http.Request) {
	if v, ok := d.waiting(w, r); ok {
		d.sendCode(w, r, v, "")
	}
}

func (d *demoSite) answer(w http.ResponseWriter, r *http.Request) {
	c := d.call(w, r)
	look := d.desk.look(c.visit)
	said, err := d.submit(c, r.FormValue("code"))
	switch {
	case err != nil:
		d.fail(w, r, err)
	case said == right:
		http.Redirect(w, r, d.landing(c.visit, "/tips", "/meters"), http.StatusSeeOther)
	case said == wrong:
		d.drawChallenge(w, r, look, "That is not right. Please try again.")
	default:
		http.Redirect(w, r, endedPath, http.StatusSeeOther)
	}
}

func (d *demoSite) dismissTips(w http.ResponseWriter, r *http.Request, v *visit) {
	d.desk.dismiss(v)
	http.Redirect(w, r, "/meters", http.StatusSeeOther)
}

func (d *demoSite) meters(w http.ResponseWriter, r *http.Request, v *visit) {
	d.desk.shown(v)
	d.show(w, r, "demo/meters", "Your meters", cut(d.desk.look(v).shown(d.utility), numberOf(r.URL.Query(), "page", 1), 10))
}
