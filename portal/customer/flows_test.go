package customer_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/playwright-community/playwright-go"
	"github.com/stretchr/testify/require"

	"github.com/meterkey/meterkey/internal/stack"
	"github.com/meterkey/meterkey/portal/customer"
	"github.com/meterkey/meterkey/workflows"
)

// The tests that are not parallel come first, while no other customer is there: they do what others would feel.

// Someone who leaves for good gives the browser window back; someone who only looks elsewhere does not.
func TestLeavingForGood(t *testing.T) {
	g := invited(t, "DEMO", "code", onAPhone)
	g.signsIn()
	g.sees("asks for a code")

	hidden := `() => {
		Object.defineProperty(document, "visibilityState", {value: "hidden", configurable: true});
		document.dispatchEvent(new Event("visibilitychange"));
	}`
	g.tells(func() error { _, err := g.page.Evaluate(hidden); return err }, "away")
	require.NoError(t, g.w.pages.Sweep(t.Context(), time.Now().Add(5*time.Minute)))
	require.Equal(t, workflows.AwaitingCode, g.state(workflows.AwaitingCode).Status, "the customer reads the code in another app")

	g.tells(func() error { _, err := g.page.Goto("about:blank"); return err }, "gone")
	require.NoError(t, g.w.pages.Sweep(t.Context(), time.Now().Add(30*time.Second)))
	require.Equal(t, workflows.AwaitingCode, g.state(workflows.AwaitingCode).Status, "the customer may come back within a minute")

	require.Eventually(t, func() bool { // other pages' last words may have come in between
		if err := g.w.pages.Sweep(t.Context(), time.Now().Add(2*time.Minute)); err != nil {
			t.Errorf("sweeping: %v", err)
		}
		s, err := g.w.requests.State(t.Context(), g.request.RequestID)
		return err == nil && s.Status == workflows.AwaitingLogin
	}, 3*time.Minute, 100*time.Millisecond)
	require.Equal(t, workflows.WindowClosed, g.state(workflows.AwaitingLogin).Reason)
	g.opens(g.page)
	g.sees("Sign in to")
	require.Contains(t, g.says(".flash"), "You left before the code was typed")
}

// tells waits until the page has told of the customer's presence, while it does this.
func (g *guest) tells(act func() error, state string) {
	g.Helper()
	before := g.w.heard(g.link, state)
	require.NoError(g, act())
	require.Eventually(g, func() bool { return g.w.heard(g.link, state) > before }, 3*time.Minute, 20*time.Millisecond, "the page says %s", state)
}

// A page whose connection breaks gets another, and loses nothing that was typed.
func TestBrokenConnectionKeepsWhatIsTyped(t *testing.T) {
	g := invited(t, "DEMO", "code")
	g.signsIn()
	g.sees("asks for a code")
	require.NoError(t, g.page.Locator("#code").Fill("12"))
	_, err := g.page.ExpectResponse(func(url string) bool { return strings.HasSuffix(url, "/live") }, func() error {
		g.w.server.CloseClientConnections()
		return nil
	})
	require.NoError(t, err)
	require.Equal(t, "12", must(g.page.Locator("#code").InputValue())(t))
	g.types(g.phone(1))
	g.connected(1, 1)
}

func must[T any](value T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		require.NoError(t, err)
		return value
	}
}

// While no worker runs, the pages show what was stored, take what is typed, once, and go on when one is back.
func TestNoWorker(t *testing.T) {
	g := invited(t, "DEMO", "code")
	g.agrees()
	require.NoError(t, g.w.Worker("a").Kill())
	g.opens(g.page)
	require.Contains(t, g.says(".flash.warning"), "We are catching up")
	g.fillsIn(stack.PracticePassword)
	g.presses("Sign in")
	g.sees("We have received it")
	require.NoError(t, g.w.ReplaceWorker(t.Context(), "a"))
	g.sees("asks for a code")
	require.Zero(t, must(g.page.Locator(".flash.warning").Count())(t))
	g.types(g.phone(1))
	g.connected(1, 1)
}

