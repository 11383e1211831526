package practice

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
)

// The Exelon utilities share one design: a portal that sends the browser to a sign-in host (Azure AD B2C) and takes it
// back when that is satisfied. That host draws its forms by script and answers HTTP 200 with a status inside.
//
// The sign-in host stands behind a custom domain whose name is not publicly known: secure2.<utility>.com is ours. So is
// the wording, the call-back address and whatever the pages show besides the known ids.
func exelon() []*utility {
	return []*utility{
		exelonUtility("ACE", "Atlantic City Electric", "atlanticcityelectric.com", "ace", meterGenerator{state: "NJ", city: "Egg Harbor", zip: 8200}),
		exelonUtility("BGE", "Baltimore Gas and Electric", "bge.com", "bgec", meterGenerator{state: "MD", city: "Canton", zip: 21200, gasTariff: "Schedule D"}),
		exelonUtility("COMED", "Commonwealth Edison", "comed.com", "cec", meterGenerator{state: "IL", city: "Oak Park", zip: 60300}),
		exelonUtility("PEPCO", "Potomac Electric Power Company", "pepco.com", "pep", meterGenerator{state: "MD", city: "Takoma", zip: 20900}),
		exelonUtility("PECO", "Philadelphia Electric Company", "peco.com", "peco", meterGenerator{state: "PA", city: "Manayunk", zip: 19100, gasTariff: "Rate GR"}),
	}
}

func exelonUtility(id, name, domain, usage string, meters meterGenerator) *utility {
	portal := "https://secure." + domain
	meters.account, meters.service, meters.meterDigits, meters.perAccount = numberFormat{"1", 10}, numberFormat{"6", 9}, 9, 1
	meters.tariffs = []string{"Residential service", "Small general service"}
	meters.shows = func(m Meter) Meter { m.MeterNumber = ""; return m }
	return &utility{
		id: id, name: name, entry: portal + "/accounts/login", kinds: commonKinds(Choice), meters: meters,
		methods: []method{{"Email", "email", 0}, {"Text", "sms", 0}, {"Call", "call", 0}},
		hosts:   []host{{"", portal}, {"login", "https://secure2." + domain}, {"opower", "https://" + usage + ".opower.com"}},
		handlers: func(s *site) map[string]http.Handler {
			e := &exelonSite{site: s, policy: "/euazure" + strings.ToLower(id) + ".onmicrosoft.com/B2C_1A_SignIn"}
			return map[string]http.Handler{
				"": e.portal(), "login": e.signInHost(), "opower": (&opower{s, usage, s.origin("")}).routes(),
			}
		},
	}
}

type exelonSite struct {
	*site
	policy string // the path of the sign-in policy
}

const (
	exelonCSRF     = "x-ms-cpim-csrf"
	exelonCallBack = "/accounts/login/callback"
)

// exelonControls are the page parts that send and verify codes, by the option they stand for. The name of the one for
// calls is ours.
func exelonControls() map[string]string {
	return map[string]string{"emailVerificationControl": "Email", "textVerificationControl": "Text", "phoneVerificationControl": "Call"}
}

func (e *exelonSite) signInHost() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+e.policy+"/oauth2/v2.0/authorize", e.authorize)
	mux.HandleFunc("POST "+e.policy+"/SelfAsserted", e.guarded(e.jsonHandler(e.selfAsserted)))
	mux.HandleFunc("GET "+e.policy+"/api/CombinedSigninAndSignup/confirmed", e.confirmed)
	mux.HandleFunc("GET "+e.policy+"/api/SelfAsserted/confirmed", e.confirmed)
	control := e.policy + "/SelfAsserted/DisplayControlAction/vbeta/{control}/"
	mux.HandleFunc("POST "+control+"SendCode", e.guarded(e.jsonHandler(e.sendCode)))
	mux.HandleFunc("POST "+control+"VerifyCode", e.guarded(e.jsonHandler(e.verifyCode)))
	return mux
}

// exelonSettings is what every page of the sign-in host tells its script.
type exelonSettings struct {
	CSRF    string            `json:"csrf"`
	TransID string            `json:"transId"`
	Hosts   map[string]string `json:"hosts"` // tenant and policy
	API     string            `json:"api"`
	View    string            `json:"pageViewId"`
}

