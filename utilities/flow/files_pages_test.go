package flow

import (
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meterkey/meterkey"
	"github.com/meterkey/meterkey/utilities"
)

// embeddedFiles are read once for all tests that only look at them.
var embeddedFiles = sync.OnceValues(func() (*utilities.Catalog, error) { return utilities.Load("") })

func embeddedUtilities(t *testing.T) []*utilities.Utility {
	t.Helper()
	c, err := embeddedFiles()
	require.NoError(t, err)
	return c.All()
}

// flowOf is the flow of one of the embedded files.
func flowOf(t *testing.T, id string) recogniser {
	t.Helper()
	all := embeddedUtilities(t)
	i := slices.IndexFunc(all, func(u *utilities.Utility) bool { return u.ID == id })
	require.GreaterOrEqual(t, i, 0, id)
	return recogniser{&all[i].Flow}
}

// testPage is a page as a utility's site would show it.
type testPage struct {
	*testing.T
	flow recogniser
	snapshot
}

// on begins a testPage at an address.
func on(t *testing.T, f recogniser, url string) testPage {
	t.Helper()
	return testPage{t, f, shown().at(url)}
}

// with shows elements, each of which the flow must look for: a testPage with others would prove nothing.
func (s testPage) with(elements ...utilities.Element) testPage {
	s.Helper()
	wanted, _ := lookedFor(s.flow.Flow)
	for _, e := range elements {
		require.Contains(s, wanted, e, "nobody looks for it")
		s.visible[e] = location{CSS: e.CSS, Enabled: true}
	}
	return s
}

func (s testPage) css(selectors ...string) testPage {
	s.Helper()
	for _, css := range selectors {
		s = s.with(utilities.Element{CSS: css})
	}
	return s
}

// reading puts words on the page: what the flow looks for in them is found, as page.js finds it.
func (s testPage) reading(words string) testPage {
	_, texts := lookedFor(s.flow.Flow)
	for _, text := range texts {
		if strings.Contains(strings.ToLower(strings.Join(strings.Fields(words), " ")), strings.ToLower(text)) {
			s.texts[text] = true
		}
	}
	return s
}

// answering has the site answer a request to one of its addresses, as the file's answers name it.
func (s testPage) answering(address string, body string) testPage {
	s.Helper()
	name := newTrafficLog(s.flow.Answers, nil).nameOf(address)
	require.NotEmpty(s, name, "no answer is read from %s", address)
	s.snapshot = s.answered(name, 200, body)
	return s
}

// outcome is one testPage with what it is to be taken for.
type outcome struct {
	name string
	testPage
	want utilities.PageKind
}

func requireRecognised(t *testing.T, all []outcome) {
	t.Helper()
	for _, o := range all {
		t.Run(o.name, func(t *testing.T) { require.Equal(t, o.want, o.flow.recognise(o.snapshot)) })
	}
}

