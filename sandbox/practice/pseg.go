package practice

import (
	"crypto/rand"
	"errors"
	"net/http"
	"net/url"

	"go.uber.org/zap"
)

// pseg sends the browser from its portal to an identity host (Okta, the widget) that asks for the user name, then for the
// password, then for a code, each in its turn; and back again. The meters stand on a third host.
//
// The services behind the widget answer in a shape of our own: the real ones are not known to work outside the widget.
func pseg() *utility {
	return &utility{
		id: "PSEG", name: "Public Service Enterprise Group", entry: "https://nj.myaccount.pseg.com/user/login",
		kinds: commonKinds(Choice), methods: []method{{"sms", "sms", 0}, {"email", "email", 0}, {"call", "call", 0}},
		meters: meterGenerator{
			state: "NJ", city: "Maplewood", zip: 7000, account: numberFormat{"7", 10}, service: numberFormat{"PE", 14}, meterDigits: 8, perAccount: 2,
			tariffs: []string{"RS", "GLP"}, gasTariff: "RSG",
			shows: func(m Meter) Meter { m.ServiceIdentifier, m.Tariff, m.Status = "", "", ""; return m },
		},
		hosts: []host{
			{"", "https://nj.myaccount.pseg.com"}, {"id", "https://id.myaccount.pseg.com"}, {"mymeter", "https://mysmartenergy.nj.pseg.com"},
		},
		handlers: func(s *site) map[string]http.Handler {
			p := &psegSite{s}
			return map[string]http.Handler{"": p.portal(), "id": p.identity(), "mymeter": p.myMeter()}
		},
	}
}

type psegSite struct{ *site }

const (
	psegLogin     = "/user/login"
	psegDashboard = "/myaccountdashboard"
	psegSelect    = "/dashboard/selectaccount"
)

func (p *psegSite) identity() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /oauth2/v1/authorize", p.authorize)
	mux.HandleFunc("POST /idp/idx/identify", jsonBodyHandler(p.site, p.identify))
	mux.HandleFunc("POST /idp/idx/challenge/password", jsonBodyHandler(p.site, p.password))
	mux.HandleFunc("POST /idp/idx/challenge/send", jsonBodyHandler(p.site, p.send))
	mux.HandleFunc("POST /idp/idx/challenge/answer", jsonBodyHandler(p.site, p.answer))
	mux.HandleFunc("GET /login/token/redirect", p.toHost(p.origin("")+"/user/LoginRedirect"))
	mux.HandleFunc("GET /app/mymeter/sso/saml", p.toHost(p.origin("mymeter")+"/Saml/okta-prod/Acs"))
	return mux
}

// toHost carries a signed-in browser over to another host, and sends others to sign in.
func (p *psegSite) toHost(address string) http.HandlerFunc {
	return p.needSignIn(p.origin("")+psegLogin, func(w http.ResponseWriter, r *http.Request, sess *session) {
		p.handOverTo(w, r, sess, address)
	})
}

func (p *psegSite) authorize(w http.ResponseWriter, r *http.Request) {
	p.system.forget(p.ensureCookie(w, r))
	p.show(w, r, "pseg/widget", "Sign in", nil)
}

// psegStep tells the widget what to show next: one of password, select, code or captcha, or where to go.
type psegStep struct {
	Step    string       `json:"step,omitempty"`
	Message string       `json:"message,omitempty"`
	SentTo  string       `json:"sentTo,omitempty"`
	Wait    int64        `json:"wait,omitempty"` // milliseconds until a code can be sent again
	Options []psegOption `json:"options,omitempty"`
	Success string       `json:"success,omitempty"`
}

type psegOption struct {
	ID    string `json:"id"`
	Label string `json:"label"`
	To    string `json:"to"`
}

// psegForm is what the widget sends. It keeps the user name and sends it again with the password.
type psegForm struct {
	Identifier  string
	Method      string
	Credentials struct{ Passcode string }
}