// exelonField is one entry of SA_FIELDS.AttributeFields.
type exelonField struct {
	ID      string `json:"ID"`
	Type    string `json:"UX_INPUT_TYPE"`
	Prefill string `json:"PRE,omitempty"`
}

type exelonPage struct {
	Settings exelonSettings
	Fields   map[string][]exelonField
	Options  []option
}

// settings begins or continues the exchange between a page and the host.
func (e *exelonSite) settings(w http.ResponseWriter, r *http.Request, api string) exelonSettings {
	token := rand.Text()
	if c, err := r.Cookie(exelonCSRF); err == nil {
		token = c.Value
	}
	e.setCookie(w, exelonCSRF, token)
	tenant, policy, _ := strings.Cut(strings.TrimPrefix(e.policy, "/"), "/")
	return exelonSettings{
		CSRF: token, TransID: "StateProperties=" + token, API: api, View: r.URL.Path,
		Hosts: map[string]string{"tenant": "/" + tenant + "/" + policy, "policy": policy},
	}
}

func (e *exelonSite) authorize(w http.ResponseWriter, r *http.Request) {
	e.ensureCookie(w, r)
	fields := []exelonField{{"signInName", "TextBox", ""}, {"password", "Password", ""}}
	e.draw(w, r, "exelon/sign-in", "Sign in", "CombinedSigninAndSignup", exelonPage{Fields: exelonFields(fields)})
}

func exelonFields(fields []exelonField) map[string][]exelonField {
	return map[string][]exelonField{"AttributeFields": fields}
}

func (e *exelonSite) draw(w http.ResponseWriter, r *http.Request, page, title, api string, data exelonPage) {
	data.Settings = e.settings(w, r, api)
	e.show(w, r, page, title, data)
}

// guarded refuses requests that do not carry the token of the page.
func (e *exelonSite) guarded(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		c, err := r.Cookie(exelonCSRF)
		if err != nil || subtle.ConstantTimeCompare([]byte(c.Value), []byte(r.Header.Get("X-CSRF-TOKEN"))) != 1 {
			http.Error(w, "the request does not come from the page", http.StatusBadRequest)
			return
		}
		next(w, r)
	}
}

// exelonAnswer is the status inside HTTP 200. Redirect is ours, for steps nothing is known of.
type exelonAnswer struct {
	Status   string `json:"status"`
	Code     string `json:"errorCode,omitempty"`
	Message  string `json:"message,omitempty"`
	Redirect string `json:"redirect,omitempty"`
}

// selfAsserted takes the user name and the password, and once more at the end of the second factor.
func (e *exelonSite) selfAsserted(x *exchange) (any, error) {
	if x.r.PostFormValue("request_type") != "RESPONSE" {
		return exelonAnswer{Status: "400", Message: "The request is not understood."}, nil
	}
	if user := x.r.PostFormValue("signInName"); x.session == nil || user != "" {
		return e.credentials(x, user, x.r.PostFormValue("password"))
	}
	if e.system.snapshot(x.session).state != signedIn {
		return exelonAnswer{Status: "400", Message: "Verify the code first.", Redirect: sessionEndedPath}, nil
	}
	return exelonAnswer{Status: "200"}, nil
}

func (e *exelonSite) credentials(x *exchange, user, password string) (exelonAnswer, error) {
	result, err := e.login(x, user, password)
	switch result {
	case rejected:
		return exelonAnswer{Status: "400", Code: "AADB2C90225", Message: "The user name or password is not right."}, err
	case accountLocked:
		return exelonAnswer{Status: "400", Code: "AADB2C90114", Message: "Your account is locked for now. Try again later."}, err
	}
	return exelonAnswer{Status: "200", Redirect: interstitialFor(result)}, err
}

// confirmed shows the page after a step: the second factor, or the form that carries the browser back to the portal.
func (e *exelonSite) confirmed(w http.ResponseWriter, r *http.Request) {
	sess := e.session(r)
	switch snap := e.system.snapshot(sess); snap.state {
	case awaitingCode:
		e.secondFactor(w, r, snap)
	case signedIn:
		e.handOverTo(w, r, sess, e.origin("")+exelonCallBack)
	default:
		http.Redirect(w, r, sessionEndedPath, http.StatusFound)
	}
}