func TestCode(t *testing.T) {
	t.Parallel()
	g := invited(t, "CONED", "code", onAPhone)
	require.Contains(t, g.says("h1"), "Acme Solar asks to connect your Consolidated Edison account")
	g.signsIn()
	g.sees("Consolidated Edison asks for a code")
	code := g.page.Locator("#code")
	require.Equal(t, "one-time-code", must(code.GetAttribute("autocomplete"))(t))
	require.Equal(t, "numeric", must(code.GetAttribute("inputmode"))(t))
	require.Equal(t, true, must(code.Evaluate("(e) => e === document.activeElement", nil))(t), "the code can be typed at once")
	require.Contains(t, g.says(".facts"), "3")
	g.types(g.phone(1))
	g.connected(1, 1)
	require.Contains(t, g.says("main"), "meters were found")
	g.opens(g.page)
	g.sees("account is connected") // the link shows how it ended
}

func TestWrongCodeThenRight(t *testing.T) {
	t.Parallel()
	g := invited(t, "DEMO", "code")
	g.signsIn()
	g.sees("asks for a code")
	g.types(other(g.phone(1)))
	require.NoError(t, g.page.Locator("#code[aria-invalid=true]").WaitFor())
	require.Equal(t, workflows.CodeRejected.Text().Customer, g.says("#code-mistake"))
	require.Contains(t, g.says(".facts"), "2")
	require.Equal(t, true, must(g.page.Locator("#code").Evaluate("(e) => e === document.activeElement", nil))(t))
	g.types(spaced(g.phone(1)))
	g.connected(1, 2)
}

// other is a code of the same form that is not this one.
func other(code string) string {
	return strings.Map(func(r rune) rune { return '0' + (r-'0'+1)%10 }, code)
}

// spaced is a code as people write it.
func spaced(code string) string { return code[:3] + " " + code[3:] }

func TestCodeThatCannotBeOne(t *testing.T) {
	t.Parallel()
	g := invited(t, "DEMO", "code", withoutScripts)
	g.signsIn()
	g.sees("asks for a code")
	for typed, says := range map[string]string{"12a456": "digits only", "123": "has 6 digits", "   ": "Type the code"} {
		require.NoError(t, g.page.Locator("#code").Fill(typed))
		must(g.page.Locator("form[action*='/code']").Evaluate("(f) => { f.noValidate = true; f.requestSubmit(); }", nil))(t)
		require.NoError(t, g.page.Locator("#code-mistake", playwright.PageLocatorOptions{HasText: says}).WaitFor(), typed)
		require.Empty(t, must(g.page.Locator("#code").InputValue())(t))
	}
	require.Zero(t, g.ledger().CodesSubmitted)
}

// A whole message may be pasted: the code is taken out of it.
func TestPaste(t *testing.T) {
	t.Parallel()
	g := invited(t, "DEMO", "code")
	g.signsIn()
	g.sees("asks for a code")
	code := g.phone(1)
	must(g.page.Locator("#code").Evaluate(`(field, text) => {
		const clipboardData = new DataTransfer();
		clipboardData.setData("text", text);
		field.dispatchEvent(new ClipboardEvent("paste", {clipboardData, bubbles: true, cancelable: true}));
	}`, "Your code is "+code[:3]+"-"+code[3:]+". It is valid for 10 minutes."))(t)
	require.Equal(t, code, must(g.page.Locator("#code").InputValue())(t))
	g.presses("Confirm")
	g.connected(1, 1)
}

func TestSendAgain(t *testing.T) {
	t.Parallel()
	g := invited(t, "DEMO", "code")
	g.signsIn()
	g.sees("asks for a code")
	g.phone(1)
	g.presses("Send a new code")
	require.NoError(t, g.page.Locator(".flash.success", playwright.PageLocatorOptions{HasText: "A new code is on its way"}).WaitFor())
	g.types(g.phone(2))
	g.connected(1, 1)
	require.Equal(t, 2, g.ledger().CodesSent)
}

