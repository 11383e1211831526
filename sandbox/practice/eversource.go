package practice

import (
	"encoding/json"
	"errors"
	"html"
	"net/http"
)

// eversource is a single page that signs in by requests of its own; a code submits itself at its last digit. Nothing is
// known of the code's form: its ids and the two services behind it are ours.
func eversource() *utility {
	return &utility{
		id: "EVERSOURCE", name: "Eversource", entry: "https://www.eversource.com" + everLogin + "?ReturnUrl=" + everHome,
		kinds: commonKinds(), methods: []method{{"sms", "sms", 0}},
		meters: meterGenerator{
			state: "CT", city: "Meriden", zip: 6400, account: numberFormat{"51", 11}, service: numberFormat{"", 12}, meterDigits: 9, perAccount: 2,
			tariffs: []string{"Rate 1", "Rate 7"},
			shows:   func(m Meter) Meter { m.ServiceIdentifier, m.Tariff = "", ""; return m },
		},
		hosts: []host{{"", "https://www.eversource.com"}, {"opower", "https://ever.opower.com"}},
		handlers: func(s *site) map[string]http.Handler {
			return map[string]http.Handler{"": (&everSite{s}).routes(), "opower": (&opower{s, "ever", s.origin("")}).routes()}
		},
	}
}

type everSite struct{ *site }

const (
	everLogin  = "/security/account/login"
	everHome   = "/cg/customer/accountoverview"
	everForged = "__RequestVerificationToken"
	everRegion = ".REGION"
)

func (e *everSite) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+everLogin, e.loginPage)
	mux.HandleFunc("POST /security/account/MSLogin", e.guarded(jsonBodyHandler(e.site, e.msLogin)))
	mux.HandleFunc("POST /security/account/MSVerify", e.guarded(jsonBodyHandler(e.site, e.msVerify)))
	mux.HandleFunc("POST /security/account/MSResend", e.guarded(e.jsonHandler(e.msResend)))
	mux.HandleFunc("POST /security/account/MSSkipEnroll", e.guarded(e.jsonHandler(e.skipEnroll)))
	mux.HandleFunc("GET "+everHome, e.overview)
	mux.HandleFunc("GET /cg/customer/api/account", e.needBearer(e.accounts))
	mux.HandleFunc("GET /cg/customer/api/accountbilling/getOpowerWidgetData/{number}", e.needBearer(e.widget))
	return mux
}

// everConfig stands in the page for its script.
type everConfig struct {
	FormToken  string `json:"formToken"`
	HeaderName string `json:"antiForgeryHeaderName"`
}

// loginPage sends a signed-in browser on to where it wanted.
func (e *everSite) loginPage(w http.ResponseWriter, r *http.Request) {
	session := e.ensureCookie(w, r)
	if sess := e.signedInSession(r); sess != nil {
		e.setCookie(w, everRegion, "practice")
		http.Redirect(w, r, e.landingPath(sess, "", everHome), http.StatusFound)
		return
	}
	e.show(w, r, "eversource/login", "Sign in", everConfig{session[:16], everForged})
}

// guarded refuses requests that do not carry the token of the page.
func (e *everSite) guarded(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		c, err := r.Cookie(sessionCookieName)
		if err != nil || len(c.Value) < 16 || r.Header.Get(everForged) != c.Value[:16] {
			http.Error(w, "the request does not come from the page", http.StatusBadRequest)
			return
		}
		next(w, r)
	}
}

// everAnswer is what the login service answers. Redirect, SentTo and Wait are ours.
type everAnswer struct {
	IsSuccess    bool
	Status       string `json:"status,omitempty"` // SUCCESS, MFA_ENROLL or MFA_CHALLENGE
	OktaUsername string
	SessionToken string
	Errors       map[string]string
	Redirect     string `json:",omitempty"`
	SentTo       string `json:",omitempty"`
	Wait         int64  `json:",omitempty"` // milliseconds until a code can be sent again
}

func everRefusal(text string) everAnswer {
	// The real messages contain HTML.
	return everAnswer{Errors: map[string]string{"WebId": "<p>" + html.EscapeString(text) + "</p>"}}
}

type everLoginForm struct {
	WebID, Password, ReturnURL, MfaRememberMeData string
	RememberID                                    bool
}

func (e *everSite) msLogin(x *exchange, form everLoginForm) (everAnswer, error) {
	result, err := e.login(x, form.WebID, form.Password)
	if err == nil && result == challenged {
		err = e.system.sendCode(x.session, "")
	}
	return e.answerLogin(result, x.session), err
}