// secondFactor shows form A (a code by e-mail, sent without asking) or form B (a choice first).
func (e *exelonSite) secondFactor(w http.ResponseWriter, r *http.Request, snap snapshot) {
	page, fields := "exelon/forced", []exelonField{
		{"extension_isMFAEnabled", "TextBox", "False"}, {"emailVerificationControl", "DisplayControl", ""},
	}
	if snap.challenge.kind == "choice" {
		page, fields = "exelon/choice", []exelonField{{"mfaEnabledRadio", "RadioSingleSelect", ""}}
		for _, o := range snap.options {
			name := "displayPhoneNumber"
			if o.Method == "email" {
				name = "displayEmailAddress"
			}
			fields = append(fields, exelonField{name, "TextBox", o.To})
		}
	}
	e.draw(w, r, page, "Verify it is you", "SelfAsserted", exelonPage{Fields: exelonFields(fields), Options: snap.options})
}

func (e *exelonSite) sendCode(x *exchange) (any, error) {
	err := e.system.sendCode(x.session, exelonControls()[x.r.PathValue("control")])
	switch {
	case err == nil:
		return exelonAnswer{Status: "200"}, nil
	case errors.Is(err, errEnded):
		return exelonAnswer{Status: "400", Redirect: sessionEndedPath}, nil
	}
	return exelonAnswer{Status: "400", Message: "Please wait a moment before you ask for another code."}, nil
}

func (e *exelonSite) verifyCode(x *exchange) (any, error) {
	result, err := e.submitCode(x, x.r.PostFormValue("verificationCode"))
	switch result {
	case codeRight:
		return exelonAnswer{Status: "200"}, err
	case codeWrong:
		return exelonAnswer{Status: "400", Code: "VerificationFailedRetryAllowed", Message: "That code is not right. Please try again."}, err
	}
	return exelonAnswer{Status: "400", Code: "VerificationFailedNoRetry", Redirect: sessionEndedPath}, err
}

// portal is the host on which everything begins and ends.
func (e *exelonSite) portal() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /Pages/Login.aspx", e.toSignIn)
	mux.HandleFunc("GET /accounts/login", e.toSignIn)
	mux.HandleFunc("POST "+exelonCallBack, e.callBack)
	page := func(name, title string) http.HandlerFunc {
		return e.needSignIn("/accounts/login", func(w http.ResponseWriter, r *http.Request, sess *session) {
			e.show(w, r, name, title, struct{ Nag bool }{e.system.snapshot(sess).nag})
		})
	}
	mux.HandleFunc("GET /accounts/dashboard", page("exelon/dashboard", "Dashboard"))
	mux.HandleFunc("GET /Pages/ChangeAccount.aspx", page("exelon/change-account", "Choose an account"))
	mux.HandleFunc("GET /accounts/login/select-account", page("exelon/change-account", "Choose an account"))
	mux.HandleFunc("POST /accounts/welcome", e.needSignIn("/accounts/login", func(w http.ResponseWriter, _ *http.Request, sess *session) {
		e.system.dismissNag(sess)
		e.reply(w, sess, map[string]bool{"dismissed": true})
	}))
	e.services(mux)
	return mux
}

func (e *exelonSite) services(mux *http.ServeMux) {
	mux.HandleFunc("GET /api/Services/MyAccountService.svc/GetSession", e.needSignIn("/accounts/login", e.getSession))
	mux.HandleFunc("POST /api/Services/AccountList.svc/ViewAccount", jsonBodyHandler(e.site, e.viewAccount))
	mux.HandleFunc("POST /api/Services/OpowerService.svc/GetOpowerToken", e.needSignIn("/accounts/login", e.opowerToken))
	mux.HandleFunc("GET /.euapi/mobile/custom/auth/accounts", e.needBearer(e.accountList))
	mux.HandleFunc("GET /.euapi/mobile/custom/auth/accounts/{number}", e.needBearer(e.accountDetail))
}

func (e *exelonSite) toSignIn(w http.ResponseWriter, r *http.Request) {
	query := url.Values{"client_id": {"practice"}, "response_mode": {"form_post"}, "redirect_uri": {e.origin("") + exelonCallBack}}
	http.Redirect(w, r, e.origin("login")+e.policy+"/oauth2/v2.0/authorize?"+query.Encode(), http.StatusFound)
}