func TestChoice(t *testing.T) {
	t.Parallel()
	g := invited(t, "DEMO", "choice")
	g.signsIn()
	g.sees("send you the code?")
	require.NoError(t, g.page.Locator("input[type=radio]").Last().Check())
	g.presses("Send the code")
	g.sees("asks for a code")
	g.types(g.phone(1))
	g.connected(1, 1)
}

func TestSecurityQuestion(t *testing.T) {
	t.Parallel()
	g := invited(t, "DEMO", "question")
	g.signsIn()
	g.sees("asks a security question")
	g.types(g.phone(1))
	g.connected(1, 1)
}

func TestTurnMFAOffAndOnAgain(t *testing.T) {
	t.Parallel()
	g := invited(t, "HECO", "choice")
	g.signsIn()
	g.sees("Turn off the login code")
	help := g.page.GetByRole("link", playwright.PageGetByRoleOptions{Name: "How to turn it off"})
	require.Equal(t, "_blank", must(help.GetAttribute("target"))(t))
	require.Contains(t, must(help.GetAttribute("rel"))(t), "noopener")
	require.Contains(t, g.says(".promise"), "turn it on again")
	require.NoError(t, g.account.TurnMFAOff(t.Context()))
	g.fillsIn(stack.PracticePassword)
	g.presses("Sign in")
	g.connected(2, 0)
	require.Contains(t, g.says(".attention"), "You may turn it on again now")
	require.Zero(t, g.ledger().CodesSent, "no code was triggered for nothing")
}

func TestDecline(t *testing.T) {
	t.Parallel()
	g := invited(t, "DEMO", "plain")
	g.follows("No, thank you")
	g.sees("Decline this request?")
	g.follows("No, go back")
	g.sees("Acme Solar asks")
	g.follows("No, thank you")
	g.presses("Yes, decline")
	g.sees("You declined this request")
	g.state(workflows.Declined)
	g.opens(g.page)
	g.sees("You declined this request")
	require.Zero(t, g.ledger().Logins)
}

// TestConsentIsToOneLink: who agreed and then declined is asked anew when the requester sends the request again.
func TestConsentIsToOneLink(t *testing.T) {
	t.Parallel()
	g := invited(t, "DEMO", "plain")
	g.agrees()
	g.sees("Sign in")
	g.opens(g.page)
	g.sees("Sign in")
	g.follows("I do not want to connect my account")
	g.presses("Yes, decline")
	g.state(workflows.Declined)
	require.NoError(t, g.w.requests.Resend(t.Context(), g.request))
	g.state(workflows.AwaitingLogin)
	g.link = g.linkNow()
	g.opens(g.page)
	g.sees("Acme Solar asks")
	g.signsIn()
	g.connected(1, 0)
}

func TestThreeWrongPasswords(t *testing.T) {
	t.Parallel()
	g := invited(t, "DEMO", "wrong")
	g.signsIn()
	for range 2 {
		require.NoError(t, g.page.Locator(".flash.failure").WaitFor())
		require.Contains(t, g.says(".flash.failure"), workflows.InvalidCredentials.Text().Customer)
		require.Empty(t, must(g.page.Locator("#password").InputValue())(t), "nothing typed comes back")
		stamp := must(g.page.Locator("input[name=at]").InputValue())(t)
		g.account.User = "wrong." + g.account.User // by another name, as people do, so that the site locks none of them
		g.fillsIn(stack.PracticePassword)
		g.presses("Sign in")
		require.NoError(t, g.page.Locator("input[name=at][value='"+stamp+"']").WaitFor(playwright.LocatorWaitForOptions{State: playwright.WaitForSelectorStateDetached}))
	}
	g.sees("Three logins were not accepted")
	require.Contains(t, g.says("main"), workflows.TooManyLogins.Text().Customer)
	require.Equal(t, 1, g.ledger().Logins, "with the last name")
}