func TestPagesOfConEd(t *testing.T) {
	t.Parallel()
	f := flowOf(t, "CONED")
	const page, account = "https://www.coned.com/en/login", "https://www.coned.com/en/accounts-billing/my-account"
	const api = "https://www.coned.com/sitecore/api/ssc/ConEdWeb-Foundation-Login-Areas-LoginAPI/User/0/"
	login := func(body string) testPage { return on(t, f, page).answering(api+"Login", body) }
	factor := func(body string) testPage {
		return on(t, f, page).css("#form-login-mfa-code").answering(api+"VerifyFactor?x=1", body)
	}
	requireRecognised(t, []outcome{
		{"login form", on(t, f, page).css("#form-login-email"), utilities.LoginForm},
		{"login form by names", on(t, f, page).css(`input[name="LoginPassword"]`), utilities.LoginForm},
		{"signed in", on(t, f, account), utilities.SignedIn},
		{"signed in, a page further", on(t, f, account+"/energy-use"), utilities.SignedIn},
		{"another site's page of that path", on(t, f, "https://www.coned.com.evil.example/en/accounts-billing/my-account"), utilities.Unknown},
		{"the address as a parameter", on(t, f, page+"?ReturnUrl="+account), utilities.Unknown},
		{"refused", login(`{"login":false,"loginErrorMsg":"no such thing"}`), utilities.RejectedLogin},
		{"refused in the page", on(t, f, page).css("#form-login-email").reading("That password match failed"), utilities.RejectedLogin},
		{"locked", login(`{"login":false,"loginErrorMsg":"Your account is LOCKED."}`), utilities.Locked},
		{"expired", login(`{"login":false,"loginErrorMsg":"Please reset your password."}`), utilities.PasswordExpired},
		{"expired, said otherwise", login(`{"login":false,"loginErrorMsg":"The password has expired."}`), utilities.PasswordExpired},
		{"not registered", login(`{"login":false,"loginErrorMsg":"Finish the registration first."}`), utilities.RegistrationUnfinished},
		{"asked for a code", login(`{"login":true,"newDevice":true,"isNumeric":true}`).css("#form-login-mfa-code"), utilities.CodeForm},
		{"asked a question", login(`{"login":true,"newDevice":true,"isNumeric":false}`).css("#form-login-mfa-code"), utilities.QuestionForm},
		{"about to be asked", login(`{"login":true,"newDevice":true,"isNumeric":false}`), utilities.Unknown},
		{"the older name of the field", on(t, f, page).css("#form-login-mta-code"), utilities.CodeForm},
		{"wrong code", factor(`{"code":false}`), utilities.RejectedCode},
		{"wrong code in words", on(t, f, page).css("#form-login-mfa-code").reading("Verification failed."), utilities.RejectedCode},
		{"right code, about to go on", factor(`{"code":true}`), utilities.CodeForm},
	})
	require.Equal(t, meterkey.SecurityAnswer, kindOf(f, "question"))
}

// kindOf is what a site of this flow asks where a form of the name stands.
func kindOf(f recogniser, form string) meterkey.ChallengeKind {
	s := snapshot{loaded: true, visible: map[utilities.Element]location{f.Code.Field[0]: {}}}
	if form == "question" {
		for _, mark := range f.Pages[utilities.QuestionForm] {
			s = s.answered(mark.Answer, 200, `{"newDevice":true,"isNumeric":false}`)
		}
	}
	if kind, _ := f.entry(s); kind == utilities.QuestionForm {
		return meterkey.SecurityAnswer
	}
	return meterkey.NumberCode
}

func TestPagesOfEversource(t *testing.T) {
	t.Parallel()
	f := flowOf(t, "EVERSOURCE")
	const page, home = "https://www.eversource.com/security/account/login?ReturnUrl=/cg/customer/accountoverview", "https://www.eversource.com/cg/customer/accountoverview"
	login := func(errors string) testPage {
		return on(t, f, page).css("#password").answering("https://www.eversource.com/security/account/MSLogin", `{"IsSuccess":false,"Errors":{"WebId":"`+errors+`"}}`)
	}
	later := utilities.Element{CSS: "button, a", Says: "ask me again later"}
	requireRecognised(t, []outcome{
		{"login form", on(t, f, page).css(`[id="Email/Username"]`), utilities.LoginForm},
		{"login form by names", on(t, f, page).css(`input[name="email"]`), utilities.LoginForm},
		{"signed in", on(t, f, home), utilities.SignedIn},
		{"the address as a parameter", on(t, f, "https://www.eversource.com/security/account/login?ReturnUrl=https://www.eversource.com/cg/customer/"), utilities.Unknown},
		{"refused", login("<p>not right</p>"), utilities.RejectedLogin},
		{"locked", login("<p>Account Locked</p>"), utilities.Locked},
		{"expired", login("<p>You must change your password</p>"), utilities.PasswordExpired},
		{"not registered", login("<p>Verify your e-mail first</p>"), utilities.RegistrationUnfinished},
		{"the offer to enrol, over the login form", on(t, f, page).css("#dt-mfa-askmeagainlater", "#password"), utilities.Nag},
		{"the offer by its words", on(t, f, page).with(later), utilities.Nag},
		{"code", on(t, f, page).css(`input[autocomplete="one-time-code"]`), utilities.CodeForm},
		{"wrong code", on(t, f, page).css(`input[autocomplete="one-time-code"]`).reading("The code you entered is not right"), utilities.RejectedCode},
	})
}

