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
		meters: meterGenerator{
			state: "NY", city: "Riverdale Heights", zip: 10800, account: numberFormat{"5", 15}, service: numberFormat{"", 16}, meterDigits: 9, perAccount: 2,
			gasTariff: "SC1 Residential heating", tariffs: []string{"EL1 Residential", "EL2 Small non-residential"},
			shows: func(m Meter) Meter { m.ServiceIdentifier, m.Tariff, m.Status = "", "", ""; return m },
		},
		hosts: []host{{"", "https://www.coned.com"}, {"okta", "https://coned.okta.com"}, {"opower", "https://cned.opower.com"}},
		handlers: func(s *site) map[string]http.Handler {
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
	mux.HandleFunc("POST "+conedAPI+"Login", jsonBodyHandler(c.site, c.logIn))
	mux.HandleFunc("POST "+conedAPI+"VerifyFactor", jsonBodyHandler(c.site, c.verifyFactor))
	mux.HandleFunc("POST "+conedAPI+"ResendMFACode", c.jsonHandler(c.resend))
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

func (c *conedSite) logIn(x *exchange, form conedLoginForm) (conedAnswer, error) {
	result, err := c.login(x, form.LoginEmail, form.LoginPassword)
	if err != nil {
		return conedAnswer{}, err
	}
	answer, err := c.answerLogin(x, result)
	if form.LoginRememberMe && answer.Login {
		c.setCookie(x.w, conedDevice, c.system.issueTicket(x.session))
	}
	return answer, err
}

func (c *conedSite) answerLogin(x *exchange, result loginResult) (conedAnswer, error) {
	switch result {
	case rejected:
		return conedAnswer{Error: "The e-mail and the password do not match. Please try again."}, nil
	case accountLocked:
		return conedAnswer{Error: "This login is locked after too many attempts."}, nil
	case challenged:
		if !c.knowsDevice(x) {
			return c.newDevice(x.session)
		}
		c.system.skipChallenge(x.session)
	case admitted:
	default:
		return conedAnswer{Login: true, NoMFA: true, NoMFARedirect: interstitialFor(result)}, nil
	}
	return conedAnswer{Login: true, NoMFA: true, Redirect: c.throughOkta(x.session)}, nil
}

// newDevice asks for a second factor. There is no choice: what was set up is asked for.
func (c *conedSite) newDevice(sess *session) (conedAnswer, error) {
	answer := conedAnswer{Login: true, NewDevice: true}
	if c.system.snapshot(sess).challenge.kind == "question" {
		answer.Prompt = c.system.askQuestion(sess)
		return answer, nil
	}
	if err := c.system.sendCode(sess, ""); err != nil {
		return answer, err
	}
	answer.Prompt = "Enter the code we sent by text message to " + c.system.snapshot(sess).challenge.sent.To + "."
	answer.IsNumeric, answer.CanResend, answer.WaitingTime = true, true, c.system.opts.ResendAfter.Milliseconds()
	return answer, nil
}

// knowsDevice tells whether this browser was remembered in an earlier session of the same account that got in.
func (c *conedSite) knowsDevice(x *exchange) bool {
	cookie, err := x.r.Cookie(conedDevice)
	if err != nil {
		return false
	}
	before := c.system.ticketSession(cookie.Value)
	return before != nil && before.account == x.session.account && c.system.snapshot(before).state == signedIn
}

// throughOkta gives the address that carries the sign-in over to the identity provider and back to the account pages.
func (c *conedSite) throughOkta(sess *session) string {
	back := c.origin("") + c.landingPath(sess, "", conedAccount)
	return c.origin("okta") + "/login/sessionCookieRedirect?" + url.Values{"ticket": {c.system.issueTicket(sess)}, "redirectUrl": {back}}.Encode()
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

func (c *conedSite) verifyFactor(x *exchange, form struct{ MFACode, ReturnURL string }) (conedVerified, error) {
	result, err := c.submitCode(x, form.MFACode)
	switch result {
	case codeRight:
		return conedVerified{Code: true, Redirect: c.throughOkta(x.session)}, err
	case sessionEnded:
		return conedVerified{Redirect: sessionEndedPath}, err
	}
	return conedVerified{}, err
}

func (c *conedSite) resend(x *exchange) (any, error) {
	answer := conedVerified{Wait: c.system.opts.ResendAfter.Milliseconds()}
	if errors.Is(c.system.sendCode(x.session, ""), errEnded) {
		answer.Redirect = sessionEndedPath
	}
	return answer, nil
}

// accounts shows the picker of a login with several accounts, or the one account. The address of the page, the picking by
// address and ?account= are known; the table is ours.
func (c *conedSite) accounts(w http.ResponseWriter, r *http.Request, sess *session) {
	if picked := r.FormValue("account"); picked != "" && !c.system.pickAccount(sess, picked) {
		http.NotFound(w, r)
		return
	}
	snap := c.system.snapshot(sess)
	c.system.noteMetersRead(sess)
	c.show(w, r, "coned/accounts", "My account", struct {
		Page    resultPage[Meter]
		Several bool
		Picked  string
		Nag     bool
	}{paginate(snap.meters(c.utility), queryInt(r.URL.Query(), "page", 1), 10), accountCount(snap.records) > 1, snap.pickedAccount, snap.nag})
}

func (c *conedSite) dismissNag(w http.ResponseWriter, r *http.Request, sess *session) {
	c.system.dismissNag(sess)
	http.Redirect(w, r, conedAccount, http.StatusSeeOther)
}

// opowerToken gives a token for the usage service. With several accounts and none of them picked, a page comes back.
func (c *conedSite) opowerToken(w http.ResponseWriter, r *http.Request, sess *session) {
	snap := c.system.snapshot(sess)
	if snap.pickedAccount == "" && accountCount(snap.records) != 1 {
		c.accounts(w, r, sess)
		return
	}
	c.reply(w, sess, c.system.issueTicket(sess))
}

// accountCount counts the accounts behind a list of meters.
func accountCount(records []meterRecord) int {
	numbers := map[string]bool{}
	for _, r := range records {
		numbers[r.AccountNumber] = true
	}
	return len(numbers)
}