func TestLoginThatIsEmpty(t *testing.T) {
	t.Parallel()
	g := invited(t, "DEMO", "plain")
	g.agrees()
	g.fillsIn("")
	must(g.page.Locator("form[action*='/login']").Evaluate("(f) => { f.noValidate = true; f.requestSubmit(); }", nil))(t)
	require.NoError(t, g.page.Locator("#password-mistake").WaitFor())
	require.Empty(t, must(g.page.Locator("#username").InputValue())(t), "nothing typed comes back")
	require.Zero(t, g.ledger().Logins)
}

func TestClosingTheTabAndComingBack(t *testing.T) {
	t.Parallel()
	g := invited(t, "DEMO", "code")
	g.signsIn()
	g.sees("asks for a code")
	require.NoError(t, g.page.Close())
	g.page = g.tab()
	g.opens(g.page)
	g.sees("asks for a code")
	g.types(g.phone(1))
	g.connected(1, 1)
}

func TestTwoTabs(t *testing.T) {
	t.Parallel()
	g := invited(t, "DEMO", "code")
	second := g.tab()
	g.opens(second)
	g.signsIn()
	g.sees("asks for a code")
	g.seesOn(second, "asks for a code")
	g.types(g.phone(1))
	g.seesOn(second, "account is connected")
	g.connected(1, 1)
}

func TestBackButton(t *testing.T) {
	t.Parallel()
	g := invited(t, "DEMO", "code")
	g.signsIn()
	g.sees("asks for a code")
	_, err := g.page.GoBack()
	require.NoError(t, err)
	g.sees("asks for a code")
	g.types(g.phone(1))
	g.connected(1, 1)
}

func TestDoubleClick(t *testing.T) {
	t.Parallel()
	g := invited(t, "DEMO", "code")
	g.agrees()
	g.fillsIn(stack.PracticePassword)
	require.NoError(t, g.page.Locator("form[action*='/login'] button:not([type])").Dblclick())
	g.sees("asks for a code")
	require.NoError(t, g.page.Locator("#code").Fill(g.phone(1)))
	require.NoError(t, g.page.Locator("form[action*='/code'] button").Dblclick())
	g.connected(1, 1)
}

// The same form sent many times at once, as by a browser without scripts and a customer without patience.
func TestSameFormManyTimes(t *testing.T) {
	t.Parallel()
	g := invited(t, "DEMO", "code")
	g.agrees()
	g.sends("/login", url.Values{"at": {must(g.page.Locator("input[name=at]").InputValue())(t)},
		"username": {g.account.User}, "password": {stack.PracticePassword}})
	g.sees("asks for a code")
	g.sends("/code", url.Values{"challenge": {must(g.page.Locator("form[action*='/code'] input[name=challenge]").InputValue())(t)}, "code": {g.phone(1)}})
	g.connected(1, 1)
}

// sends sends a form four times at once.
func (g *guest) sends(below string, form url.Values) {
	g.Helper()
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			request, err := http.NewRequestWithContext(g.Context(), http.MethodPost, g.link+below, strings.NewReader(form.Encode()))
			if err != nil {
				g.Errorf("making the form: %v", err)
				return
			}
			request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			answer, err := http.DefaultTransport.RoundTrip(request)
			if err != nil {
				g.Errorf("sending the form: %v", err)
				return
			}
			if answer.StatusCode != http.StatusSeeOther {
				g.Errorf("the form was answered with %s", answer.Status)
			}
			if err := answer.Body.Close(); err != nil {
				g.Errorf("closing the answer: %v", err)
			}
		})
	}
	all.Wait()
}

// Loading the page again while a form is on its way, and sending an old form once more, submits nothing twice.
func TestReloadInTheMiddle(t *testing.T) {
	t.Parallel()
	g := invited(t, "DEMO", "code")
	g.agrees()
	g.fillsIn(stack.PracticePassword)
	login := url.Values{"at": {must(g.page.Locator("input[name=at]").InputValue())(t)}, "username": {g.account.User}, "password": {stack.PracticePassword}}
	g.sendsAndReloads("/login")
	g.sees("asks for a code")
	g.sends("/login", login)
	challenge := must(g.page.Locator("form[action*='/code'] input[name=challenge]").InputValue())(t)
	require.NoError(t, g.page.Locator("#code").Fill(g.phone(1)))
	g.sendsAndReloads("/code")
	g.sees("account is connected")
	g.sends("/code", url.Values{"challenge": {challenge}, "code": {"123456"}})
	g.connected(1, 1)
}