func TestPagesOfHawaiianElectric(t *testing.T) {
	t.Parallel()
	f := flowOf(t, "HECO")
	const site = "https://eservice.hawaiianelectric.com/bdisu/"
	requireRecognised(t, []outcome{
		{"login form", on(t, f, site+"logon.sap").css("#cred_userid_inputtext"), utilities.LoginForm},
		{"login form of the standard kind", on(t, f, site+"logon.sap").css(`input[name="sap-password"]`), utilities.LoginForm},
		{"signed in by the address", on(t, f, site+"my_accounts.sap"), utilities.SignedIn},
		{"a form for the password there", on(t, f, site+"my_accounts.sap").css("input[type=password]"), utilities.LoginForm},
		{"signed in by the way out", on(t, f, site+"x").with(utilities.Element{CSS: "a, button", Says: "log off"}), utilities.SignedIn},
		{"signed in by the inner page", on(t, f, site+"x").css("div.powertrax > iframe"), utilities.SignedIn},
		{"refused", on(t, f, site+"logon.sap").css("body:has(input[type=password]) div.error_msg", "input[type=password]"), utilities.RejectedLogin},
		{"the offer to turn a code on", on(t, f, site+"accounts.sap").with(utilities.Element{CSS: "button, a", Says: "not now"}), utilities.Nag},
		{"choice", on(t, f, site+"verify.sap").css("form input[type=radio]"), utilities.ChoiceForm},
		{"code", on(t, f, site+"verify.sap").css(`input[autocomplete="one-time-code"]`), utilities.CodeForm},
		{"code, other ways still offered", on(t, f, site+"verify.sap").css("form input[type=radio]", `input[autocomplete="one-time-code"]`), utilities.CodeForm},
	})
}

func TestPagesOfPSEG(t *testing.T) {
	t.Parallel()
	f := flowOf(t, "PSEG")
	const widget, portal = "https://id.myaccount.pseg.com/oauth2/v1/authorize", "https://nj.myaccount.pseg.com/"
	const code = `input[autocomplete="one-time-code"]`
	requireRecognised(t, []outcome{
		{"user name", on(t, f, widget).css(`input[name="identifier"]`), utilities.LoginForm},
		{"password", on(t, f, widget).css(`input[name="credentials.passcode"][type=password]`), utilities.LoginForm},
		{"signed in", on(t, f, portal+"myaccountdashboard"), utilities.SignedIn},
		{"signed in, accounts to choose from", on(t, f, portal+"dashboard/selectaccount"), utilities.SignedIn},
		{"on the way in", on(t, f, portal+"user/loginprocessing"), utilities.Unknown},
		{"refused", on(t, f, widget).css(".o-form-error-container"), utilities.RejectedLogin},
		{"locked", on(t, f, widget).css(".o-form-error-container").with(utilities.Element{CSS: ".o-form-error-container, .infobox-error", Says: "locked"}), utilities.Locked},
		{"code", on(t, f, widget).css(code), utilities.CodeForm},
		{"wrong code", on(t, f, widget).css(code, ".infobox-error", "body:has("+code+") .infobox-error"), utilities.RejectedCode},
		{"choice", on(t, f, widget).css(".authenticator-button a"), utilities.ChoiceForm},
		{"choice by the words", on(t, f, widget).with(utilities.Element{CSS: "button, input[type=submit], input[type=button], a.button", Says: "code"}), utilities.ChoiceForm},
	})
}

