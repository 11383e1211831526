package practice

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
)

// coned signs in by a request of the page's own: the form for the code stands in the same page, hidden, and the answer
// is HTTP 200 whether or not the login was right. A first page of several accounts picks one.
func coned() *utility {
	return &utility{
		id: "CONED", name: "Consolidated Edison", entry: "https://www.coned.com/en/login",
		kinds: commonKinds(Question), methods: []method{{"sms", "sms", 0}},
		shape: shape{
			state: "NY", city: "Riverdale Heights", zip: 10800, account: digits{"5", 15}, service: digits{"", 16}, meterDigits: 9, perAccount: 2,
			gasTariff: "SC1 Residential heating", tariffs: []string{"EL1 Residential", "EL2 Small non-residential"},
			shows: func(m Meter) Meter { m.ServiceIdentifier, m.Tariff, m.Status = "", "", ""; return m },
		},
		hosts: []host{{"", "https://www.coned.com"}, {"okta", "https://coned.okta.com"}, {"opower", "https://cned.opower.com"}},
		build: func(s *site) map[string]http.Handler {
			c := &conedSite{s}
			return map[string]http.Handler{"": c.routes(), "okta": c.okta(), "opower": (&opower{s, "cned", c.origin("")}).routes()}
		},
	}
}

type conedSite struct{ *site }

const (
	conedLogin   = "/en/login"
	conedAccount = "/en/accounts-billing/my-account"
	conedAPI     = "/sitecore/api/ssc/ConEdWeb-Foundation-Login-Areas-LoginAPI/User/0/"
	conedOpower  = "/sitecore/api/ssc/ConEd-Cms-Services-Controllers-Opower/OpowerService/0/GetOPowerToken"
	conedDevice  = "CE_DEVICE_ID"
)

func (c *conedSite) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+conedLogin, func(w http.ResponseWriter, r *http.Request) {
		c.show(w, r, "coned/login", "Log in", nil)
	})
	mux.HandleFunc("POST "+conedAPI+"Login", takes(c.site, c.logIn))
	mux.HandleFunc("POST "+conedAPI+"VerifyFactor", takes(c.site, c.verifyFactor))
	mux.HandleFunc("POST "+conedAPI+"ResendMFACode", c.service(c.resend))
	mux.HandleFunc("GET "+conedAccount, c.needSignIn(conedLogin, c.accounts))
	mux.HandleFunc("POST "+conedAccount, c.needSignIn(conedLogin, c.dismissNag))
	mux.HandleFunc("GET "+conedAccount+"/energy-use", c.needSignIn(conedLogin, c.accounts))
	mux.HandleFunc("GET "+conedOpower, c.needSignIn(conedLogin, c.opowerToken))
	return mux
}

// conedAnswer is what the login service answers. A field of another step is left empty.
type conedAnswer struct {
	Login         bool   `json:"login"`
	NewDevice     bool   `json:"newDevice"`
	NoMFA         bool   `json:"noMfa"`
	Redirect      string `json:"authRedirectUrl"`
	NoMFARedirect string `json:"noMfaRedirectUrl"`
	Error         string `json:"loginErrorMsg"`
	Prompt        string `json:"newDeviceText"`
	CanResend     bool   `json:"enableResendMfaCode"`
	WaitingTime   int64  `json:"waitingTime"` // milliseconds before a code can be sent again
	IsNumeric     bool   `json:"isNumeric"`
}

type conedLoginForm struct {
	LoginEmail, LoginPassword, ReturnURL, OpenIDRelayState string
	LoginRememberMe                                        bool
}

func (c *conedSite) logIn(k *call, form conedLoginForm) (conedAnswer, error) {
	said, err := c.login(k, form.LoginEmail, form.LoginPassword)
	if err != nil {
		return conedAnswer{}, err
	}
	answer, err := c.answerLogin(k, said)
	if form.LoginRememberMe && answer.Login {
		c.setCookie(k.w, conedDevice, c.desk.ticket(k.visit))
	}
	return answer, err
}

func (c *conedSite) answerLogin(k *call, said verdict) (conedAnswer, error) {
	switch said {
	case rejected:
		return conedAnswer{Error: "The e-mail and the password do not match. Please try again."}, nil
	case accountLocked:
		return conedAnswer{Error: "This login is locked after too many attempts."}, nil
	case challenged:
		if !c.knowsDevice(k) {
			return c.newDevice(k.visit)
		}
		c.desk.skipChallenge(k.visit)
	case admitted:
	default:
		return conedAnswer{Login: true, NoMFA: true, NoMFARedirect: detour(said)}, nil
	}
	return conedAnswer{Login: true, NoMFA: true, Redirect: c.throughOkta(k.visit)}, nil
}