// sendsAndReloads loads the page again as soon as its form has reached the portal, before the answer is there.
func (g *guest) sendsAndReloads(below string) {
	g.Helper()
	must(g.page.Evaluate("(below) => document.querySelector(`form[action*='${below}']`).requestSubmit()", below))(g.T)
	require.Eventually(g, func() bool { return g.w.heard(g.link, below) > 0 }, 3*time.Minute, time.Millisecond, "the form arrives")
	_, err := g.page.Goto(g.link)
	require.NoError(g, err)
}

func TestWithoutScripts(t *testing.T) {
	t.Parallel()
	g := invited(t, "DEMO", "code", withoutScripts, withoutUtility)
	g.account.Utility = "CONED"
	g.sees("Which utility do you have?")
	require.NoError(t, g.page.Locator("#q").Fill("con edison"))
	g.presses("Search")
	require.Equal(t, "1 utility", g.says(".found-count"))
	g.follows("Consolidated Edison")
	g.signsIn()
	g.sees("asks for a code")
	require.Regexp(t, `\d+ min \d\d s`, g.says(".facts"))
	g.types(g.phone(1))
	g.connected(1, 1)
}

func TestChoosingTheUtility(t *testing.T) {
	t.Parallel()
	g := invited(t, "DEMO", "plain", withoutUtility)
	g.account.Utility = "SCE"
	require.NoError(t, g.page.Locator("#q").PressSequentially("socal"))
	require.NoError(t, g.page.Locator(".found-count", playwright.PageLocatorOptions{HasText: "1 utility"}).WaitFor())
	g.follows("Southern California Edison")
	g.signsIn()
	g.connected(1, 0)
	require.Equal(t, "SCE", g.state(workflows.Connected).Utility)
}

func TestSpanish(t *testing.T) {
	t.Parallel()
	g := invited(t, "DEMO", "plain", inSpanish)
	g.sees("le pide conectar su cuenta")
	require.Equal(t, "es", must(g.page.Evaluate("document.documentElement.lang"))(t))
	g.follows("English")
	g.sees("Acme Solar asks")
	g.opens(g.page)
	g.sees("Acme Solar asks") // it is remembered
	g.follows("Español")
	require.NoError(t, g.page.Locator("input[name=agree]").Check())
	g.presses("Aceptar y continuar")
	g.fillsIn(stack.PracticePassword)
	g.presses("Entrar")
	g.sees("está conectada")
	row, err := g.w.store.RequestByID(t.Context(), g.request.RequestID)
	require.NoError(t, err)
	require.Equal(t, "es", row.Consent.Language)
}

func TestReplacedLink(t *testing.T) {
	t.Parallel()
	g := invited(t, "DEMO", "plain")
	require.NoError(t, g.w.requests.Resend(t.Context(), g.request))
	g.sees("You have a newer link") // the open page says so by itself
	g.opens(g.page)
	g.sees("You have a newer link")
	require.NotContains(t, g.says("main"), "Demonstration", "nothing but who asked")
	g.state(workflows.AwaitingLogin)
	g.link = g.linkNow()
	g.opens(g.page)
	g.signsIn()
	g.connected(1, 0)
}

func TestClosedByTheRequester(t *testing.T) {
	t.Parallel()
	g := invited(t, "DEMO", "plain")
	yes := true
	_, err := g.w.store.UpdateRequest(t.Context(), g.request.Requester, g.request.RequestID, storeChange(&yes))
	require.NoError(t, err)
	g.opens(g.page)
	g.sees("This request is closed")
}