func TestPagesOfSouthernCaliforniaEdison(t *testing.T) {
	t.Parallel()
	f := flowOf(t, "SCE")
	const page, code = "https://www.sce.com/mysce/login", `input[autocomplete="one-time-code"]`
	requireRecognised(t, []outcome{
		{"login form", on(t, f, page).css(`div[class*="LoginMainComponent"] #userName`), utilities.LoginForm},
		{"signed in", on(t, f, "https://www.sce.com/mysce/myaccount"), utilities.SignedIn},
		{"signed in, at the bills", on(t, f, "https://www.sce.com/mysce/billsnpayments"), utilities.SignedIn},
		{"refused", on(t, f, page).css("react-login-main mark"), utilities.RejectedLogin},
		{"a message over the code is none about the login", on(t, f, page).css(code, "react-login-main mark"), utilities.CodeForm},
		{"not registered", on(t, f, page).css("react-verification-pending"), utilities.RegistrationUnfinished},
		{"under maintenance", on(t, f, page).css(`a[href*="/apps/maintenance"]`, `div[class*="LoginMainComponent"] #userName`), utilities.Unavailable},
		{"survey", on(t, f, "https://www.sce.com/mysce/myaccount").css(".fsrDeclineButton"), utilities.Nag},
		{"the offer of a code", on(t, f, page).with(utilities.Element{CSS: "button, a", Says: "remind me later"}), utilities.Nag},
		{"choice", on(t, f, page).css("form input[type=radio]"), utilities.ChoiceForm},
	})
}

func TestPagesOfSanDiego(t *testing.T) {
	t.Parallel()
	f := flowOf(t, "SDGE")
	const page, code = "https://myenergycenter.com/portal/PreLogin/Validate", `input[autocomplete="one-time-code"]`
	requireRecognised(t, []outcome{
		{"login form", on(t, f, page).css("#usernamex"), utilities.LoginForm},
		{"signed in", on(t, f, "https://myenergycenter.com/portal/Dashboard/index"), utilities.SignedIn},
		{"signed in, at the usage", on(t, f, "https://myenergycenter.com/portal/Usage/Index"), utilities.SignedIn},
		{"refused", on(t, f, page).css("#passwordx", "body:has(#passwordx) .toast-error", ".toast-error"), utilities.RejectedLogin},
		{"wrong code", on(t, f, page).css(code, ".toast-error"), utilities.RejectedCode},
		{"code", on(t, f, page).css(code), utilities.CodeForm},
		{"paperless offer", on(t, f, "https://myenergycenter.com/portal/Dashboard/index").css("#paperlessModal .close"), utilities.Nag},
	})
}

func TestPagesOfTheExelonPortals(t *testing.T) {
	t.Parallel()
	for id, host := range map[string]string{
		"ACE": "secure.atlanticcityelectric.com", "BGE": "secure.bge.com", "COMED": "secure.comed.com",
		"PECO": "secure.peco.com", "PEPCO": "secure.pepco.com",
	} {
		f, b2c := flowOf(t, id), "https://secure2.example/tenant/B2C_1A_SignIn"
		require.Equal(t, "https://"+host+"/accounts/login", f.SignIn.Open)
		login := func(body string) testPage {
			return on(t, f, b2c).css("#signInName").answering(b2c+"/SelfAsserted?tx=1", body)
		}
		verify := func(body string) testPage {
			return on(t, f, b2c).css("#emailVerificationCode").answering(b2c+"/SelfAsserted/DisplayControlAction/vbeta/x/VerifyCode", body)
		}
		requireRecognised(t, []outcome{
			{id + " login form", on(t, f, b2c).css("#signInName"), utilities.LoginForm},
			{id + " signed in", on(t, f, "https://"+host+"/accounts/dashboard"), utilities.SignedIn},
			{id + " signed in, several accounts", on(t, f, "https://"+host+"/Pages/ChangeAccount.aspx"), utilities.SignedIn},
			{id + " another utility's portal", on(t, f, "https://secure.example.com/accounts/dashboard"), utilities.Unknown},
			{id + " taken", login(`{"status":"200"}`), utilities.LoginForm},
			{id + " refused", login(`{"status":"400","message":"no"}`), utilities.RejectedLogin},
			{id + " locked", login(`{"status":"400","message":"Your account is locked"}`), utilities.Locked},
			{id + " expired", login(`{"status":"400","message":"Your password has expired"}`), utilities.PasswordExpired},
			{id + " not registered", login(`{"status":"400","message":"Verify your e-mail"}`), utilities.RegistrationUnfinished},
			{id + " choice", on(t, f, b2c).css(`input[name="mfaEnabledRadio"]`), utilities.ChoiceForm},
			{id + " code still to be sent", on(t, f, b2c).css(`[id$="_but_send_code"]`), utilities.ChoiceForm},
			{id + " code", on(t, f, b2c).css("#emailVerificationCode"), utilities.CodeForm},
			{id + " wrong code", verify(`{"status":"400"}`), utilities.RejectedCode},
			{id + " right code", verify(`{"status":"200"}`), utilities.CodeForm},
			{id + " pop-up", on(t, f, "https://"+host+"/accounts/dashboard").css(`.modal.show [aria-label="Close"], [role="dialog"] [aria-label="Close"]`), utilities.Nag},
		})
	}
}

