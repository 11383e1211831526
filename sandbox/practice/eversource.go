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
		shape: shape{
			state: "CT", city: "Meriden", zip: 6400, account: digits{"51", 11}, service: digits{"", 12}, meterDigits: 9, perAccount: 2,
			tariffs: []string{"Rate 1", "Rate 7"},
			shows:   func(m Meter) Meter { m.ServiceIdentifier, m.Tariff = "", ""; return m },
		},
		hosts: []host{{"", "https://www.eversource.com"}, {"opower", "https://ever.opower.com"}},
		build: func(s *site) map[string]http.Handler {
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
	mux.HandleFunc("POST /security/account/MSLogin", e.guarded(takes(e.site, e.msLogin)))
	mux.HandleFunc("POST /security/account/MSVerify", e.guarded(takes(e.site, e.msVerify)))
	mux.HandleFunc("POST /security/account/MSResend", e.guarded(e.service(e.msResend)))
	mux.HandleFunc("POST /security/account/MSSkipEnroll", e.guarded(e.service(e.skipEnroll)))
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
	session := e.session(w, r)
	if v := e.inside(r); v != nil {
		e.setCookie(w, everRegion, "practice")
		http.Redirect(w, r, e.landing(v, "", everHome), http.StatusFound)
		return
	}
	e.show(w, r, "eversource/login", "Sign in", everConfig{session[:16], everForged})
}

// guarded refuses requests that do not carry the token of the page.
func (e *everSite) guarded(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		c, err := r.Cookie(sessionCookie)
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

func (e *everSite) msLogin(c *call, form everLoginForm) (everAnswer, error) {
	said, err := e.login(c, form.WebID, form.Password)
	if err == nil && said == challenged {
		err = e.desk.send(c.visit, "")
	}
	return e.answerLogin(said, c.visit), err
}

func (e *everSite) answerLogin(said verdict, v *visit) everAnswer {
	look := e.desk.look(v)
	switch said {
	case rejected:
		return everRefusal("The user name or password you typed is not right.")
	case accountLocked:
		return everRefusal("Your account is locked because of too many attempts.")
	case admitted:
		answer := everAnswer{IsSuccess: true, Status: "SUCCESS", OktaUsername: look.user, Redirect: everHome}
		if look.nag {
			answer.Status = "MFA_ENROLL"
		}
		return answer
	case challenged:
		return everAnswer{
			IsSuccess: true, Status: "MFA_CHALLENGE", OktaUsername: look.user,
			SentTo: look.asks.sent.To, Wait: e.desk.opts.ResendAfter.Milliseconds(),
		}
	}
	return everAnswer{IsSuccess: true, Redirect: detour(said)}
}

func (e *everSite) msVerify(c *call, form struct{ PassCode string }) (everAnswer, error) {
	said, err := e.submit(c, form.PassCode)
	switch said {
	case right:
		return everAnswer{IsSuccess: true, Status: "SUCCESS", Redirect: everHome}, err
	case wrong:
		return everRefusal("The code you typed is not right."), err
	}
	return everAnswer{Redirect: endedPath}, err
}

func (e *everSite) msResend(c *call) (any, error) {
	if errors.Is(e.desk.send(c.visit, ""), errEnded) {
		return everAnswer{Redirect: endedPath}, nil
	}
	return everAnswer{IsSuccess: true, Wait: e.desk.opts.ResendAfter.Milliseconds()}, nil
}

func (e *everSite) skipEnroll(c *call) (any, error) {
	if e.desk.look(c.visit).is != inside {
		return everAnswer{Redirect: endedPath}, nil
	}
	e.desk.dismiss(c.visit)
	return everAnswer{IsSuccess: true, Status: "SUCCESS", Redirect: everHome}, nil
}

// overview bounces a browser once by the login page, which then knows it.
func (e *everSite) overview(w http.ResponseWriter, r *http.Request) {
	v := e.inside(r)
	if _, err := r.Cookie(everRegion); v == nil || err != nil || e.desk.look(v).kind == Changed {
		http.Redirect(w, r, everLogin+"?ReturnUrl="+everHome, http.StatusFound)
		return
	}
	e.show(w, r, "eversource/overview", "Account overview", struct{ Token string }{e.desk.ticket(v)})
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
func everAccounts(records []record) []everAccount {
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

func (e *everSite) accounts(w http.ResponseWriter, r *http.Request, v *visit) {
	query := r.URL.Query()
	sheet := cut(everAccounts(e.desk.look(v).records), numberOf(query, "pageNumber", 1), numberOf(query, "pageSize", 5))
	rows := sheet.Rows
	if asked := numberOf(query, "pageNumber", 1); asked > sheet.Pages {
		rows = nil
	}
	e.desk.shown(v)
	e.reply(w, v, map[string]any{
		"Accounts": append([]everAccount{}, rows...), "TotalCount": sheet.Total, "PageNumber": sheet.Number, "PageSize": sheet.Per,
	})
}

// widget gives the token for the usage service; a closed account has none.
func (e *everSite) widget(w http.ResponseWriter, r *http.Request, v *visit) {
	for _, rec := range e.desk.look(v).records {
		if rec.AccountNumber != r.PathValue("number") {
			continue
		}
		answer := map[string]any{"jwtToken": nil}
		if rec.Active() {
			answer["jwtToken"] = e.desk.ticket(v)
		}
		e.reply(w, v, answer)
		return
	}
	http.NotFound(w, r)
}

// JSON writes the configuration for the page's data attribute.
func (c everConfig) JSON() (string, error) {
	raw, err := json.Marshal(c)
	return string(raw), err
}