func (e *exelonSite) callBack(w http.ResponseWriter, r *http.Request) {
	sess := e.join(w, r)
	if sess == nil {
		http.Redirect(w, r, "/accounts/login", http.StatusSeeOther)
		return
	}
	home := "/accounts/dashboard"
	if accountCount(e.system.snapshot(sess).records) > 1 {
		home = "/Pages/ChangeAccount.aspx"
	}
	http.Redirect(w, r, e.landingPath(sess, "", home), http.StatusSeeOther)
}

func (e *exelonSite) getSession(w http.ResponseWriter, _ *http.Request, sess *session) {
	snap := e.system.snapshot(sess)
	number := snap.pickedAccount
	if number == "" && len(snap.records) > 0 {
		number = snap.records[0].AccountNumber
	}
	e.reply(w, sess, map[string]any{"token": e.system.issueTicket(sess), "accountNumber": number, "isResidential": true})
}

func (e *exelonSite) opowerToken(w http.ResponseWriter, _ *http.Request, sess *session) {
	e.reply(w, sess, map[string]string{"access_token": e.system.issueTicket(sess)})
}

func (e *exelonSite) viewAccount(x *exchange, form struct{ AccountNumber string }) (any, error) {
	found := e.system.snapshot(x.session).state == signedIn && e.system.pickAccount(x.session, form.AccountNumber)
	return map[string]bool{"success": found, "isPasswordProtected": false}, nil
}

// exelonAccount is one entry of the account list. What stands in PremiseInfo is ours, but for its name.
type exelonAccount struct {
	AccountNumber    string          `json:"accountNumber"`
	Address          string          `json:"address"`
	CustomerNumber   string          `json:"customerNumber"`
	Status           string          `json:"status"` // Active or Inactive
	IsResidential    bool            `json:"isResidential"`
	IsDefaultProfile bool            `json:"isDefaultProfile"`
	IsLinkedProfile  bool            `json:"isLinkedProfile"`
	FlagFinaled      bool            `json:"flagFinaled"`
	ServiceType      string          `json:"serviceType"` // ELECTRIC or GAS
	PremiseInfo      []exelonPremise `json:"PremiseInfo"`
}

type exelonPremise struct {
	PremiseNumber string `json:"premiseNumber"`
}

func exelonAccountOf(r meterRecord, first bool) exelonAccount {
	status := "Inactive"
	if r.Active() {
		status = "Active"
	}
	return exelonAccount{
		AccountNumber: r.AccountNumber, Address: r.ServiceAddress, CustomerNumber: "9" + r.AccountNumber[1:], Status: status,
		IsResidential: true, IsDefaultProfile: first, IsLinkedProfile: true, FlagFinaled: !r.Active(),
		ServiceType: strings.ToUpper(r.ServiceClass), PremiseInfo: []exelonPremise{{r.ServiceIdentifier}},
	}
}

func (e *exelonSite) accountList(w http.ResponseWriter, _ *http.Request, sess *session) {
	list := []exelonAccount{}
	for i, rec := range e.system.snapshot(sess).records {
		list = append(list, exelonAccountOf(rec, i == 0))
	}
	e.system.noteMetersRead(sess)
	e.mislabelled(w, map[string]any{"success": true, "data": list})
}

func (e *exelonSite) accountDetail(w http.ResponseWriter, r *http.Request, sess *session) {
	for _, rec := range e.system.snapshot(sess).records {
		if rec.AccountNumber == r.PathValue("number") {
			e.mislabelled(w, map[string]any{"success": true, "data": map[string]any{
				"accountNumber": rec.AccountNumber, "premiseNumber": rec.ServiceIdentifier, "addressLine": rec.Street, "city": rec.City,
				"state": rec.State, "zipCode": rec.Zip, "serviceType": strings.ToUpper(rec.ServiceClass), "rateSchedule": rec.Tariff,
				"isAMIAccount": true, "amiAccountIdentifier": rec.UUID, "amiCustomerIdentifier": rec.UUID, "electricChoiceID": "", "gasChoiceID": "",
			}})
			return
		}
	}
	http.NotFound(w, r)
}

// mislabelled sends JSON under the name of HTML, as the real service does.
func (e *exelonSite) mislabelled(w http.ResponseWriter, body any) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	if err := json.NewEncoder(w).Encode(body); err != nil {
		e.log.Debug("the reader of an account list left")
	}
}