func TestPagesOfTheDemonstration(t *testing.T) {
	t.Parallel()
	f := flowOf(t, "DEMO")
	const site = "https://demo.meterkey.example/"
	problem := utilities.Element{CSS: "#problem", Says: "not right"}
	requireRecognised(t, []outcome{
		{"login form", on(t, f, site+"sign-in").css("#username"), utilities.LoginForm},
		{"signed in", on(t, f, site+"meters?page=2"), utilities.SignedIn},
		{"refused", on(t, f, site+"sign-in").css("#username").with(problem), utilities.RejectedLogin},
		{"wrong code", on(t, f, site+"code").css("#code").with(problem), utilities.RejectedCode},
		{"wrong answer", on(t, f, site+"question").css("#answer").with(problem), utilities.RejectedCode},
		{"code", on(t, f, site+"code").css("#code"), utilities.CodeForm},
		{"question", on(t, f, site+"question").css("#answer"), utilities.QuestionForm},
		{"choice", on(t, f, site+"method").css("#method-form input[name=method]"), utilities.ChoiceForm},
		{"tips", on(t, f, site+"tips").css("#not-now"), utilities.Nag},
	})
}

// TestWordingsInGeneralUse reads sentences as sites write them, at every utility.
func TestWordingsInGeneralUse(t *testing.T) {
	t.Parallel()
	for sentence, want := range map[string]utilities.PageKind{
		"For your safety this account is locked. Call us.":            utilities.Locked,
		"Too many  failed attempts.\nTry again in an hour.":           utilities.Locked,
		"Your account has been temporarily locked":                    utilities.Locked,
		"Your password has expired. Choose another.":                  utilities.PasswordExpired,
		"You must change your password before you go on.":             utilities.PasswordExpired,
		"Please finish your registration":                             utilities.RegistrationUnfinished,
		"You have not finished registering.":                          utilities.RegistrationUnfinished,
		"Your SESSION HAS EXPIRED. Please sign in again.":             utilities.SessionEnded,
		"For security you have been logged out.":                      utilities.SessionEnded,
		"Invalid code. Please try again.":                             utilities.RejectedCode,
		"The code you entered does not match.":                        utilities.RejectedCode,
		"Your answer is incorrect.":                                   utilities.RejectedCode,
		"Incorrect password.":                                         utilities.RejectedLogin,
		"The user name and password do not match":                     utilities.RejectedLogin,
		"Wrong user name and/or password":                             utilities.RejectedLogin,
		"I'm not a robot":                                             utilities.Captcha,
		"Pardon our interruption":                                     utilities.Captcha,
		"We noticed unusual traffic from your network":                utilities.Captcha,
		"503 Service Unavailable":                                     utilities.Unavailable,
		"The site is down for maintenance":                            utilities.Unavailable,
		"Welcome back":                                                utilities.Unknown,
		"Locked out? Forgot your password?":                           utilities.Unknown,
		"Your session will expire in five minutes":                    utilities.Unknown,
		"Maintenance is planned for Sunday night":                     utilities.Unknown,
		"Passwords expire every 90 days":                              utilities.Unknown,
		"Enter the code we sent you. Did not get a code? Send again.": utilities.Unknown,
		"Register now or sign in":                                     utilities.Unknown,
	} {
		for _, u := range embeddedUtilities(t) {
			s := on(t, recogniser{&u.Flow}, "https://www.site.example/").reading(sentence)
			require.Equal(t, want, s.flow.recognise(s.snapshot), "%s: %s", u.ID, sentence)
		}
	}
}

