package practice_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/meterkey/meterkey/sandbox/practice"
	"github.com/stretchr/testify/require"
)

// lastCode gives the newest code on the practice phone of a DEMO account.
func lastCode(t *testing.T, srv *practice.Server, user string) string {
	t.Helper()
	inbox := inboxOf(t, srv, "DEMO", user)
	require.NotEmpty(t, inbox)
	return inbox[len(inbox)-1].Code
}

func (c *client) enters(code string) answer {
	c.Helper()
	return c.fills(demo+"/code", "code", code)
}

func TestACodeIsSentAndLetsIn(t *testing.T) {
	t.Parallel()
	srv := start(t)
	c := newClient(t, srv)
	c.signsIn("code.in@example.com", practice.Password)
	inbox := inboxOf(t, srv, "DEMO", "code.in@example.com")
	require.Len(t, inbox, 1)
	require.Equal(t, "sms", inbox[0].Method)
	require.Regexp(t, `^\(\*\*\*\) \*\*\*-\d{4}$`, inbox[0].To)
	require.Regexp(t, `^\d{6}$`, inbox[0].Code)
	require.Contains(t, inbox[0].Text, inbox[0].Code)
	require.Contains(t, c.gets(demo+"/code").body, inbox[0].To)
	require.Equal(t, "/meters", c.enters(inbox[0].Code).location)
	require.Equal(t, practice.Ledger{Logins: 1, CodesSent: 1, CodesSubmitted: 1, SignIns: 1}, ledgerOf(t, srv, "DEMO", "code.in@example.com"))
}

func TestACodeIsGoodOnce(t *testing.T) {
	t.Parallel()
	srv := start(t)
	c := newClient(t, srv)
	c.signsIn("code.once@example.com", practice.Password)
	code := lastCode(t, srv, "code.once@example.com")
	require.Equal(t, "/meters", c.enters(code).location)
	require.Equal(t, "/session-ended", c.enters(code).location)
	require.Equal(t, http.StatusOK, c.gets(demo+"/meters").status, "trying it again does not end the session")
	c.signsIn("code.once@example.com", practice.Password)
	require.NotEqual(t, "/meters", c.enters(code).location)
	require.Equal(t, 2, ledgerOf(t, srv, "DEMO", "code.once@example.com").CodesWrong)
}

func TestACodeIsBoundToItsBrowserSession(t *testing.T) {
	t.Parallel()
	srv := start(t)
	user := "code.bound@example.com"
	mine, other := newClient(t, srv), newClient(t, srv)
	mine.signsIn(user, practice.Password)
	code := lastCode(t, srv, user)
	other.signsIn(user, practice.Password)
	require.Contains(t, other.enters(code).body, "not right")
	require.Equal(t, "/session-ended", newClient(t, srv).enters(code).location, "a browser that never signed in")
	require.Equal(t, "/meters", mine.enters(code).location)
}

func TestAnExpiredCodeIsWrong(t *testing.T) {
	t.Parallel()
	srv := start(t, func(o *practice.Options) { o.CodeLifetime = time.Nanosecond })
	c := newClient(t, srv)
	c.signsIn("code.old@example.com", practice.Password)
	require.Contains(t, c.enters(lastCode(t, srv, "code.old@example.com")).body, "not right")
}

func TestThreeWrongCodesEndTheSession(t *testing.T) {
	t.Parallel()
	srv := start(t)
	c := newClient(t, srv)
	user := "code.three@example.com"
	c.signsIn(user, practice.Password)
	code := lastCode(t, srv, user)
	require.Contains(t, c.enters("x").body, "not right")
	require.Contains(t, c.enters("y").body, "not right")
	require.Equal(t, "/session-ended", c.enters("z").location)
	require.Equal(t, "/session-ended", c.enters(code).location, "the right code comes too late")
	require.Equal(t, practice.Ledger{Logins: 1, CodesSent: 1, CodesSubmitted: 4, CodesWrong: 4, SessionsEnded: 1}, ledgerOf(t, srv, "DEMO", user))
}

func TestSendingAgainVoidsTheCodeBefore(t *testing.T) {
	t.Parallel()
	srv := start(t, func(o *practice.Options) { o.ResendAfter = time.Nanosecond })
	c := newClient(t, srv)
	user := "code.again@example.com"
	c.signsIn(user, practice.Password)
	first := lastCode(t, srv, user)
	c.fills(demo + "/code/again")
	require.Contains(t, c.enters(first).body, "not right")
	require.Equal(t, "/meters", c.enters(lastCode(t, srv, user)).location)
	require.Equal(t, 2, ledgerOf(t, srv, "DEMO", user).CodesSent)
}