func (e *everSite) answerLogin(result loginResult, sess *session) everAnswer {
	snap := e.system.snapshot(sess)
	switch result {
	case rejected:
		return everRefusal("The user name or password you typed is not right.")
	case accountLocked:
		return everRefusal("Your account is locked because of too many attempts.")
	case admitted:
		answer := everAnswer{IsSuccess: true, Status: "SUCCESS", OktaUsername: snap.user, Redirect: everHome}
		if snap.nag {
			answer.Status = "MFA_ENROLL"
		}
		return answer
	case challenged:
		return everAnswer{
			IsSuccess: true, Status: "MFA_CHALLENGE", OktaUsername: snap.user,
			SentTo: snap.challenge.sent.To, Wait: e.system.opts.ResendAfter.Milliseconds(),
		}
	}
	return everAnswer{IsSuccess: true, Redirect: interstitialFor(result)}
}

func (e *everSite) msVerify(x *exchange, form struct{ PassCode string }) (everAnswer, error) {
	result, err := e.submitCode(x, form.PassCode)
	switch result {
	case codeRight:
		return everAnswer{IsSuccess: true, Status: "SUCCESS", Redirect: everHome}, err
	case codeWrong:
		return everRefusal("The code you typed is not right."), err
	}
	return everAnswer{Redirect: sessionEndedPath}, err
}

func (e *everSite) msResend(x *exchange) (any, error) {
	if errors.Is(e.system.sendCode(x.session, ""), errEnded) {
		return everAnswer{Redirect: sessionEndedPath}, nil
	}
	return everAnswer{IsSuccess: true, Wait: e.system.opts.ResendAfter.Milliseconds()}, nil
}

func (e *everSite) skipEnroll(x *exchange) (any, error) {
	if e.system.snapshot(x.session).state != signedIn {
		return everAnswer{Redirect: sessionEndedPath}, nil
	}
	e.system.dismissNag(x.session)
	return everAnswer{IsSuccess: true, Status: "SUCCESS", Redirect: everHome}, nil
}

// overview bounces a browser once by the login page, which then knows it.
func (e *everSite) overview(w http.ResponseWriter, r *http.Request) {
	sess := e.signedInSession(r)
	if _, err := r.Cookie(everRegion); sess == nil || err != nil || e.system.snapshot(sess).kind == Changed {
		http.Redirect(w, r, everLogin+"?ReturnUrl="+everHome, http.StatusFound)
		return
	}
	e.show(w, r, "eversource/overview", "Account overview", struct{ Token string }{e.system.issueTicket(sess)})
}

// everAccount is one entry of the account service. Only the identifier is known; the other fields are ours.
type everAccount struct {
	BillingAccountIdentifier string
	ServiceAddress           string
	AccountStatus            string // Active or Inactive
	Meters                   []everMeter
}

type everMeter struct {
	MeterNumber, ServiceType string
}

// everAccounts gathers the meters below their accounts. The closed ones are among them.
func everAccounts(records []meterRecord) []everAccount {
	list := []everAccount{}
	for _, r := range records {
		meter := everMeter{r.MeterNumber, r.ServiceClass}
		if last := len(list) - 1; last >= 0 && list[last].BillingAccountIdentifier == r.AccountNumber {
			list[last].Meters = append(list[last].Meters, meter)
			continue
		}
		status := "Inactive"
		if r.Active() {
			status = "Active"
		}
		list = append(list, everAccount{r.AccountNumber, r.ServiceAddress, status, []everMeter{meter}})
	}
	return list
}

func (e *everSite) accounts(w http.ResponseWriter, r *http.Request, sess *session) {
	query := r.URL.Query()
	page := paginate(everAccounts(e.system.snapshot(sess).records), queryInt(query, "pageNumber", 1), queryInt(query, "pageSize", 5))
	rows := page.Rows
	if asked := queryInt(query, "pageNumber", 1); asked > page.Pages {
		rows = nil
	}
	e.system.noteMetersRead(sess)
	e.reply(w, sess, map[string]any{
		"Accounts": append([]everAccount{}, rows...), "TotalCount": page.Total, "PageNumber": page.Number, "PageSize": page.Per,
	})
}

// widget gives the token for the usage service; a closed account has none.
func (e *everSite) widget(w http.ResponseWriter, r *http.Request, sess *session) {
	for _, rec := range e.system.snapshot(sess).records {
		if rec.AccountNumber != r.PathValue("number") {
			continue
		}
		answer := map[string]any{"jwtToken": nil}
		if rec.Active() {
			answer["jwtToken"] = e.system.issueTicket(sess)
		}
		e.reply(w, sess, answer)
		return
	}
	http.NotFound(w, r)
}

// JSON writes the configuration for the page's data attribute.
func (c everConfig) JSON() (string, error) {
	raw, err := json.Marshal(c)
	return string(raw), err
}