func TestNoAccountsInGeneralUse(t *testing.T) {
	t.Parallel()
	for sentence, none := range map[string]bool{
		"There are no accounts linked to this login.": true, "You do not have any accounts yet": true, "No meters found": true,
		"No service accounts": true, "You have 2 accounts": false, "Add another account": false, "": false,
	} {
		for _, u := range embeddedUtilities(t) {
			s := on(t, recogniser{&u.Flow}, "https://www.site.example/").reading(sentence)
			r := &reader{Run: &Run{flow: recogniser{&u.Flow}}}
			require.Equal(t, none, r.saysNoAccounts(utilities.Reading{}, s.snapshot), "%s: %s", u.ID, sentence)
			s.loaded = false
			require.False(t, r.saysNoAccounts(utilities.Reading{}, s.snapshot), "a page that is still on its way says nothing")
		}
	}
}

// TestChecksForRobots finds every widget in general use, at every utility and over everything else that shows.
func TestChecksForRobots(t *testing.T) {
	t.Parallel()
	for _, u := range embeddedUtilities(t) {
		for _, widget := range []string{
			`iframe[src*="recaptcha"][src*="bframe"]`, `iframe[title*="recaptcha challenge" i]`, `.g-recaptcha:not([data-size="invisible"])`,
			`iframe[src*="hcaptcha.com"]`, `.h-captcha:not([data-size="invisible"])`, `iframe[src*="challenges.cloudflare.com"]`,
			`.cf-turnstile`, `#px-captcha`, `iframe[src*="_Incapsula_Resource"]`,
		} {
			s := on(t, recogniser{&u.Flow}, u.Flow.SignIn.Open).css(widget).with(u.Flow.SignIn.Steps[0].Into...)
			require.Equal(t, utilities.Captcha, s.flow.recognise(s.snapshot), "%s: %s", u.ID, widget)
		}
	}
}

func TestEveryFileKnowsItsAnswersApart(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ id, address, want string }{
		{"CONED", "https://www.coned.com/sitecore/api/ssc/ConEdWeb-Foundation-Login-Areas-LoginAPI/User/0/Login", "login"},
		{"CONED", "https://www.coned.com/sitecore/api/ssc/ConEdWeb-Foundation-Login-Areas-LoginAPI/User/0/VerifyFactor", "factor"},
		{"CONED", "https://www.coned.com/en/login", ""},
		{"EVERSOURCE", "https://www.eversource.com/security/account/MSLogin?x", "login"},
		{"EVERSOURCE", "https://www.eversource.com/cg/customer/api/account?pageNumber=1", "accounts"},
		{"EVERSOURCE", "https://www.eversource.com/cg/customer/api/accountbilling/x", ""},
		{"EVERSOURCE", "https://www.eversource.com/security/account/login", ""},
		{"BGE", "https://secure2.bge.com/t/p/SelfAsserted?tx=StateProperties", "self_asserted"},
		{"BGE", "https://secure2.bge.com/t/p/SelfAsserted/DisplayControlAction/vbeta/emailVerificationControl/VerifyCode", "verify"},
		{"BGE", "https://secure2.bge.com/t/p/SelfAsserted/DisplayControlAction/vbeta/emailVerificationControl/SendCode", ""},
		{"BGE", "https://secure2.bge.com/t/p/api/SelfAsserted/confirmed", ""},
	} {
		require.Equal(t, c.want, newTrafficLog(flowOf(t, c.id).Answers, nil).nameOf(c.address), c.address)
	}
}

func TestNoLoginPageIsTakenForBeingSignedIn(t *testing.T) {
	t.Parallel()
	for _, u := range embeddedUtilities(t) {
		f := recogniser{&u.Flow}
		require.NotEqual(t, utilities.SignedIn, f.recognise(on(t, f, f.SignIn.Open).snapshot), u.ID)
		for _, step := range f.SignIn.Steps {
			if step.Type == "" {
				continue
			}
			for _, field := range step.Into {
				require.Equal(t, utilities.LoginForm, f.recognise(on(t, f, f.SignIn.Open).with(field).snapshot), "%s by %s", u.ID, field)
			}
		}
		require.True(t, slices.ContainsFunc(f.SignIn.Steps, func(s utilities.Step) bool { return len(s.Press) > 0 }), "%s submits its form", u.ID)
	}
}