func TestSendingAgainHasACoolDown(t *testing.T) {
	t.Parallel()
	srv := start(t, func(o *practice.Options) { o.ResendAfter = time.Hour })
	c := newClient(t, srv)
	user := "code.cool@example.com"
	c.signsIn(user, practice.Password)
	first := lastCode(t, srv, user)
	require.Equal(t, "/code", c.fills(demo+"/code/again").location)
	require.Len(t, inboxOf(t, srv, "DEMO", user), 1)
	require.Equal(t, "/meters", c.enters(first).location)
}

func TestAChoiceSendsNothingUntilItIsMade(t *testing.T) {
	t.Parallel()
	srv := start(t)
	c := newClient(t, srv)
	user := "choice.b@example.com"
	c.signsIn(user, practice.Password)
	require.Empty(t, inboxOf(t, srv, "DEMO", user))
	require.Equal(t, "/method", c.fills(demo+"/method", "method", "pigeon").location)
	require.Equal(t, "/code", c.fills(demo+"/method", "method", "email").location)
	inbox := inboxOf(t, srv, "DEMO", user)
	require.Equal(t, "email", inbox[0].Method)
	require.Equal(t, "c*****@example.com", inbox[0].To)
	require.Equal(t, "/meters", c.enters(inbox[0].Code).location)
}

func TestASecurityQuestionIsAnswered(t *testing.T) {
	t.Parallel()
	srv := start(t)
	c := newClient(t, srv)
	user := "question.b@example.com"
	c.signsIn(user, practice.Password)
	told := inboxOf(t, srv, "DEMO", user)
	require.Equal(t, "question", told[0].Method)
	require.Contains(t, c.fills(demo+"/question", "code", "no idea").body, "not right")
	require.Equal(t, "/meters", c.fills(demo+"/question", "code", " "+told[0].Code).location)
	require.Zero(t, ledgerOf(t, srv, "DEMO", user).CodesSent, "a question is not sent")
}

func TestASessionEndsByItself(t *testing.T) {
	t.Parallel()
	srv := start(t, func(o *practice.Options) { o.EndsAfter = 50 * time.Millisecond })
	c := newClient(t, srv)
	user := "ends.b@example.com"
	c.signsIn(user, practice.Password)
	code := lastCode(t, srv, user)
	require.Eventually(t, func() bool { return ledgerOf(t, srv, "DEMO", user).SessionsEnded == 1 }, 3*time.Minute, 10*time.Millisecond,
		"also when nobody looks at the page")
	require.Equal(t, "/session-ended", c.gets(demo+"/code").location)
	require.Equal(t, "/session-ended", c.enters(code).location)
	require.Equal(t, 1, ledgerOf(t, srv, "DEMO", user).SessionsEnded)
}

func TestTurningMFAOff(t *testing.T) {
	t.Parallel()
	srv := start(t)
	c := newClient(t, srv)
	user := "code.off@example.com"
	require.Equal(t, "/code", c.signsIn(user, practice.Password).location)
	page := demo + "/practice/security"
	require.Contains(t, c.gets(page).body, "Whose settings?")
	require.Contains(t, c.gets(page+"?user="+user).body, `class="state on"`)
	require.Contains(t, c.fills(page, "user", user, "mfa", "off").body, `class="state off"`)
	require.Equal(t, "/meters", c.signsIn(user, practice.Password).location)
	require.Contains(t, c.fills(page, "user", user, "mfa", "on").body, `class="state on"`)
	require.Equal(t, "/code", c.signsIn(user, practice.Password).location)
	require.Equal(t, 1, ledgerOf(t, srv, "DEMO", user).MFATurnedOff)
}

func TestTurningMFAOnForAnAccountWithoutIt(t *testing.T) {
	t.Parallel()
	srv := start(t)
	require.Equal(t, http.StatusOK, ask(t, srv, http.MethodPost, "/mfa/DEMO/plain.on@example.com", `{"enabled": true}`, nil))
	require.Equal(t, "/code", newClient(t, srv).signsIn("plain.on@example.com", practice.Password).location)
}