// identify takes the user name. A captcha stops the widget here already.
func (p *psegSite) identify(_ *exchange, form psegForm) (psegStep, error) {
	if kind, _ := parseUser(form.Identifier); kind == Captcha {
		return psegStep{Step: "captcha"}, nil
	}
	return psegStep{Step: "password"}, nil
}

func (p *psegSite) password(x *exchange, form psegForm) (psegStep, error) {
	result, err := p.login(x, form.Identifier, form.Credentials.Passcode)
	snap := p.system.snapshot(x.session)
	switch {
	case result == rejected:
		return psegStep{Step: "password", Message: "Unable to sign in with this user name and password."}, err
	case result == accountLocked:
		return psegStep{Step: "password", Message: "Your account is locked."}, err
	case result == challenged && snap.challenge.kind == "choice":
		return psegStep{Step: "select", Options: psegOptions(snap.options)}, err
	case result == challenged && err == nil:
		return p.send(x, psegForm{})
	case result == admitted:
		return psegStep{Success: "/login/token/redirect"}, err
	}
	return psegStep{Success: interstitialFor(result)}, err
}

func psegOptions(options []option) []psegOption {
	labels := map[string]string{"sms": "Receive a code via SMS", "email": "Email me a code", "call": "Receive a voice call"}
	var list []psegOption
	for _, o := range options {
		list = append(list, psegOption{o.ID, labels[o.ID], o.To})
	}
	return list
}

func (p *psegSite) send(x *exchange, form psegForm) (psegStep, error) {
	err := p.system.sendCode(x.session, form.Method)
	if errors.Is(err, errEnded) {
		return psegStep{Success: sessionEndedPath}, nil
	}
	snap := p.system.snapshot(x.session)
	step := psegStep{
		Step: "code", SentTo: snap.challenge.sent.To, Wait: p.system.opts.ResendAfter.Milliseconds(), Options: psegOptions(snap.options),
	}
	if err != nil {
		step.Message = "Please wait a moment before you ask for another code."
	}
	return step, nil
}

func (p *psegSite) answer(x *exchange, form psegForm) (psegStep, error) {
	result, err := p.submitCode(x, form.Credentials.Passcode)
	switch result {
	case codeRight:
		return psegStep{Success: "/login/token/redirect"}, err
	case codeWrong:
		return psegStep{Step: "code", Message: "Invalid code. Try again."}, err
	}
	return psegStep{Success: sessionEndedPath}, err
}

// portal is the host on which everything begins and ends.
func (p *psegSite) portal() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+psegLogin, func(w http.ResponseWriter, r *http.Request) {
		p.show(w, r, "common/hand-over", "One moment", struct{ Action, Ticket string }{"/identity/externallogin?authenticationType=Okta", ""})
	})
	mux.HandleFunc("POST /identity/externallogin", p.toIdentity)
	mux.HandleFunc("POST /user/LoginRedirect", p.loginRedirect)
	mux.HandleFunc("GET /user/loginprocessing", p.needSignIn(psegLogin, p.processing))
	mux.HandleFunc("GET "+psegDashboard, p.needSignIn(psegLogin, p.dashboard))
	mux.HandleFunc("POST "+psegDashboard, p.needSignIn(psegLogin, p.dismissNag))
	mux.HandleFunc("GET "+psegSelect, p.needSignIn(psegLogin, p.selectPage))
	mux.HandleFunc("POST "+psegSelect, p.needSignIn(psegLogin, p.selectAccount))
	mux.HandleFunc("GET /viewmybill/meter-reading", p.needSignIn(psegLogin, p.dashboard))
	return mux
}

func (p *psegSite) toIdentity(w http.ResponseWriter, r *http.Request) {
	query := url.Values{"client_id": {"practice"}, "response_type": {"code"}, "state": {rand.Text()}, "redirect_uri": {p.origin("") + "/user/LoginRedirect"}}
	http.Redirect(w, r, p.origin("id")+"/oauth2/v1/authorize?"+query.Encode(), http.StatusSeeOther)
}