// newDevice asks for a second factor. There is no choice: what was set up is asked for.
func (c *conedSite) newDevice(v *visit) (conedAnswer, error) {
	answer := conedAnswer{Login: true, NewDevice: true}
	if c.desk.look(v).asks.kind == "question" {
		answer.Prompt = c.desk.ask(v)
		return answer, nil
	}
	if err := c.desk.send(v, ""); err != nil {
		return answer, err
	}
	answer.Prompt = "Enter the code we sent by text message to " + c.desk.look(v).asks.sent.To + "."
	answer.IsNumeric, answer.CanResend, answer.WaitingTime = true, true, c.desk.opts.ResendAfter.Milliseconds()
	return answer, nil
}

// knowsDevice tells whether this browser was remembered in an earlier visit of the same account that got in.
func (c *conedSite) knowsDevice(k *call) bool {
	cookie, err := k.r.Cookie(conedDevice)
	if err != nil {
		return false
	}
	before := c.desk.bearer(cookie.Value)
	return before != nil && before.account == k.visit.account && c.desk.look(before).is == inside
}

// throughOkta gives the address that carries the sign-in over to the identity provider and back to the account pages.
func (c *conedSite) throughOkta(v *visit) string {
	back := c.origin("") + c.landing(v, "", conedAccount)
	return c.origin("okta") + "/login/sessionCookieRedirect?" + url.Values{"ticket": {c.desk.ticket(v)}, "redirectUrl": {back}}.Encode()
}

func (c *conedSite) okta() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /login/sessionCookieRedirect", func(w http.ResponseWriter, r *http.Request) {
		back := r.FormValue("redirectUrl")
		if c.join(w, r) == nil || !strings.HasPrefix(back, c.origin("")+"/") {
			http.Redirect(w, r, c.origin("")+conedLogin, http.StatusFound)
			return
		}
		http.Redirect(w, r, back, http.StatusFound)
	})
	return mux
}

// conedVerified is what the code service answers. Of the real answer only code and authRedirectUrl are known.
type conedVerified struct {
	Code     bool   `json:"code"`
	Redirect string `json:"authRedirectUrl"`
	Wait     int64  `json:"waitingTime,omitempty"` // milliseconds until a code can be sent again
}

func (c *conedSite) verifyFactor(k *call, form struct{ MFACode, ReturnURL string }) (conedVerified, error) {
	said, err := c.submit(k, form.MFACode)
	switch said {
	case right:
		return conedVerified{Code: true, Redirect: c.throughOkta(k.visit)}, err
	case ended:
		return conedVerified{Redirect: endedPath}, err
	}
	return conedVerified{}, err
}

func (c *conedSite) resend(k *call) (any, error) {
	answer := conedVerified{Wait: c.desk.opts.ResendAfter.Milliseconds()}
	if errors.Is(c.desk.send(k.visit, ""), errEnded) {
		answer.Redirect = endedPath
	}
	return answer, nil
}

// accounts shows the picker of a login with several accounts, or the one account. The address of the page, the picking by
// address and ?account= are known; the table is ours.
func (c *conedSite) accounts(w http.ResponseWriter, r *http.Request, v *visit) {
	if picked := r.FormValue("account"); picked != "" && !c.desk.pick(v, picked) {
		http.NotFound(w, r)
		return
	}
	look := c.desk.look(v)
	c.desk.shown(v)
	c.show(w, r, "coned/accounts", "My account", struct {
		Sheet   sheet[Meter]
		Several bool
		Picked  string
		Nag     bool
	}{cut(look.shown(c.utility), numberOf(r.URL.Query(), "page", 1), 10), accountCount(look.records) > 1, look.picked, look.nag})
}

func (c *conedSite) dismissNag(w http.ResponseWriter, r *http.Request, v *visit) {
	c.desk.dismiss(v)
	http.Redirect(w, r, conedAccount, http.StatusSeeOther)
}

// opowerToken gives a token for the usage service. With several accounts and none of them picked, a page comes back.
func (c *conedSite) opowerToken(w http.ResponseWriter, r *http.Request, v *visit) {
	look := c.desk.look(v)
	if look.picked == "" && accountCount(look.records) != 1 {
		c.accounts(w, r, v)
		return
	}
	c.reply(w, v, c.desk.ticket(v))
}

// accountCount counts the accounts behind a list of meters.
func accountCount(records []record) int {
	numbers := map[string]bool{}
	for _, r := range records {
		numbers[r.AccountNumber] = true
	}
	return len(numbers)
}