func TestForgedLink(t *testing.T) {
	t.Parallel()
	g := invited(t, "DEMO", "plain")
	for _, token := range []string{"x", g.request.RequestID, g.link[strings.LastIndex(g.link, "/")+1:len(g.link)-1] + "_", g.request.RequestID + ".a.b"} {
		answer, err := g.page.Goto(g.w.server.URL + "/r/" + token)
		require.NoError(t, err)
		require.Equal(t, http.StatusNotFound, answer.Status(), token)
		g.sees("This link does not work")
		require.NotContains(t, g.says("body"), "Acme", "nothing is given away")
	}
}

func TestTooManyTries(t *testing.T) {
	t.Parallel()
	g := invited(t, "DEMO", "plain")
	var answer playwright.APIResponse
	for range 21 {
		answer = must(g.page.Request().Post(g.link+"/code", playwright.APIRequestContextPostOptions{
			Form: map[string]any{"challenge": "c-1", "code": "123456"}, MaxRedirects: playwright.Int(0)}))(t)
	}
	require.Equal(t, http.StatusTooManyRequests, answer.Status())
	require.NotEmpty(t, answer.Headers()["retry-after"])
	require.Contains(t, must(answer.Text())(t), "A little slower, please")
	g.opens(g.page)
	g.sees("Acme Solar asks") // looking is never forbidden
}

// Where no stream gets through, pages that wait load themselves again.
func TestWithoutStreams(t *testing.T) {
	t.Parallel()
	g := invited(t, "DEMO", "code")
	require.NoError(t, g.window.Route(regexp.MustCompile(`/live(\?|$)`), func(route playwright.Route) {
		if err := route.Abort(); err != nil {
			t.Errorf("holding the stream back: %v", err)
		}
	}))
	g.opens(g.page)
	g.signsIn()
	g.sees("asks for a code")
	g.types(g.phone(1))
	g.connected(1, 1)
}

// A request that Temporal has long forgotten is shown as it was stored.
func TestEndedLongAgo(t *testing.T) {
	t.Parallel()
	g := invited(t, "DEMO", "plain")
	long := workflows.Request{RequestID: "ended-long-ago", Requester: g.request.Requester, RequesterName: g.request.RequesterName, Utility: "CONED"}
	linked := time.Date(2026, time.January, 5, 9, 0, 0, 0, time.UTC)
	state := workflows.State{RequestID: long.RequestID, Requester: long.Requester, Utility: "CONED", Status: workflows.Connected, WaitingOn: workflows.Nobody,
		Since: linked.Add(time.Hour), LinkedAt: linked, Version: 5, Meters: []workflows.Meter{{ServiceAddress: "7 Harbor Street, Brooklyn"}},
		Timeline: []workflows.Moment{{Status: workflows.AwaitingLogin, At: linked}, {Status: workflows.SigningIn, At: linked}, {Status: workflows.Connected, At: linked}}}
	_, err := g.w.store.Record(t.Context(), workflows.Projection{Request: long, RunID: "run", State: state})
	require.NoError(t, err)
	g.link = g.w.server.URL + customer.Prefix + g.w.key.LinkToken(long.RequestID, linked)
	g.opens(g.page)
	g.sees("Your Consolidated Edison account is connected")
	require.Contains(t, g.says(".addresses"), "7 Harbor Street, Brooklyn")
}

// What customers type reaches neither our log nor a page.
func TestSecretsStaySecret(t *testing.T) {
	t.Parallel()
	g := invited(t, "DEMO", "code")
	g.signsIn()
	g.sees("asks for a code")
	code := g.phone(1)
	g.types(code)
	g.connected(1, 1)
	did := 0
	for _, line := range g.w.log.All() {
		text := line.Message
		for name, value := range line.ContextMap() {
			if name == "did" {
				did++
			}
			text += " " + name + "=" + strings.TrimSpace(toText(value))
		}
		require.NotContains(t, text, g.account.User)
		require.NotContains(t, text, stack.PracticePassword)
		require.NotContains(t, text, code)
	}
	require.GreaterOrEqual(t, did, 3, "consent, login and answer were noted")
}