func (p *psegSite) loginRedirect(w http.ResponseWriter, r *http.Request) {
	if p.join(w, r) == nil {
		http.Redirect(w, r, psegLogin, http.StatusSeeOther)
		return
	}
	http.Redirect(w, r, "/user/loginprocessing", http.StatusSeeOther)
}

// processing waits a little and then goes on by itself.
func (p *psegSite) processing(w http.ResponseWriter, r *http.Request, sess *session) {
	home := psegDashboard
	if accountCount(p.system.snapshot(sess).records) > 1 {
		home = psegSelect
	}
	p.show(w, r, "pseg/processing", "Signing in", p.landingPath(sess, "", home))
}

func (p *psegSite) dashboard(w http.ResponseWriter, r *http.Request, sess *session) {
	snap := p.system.snapshot(sess)
	var mine []Meter
	for _, m := range snap.meters(p.utility) {
		if snap.pickedAccount == "" || snap.pickedAccount == m.AccountNumber {
			mine = append(mine, m)
		}
	}
	p.system.noteMetersRead(sess)
	p.show(w, r, "pseg/dashboard", "My account", struct {
		Page    resultPage[Meter]
		Nag     bool
		MyMeter string
	}{paginate(mine, 1, 50), snap.nag, p.origin("mymeter") + "/Saml/okta-prod/SignIn"})
}

func (p *psegSite) dismissNag(w http.ResponseWriter, r *http.Request, sess *session) {
	p.system.dismissNag(sess)
	http.Redirect(w, r, psegDashboard, http.StatusSeeOther)
}

func (p *psegSite) selectPage(w http.ResponseWriter, r *http.Request, sess *session) {
	p.system.noteMetersRead(sess)
	p.show(w, r, "pseg/select", "Choose an account", p.system.snapshot(sess).meters(p.utility))
}

func (p *psegSite) selectAccount(w http.ResponseWriter, r *http.Request, sess *session) {
	if !p.system.pickAccount(sess, r.FormValue("account")) {
		http.Redirect(w, r, psegSelect, http.StatusSeeOther)
		return
	}
	http.Redirect(w, r, psegDashboard, http.StatusSeeOther)
}

// myMeter is the host that lists the meters of a login. Its own login form is left out: a captcha guards the real one.
func (p *psegSite) myMeter() http.Handler {
	signIn := "/Saml/okta-prod/SignIn"
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+signIn, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, p.origin("id")+"/app/mymeter/sso/saml", http.StatusFound)
	})
	mux.HandleFunc("POST /Saml/okta-prod/Acs", func(w http.ResponseWriter, r *http.Request) {
		p.join(w, r)
		http.Redirect(w, r, "/Dashboard", http.StatusSeeOther)
	})
	mux.HandleFunc("GET /Dashboard", p.needSignIn(signIn, func(w http.ResponseWriter, r *http.Request, _ *session) {
		p.show(w, r, "pseg/mymeter", "My meters", nil)
	}))
	mux.HandleFunc("GET /Dashboard/Chart", p.needSignIn(signIn, p.chart))
	mux.HandleFunc("GET /Dashboard/ChartData", p.needSignIn(signIn, p.chartData))
	return mux
}

// chart is a fragment of a page: the meters of the login and a token.
func (p *psegSite) chart(w http.ResponseWriter, _ *http.Request, sess *session) {
	meters := p.system.snapshot(sess).meters(p.utility)
	p.system.noteMetersRead(sess)
	p.setTimingHeaders(w, sess)
	err := p.pages.write(w, http.StatusOK, "pseg/chart#fragment", view{Site: p.id, Data: struct {
		Token string
		Page  resultPage[Meter]
	}{rand.Text(), paginate(meters, 1, max(1, len(meters)))}})
	if err != nil {
		p.log.Error("drawing the meters", zap.Error(err))
	}
}

func (p *psegSite) chartData(w http.ResponseWriter, _ *http.Request, sess *session) {
	p.system.noteMetersRead(sess)
	p.reply(w, sess, map[string]any{"Data": map[string]any{"Meters": p.system.snapshot(sess).meters(p.utility), "series": []any{}}})
}
