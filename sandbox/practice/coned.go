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
			shows: func(m Meter) Meter { m.ServiceIdentifier = ""; return m },
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
	mux.HandleFunc("POST "+conedAPI+"Login", c.logIn)
	mux.HandleFunc("POST "+conedAPI+"VerifyFactor", c.verifyFactor)
	mux.HandleFunc("POST "+conedAPI+"ResendMFACode", c.resend)
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

func (c *conedSite) logIn(w http.ResponseWriter, r *http.Request) {
	var form struct {
		LoginEmail, LoginPassword, ReturnURL, OpenIDRelayState string
		LoginRememberMe                                        bool
	}
	if err := readJSON(w, r, &form); err != nil {
		c.fail(w, err)
		return
	}
	said, v, err := c.login(w, r, form.LoginEmail, form.LoginPassword)
	if err != nil {
		c.fail(w, err)
		return
	}
	if said == siteBroken {
		c.maintenance(w, r)
		return
	}
	answer, err := c.answerLogin(r, said, v)
	if err != nil {
		c.fail(w, err)
		return
	}
	if form.LoginRememberMe && answer.Login {
		c.setCookie(w, conedDevice, c.desk.ticket(v))
	}
	c.reply(w, v, answer)
}

func (c *conedSite) answerLogin(r *http.Request, said verdict, v *visit) (conedAnswer, error) {
	switch said {
	case rejected:
		return conedAnswer{Error: "The e-mail and the password do not match. Please try again."}, nil
	case accountLocked:
		return conedAnswer{Error: "This login is locked after too many attempts."}, nil
	case challenged:
		if !c.knowsDevice(r, v) {
			return c.newDevice(v)
		}
		c.desk.skipChallenge(v)
	case admitted:
	default:
		return conedAnswer{Login: true, NoMFA: true, NoMFARedirect: detour(said)}, nil
	}
	return conedAnswer{Login: true, NoMFA: true, Redirect: c.throughOkta(v)}, nil
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
func (c *conedSite) knowsDevice(r *http.Request, v *visit) bool {
	cookie, err := r.Cookie(conedDevice)
	if err != nil {
		return false
	}
	before := c.desk.bearer(cookie.Value)
	return before != nil && before.account == v.account && c.desk.look(before).is == inside
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

func (c *conedSite) verifyFactor(w http.ResponseWriter, r *http.Request) {
	var form struct{ MFACode, ReturnURL string }
	err := readJSON(w, r, &form)
	v := c.visit(r)
	if err != nil || v == nil {
		c.reply(w, nil, map[string]any{"code": false, "authRedirectUrl": endedPath})
		return
	}
	if err := c.dawdle(r.Context(), v); err != nil {
		c.fail(w, err)
		return
	}
	// Only the fields code and authRedirectUrl are known of the real answer.
	answer := map[string]any{"code": false, "authRedirectUrl": ""}
	switch c.desk.submit(v, form.MFACode) {
	case right:
		answer["code"] = true
		answer["authRedirectUrl"] = c.throughOkta(v)
	case ended:
		answer["authRedirectUrl"] = endedPath
	}
	c.reply(w, v, answer)
}

func (c *conedSite) resend(w http.ResponseWriter, r *http.Request) {
	v := c.visit(r)
	if v == nil {
		c.reply(w, nil, map[string]any{"success": false, "authRedirectUrl": endedPath})
		return
	}
	err := c.desk.send(v, "")
	answer := map[string]any{"success": err == nil, "waitingTime": c.desk.opts.ResendAfter.Milliseconds()}
	if errors.Is(err, errEnded) {
		answer["authRedirectUrl"] = endedPath
	}
	c.reply(w, v, answer)
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
		Sheet  sheet[Meter]
		Picked string
		Nag    bool
	}{cut(look.shown(c.utility), numberOf(r.URL.Query(), "page", 1), 10), look.picked, look.nag})
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
