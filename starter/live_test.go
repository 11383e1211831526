package main

import (
	"bufio"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meterkey/meterkey"
	"github.com/meterkey/meterkey/sdk"
)

// newLive is a view that has seen a state.
func newLive(s meterkey.State) *live {
	l := &live{p: newPrinter(&strings.Builder{}, true)}
	l.saw(followed{state: s})
	return l
}

// press types text and returns what was to be sent last.
func (l *live) press(text string) (send sends) {
	for _, key := range text {
		send = l.key(key)
	}
	return send
}

func (l *live) text(now time.Time) string { return strings.Join(l.lines(now), "\n") }

func TestLiveShowsWhatIsAskedAndTheTimeLeft(t *testing.T) {
	t.Parallel()
	s := awaitingCode()
	s.Until = &s.Challenge.ExpiresAt
	text := newLive(s).text(nine.Add(19 * time.Second))
	require.Contains(t, text, "r-1  Demonstration Power and Light (DEMO)  for acme")
	require.Contains(t, text, "Type the code.  9:41 left")
	require.Contains(t, text, "Enter the code · sent to (***) ***-1234 · 9:41 left · 1 try left")
	require.Contains(t, text, "> Code: ▏")
	require.Contains(t, text, "Ctrl-R sends the code again")
}

func TestLiveHidesTheCodeAndSendsItOnce(t *testing.T) {
	t.Parallel()
	l := newLive(awaitingCode())
	require.Nil(t, l.press("12345"))
	require.Contains(t, l.text(nine), "Code: •••••▏")
	require.NotContains(t, l.text(nine), "12345")
	require.NotNil(t, l.press("6\r"))
	require.Contains(t, l.text(nine), "sealing and sending…")
	require.Nil(t, l.press("123456\r"), "while it is being sent nothing is typed")

	l.sent(nil)
	require.True(t, l.sending, "what was sent shows in the request's state")
	next := awaitingCode()
	next.Revision, next.Challenge.ID = 5, "c-2"
	l.saw(followed{state: next})
	require.Contains(t, l.text(nine), "Code: ▏")
}

func TestLiveKeepsWhatIsTypedWhileTheQuestionIsTheSame(t *testing.T) {
	t.Parallel()
	l := newLive(awaitingCode())
	l.press("123")
	same := awaitingCode()
	same.Revision = 9
	l.saw(followed{state: same})
	require.Contains(t, l.text(nine), "Code: •••▏")
}

func TestLiveTellsWhatWentWrong(t *testing.T) {
	t.Parallel()
	l := newLive(awaitingCode())
	l.press("123456\r")
	l.sent(errors.New("no recipient"))
	require.Contains(t, l.text(nine), "no recipient")
	require.Contains(t, l.text(nine), "Code: ▏", "it can be typed again")

	l.saw(followed{err: sdk.ErrNoWorker})
	require.Contains(t, l.text(nine), "no worker answers; the request is safe")
	require.False(t, l.ended())
	l.saw(followed{state: awaitingCode()})
	require.NotContains(t, l.text(nine), "no worker answers", "one is back, though nothing has changed")

	ignored := awaitingCode()
	ignored.Revision = 10
	ignored.Ignored = []meterkey.Ignored{{Signal: "submit-code", Why: "it is for challenge c-0", At: nine}}
	l.saw(followed{state: ignored})
	require.Contains(t, l.text(nine), "ignored submit-code: it is for challenge c-0")

	l.press("271828\r")
	l.sent(fmt.Errorf("it is kept: %w", sdk.ErrNoWorker))
	require.Contains(t, l.text(nine), "what you typed is kept for the one that comes")
	require.Nil(t, l.press("271828\r"), "it is not typed again")

	l.saw(followed{err: sdk.ErrNotFound})
	require.ErrorIs(t, l.unseen, sdk.ErrNotFound)
}

func TestLiveResendsTheCodeOnlyWhereTheSiteCan(t *testing.T) {
	t.Parallel()
	require.NotNil(t, newLive(awaitingCode()).key(keyResend))
	cannot := awaitingCode()
	cannot.Challenge.CanResend = false
	l := newLive(cannot)
	require.Nil(t, l.key(keyResend))
	require.NotContains(t, l.text(nine), "Ctrl-R")
}

func TestLiveTakesALogin(t *testing.T) {
	t.Parallel()
	l := newLive(meterkey.State{Utility: "DEMO", RequestID: "r-1", Status: meterkey.AwaitingLogin, Since: nine})
	require.Nil(t, l.press("\rpat\r"), "a field that is empty is not sent")
	require.Contains(t, l.text(nine), "  User name: pat\n> Password: ▏")
	require.Nil(t, l.press("x\x15orange\x7fe"))
	require.Contains(t, l.text(nine), "Password: ••••••▏")
	require.Nil(t, l.press("\tt"), "Tab goes back to the user name")
	require.Contains(t, l.text(nine), "> User name: patt▏")
	require.NotNil(t, l.press("\r"), "Enter sends once nothing is empty")
}

func TestLiveSendsNothingBlank(t *testing.T) {
	t.Parallel()
	l := newLive(awaitingCode())
	require.Nil(t, l.press("   \r"), "it would cost a try")
	require.False(t, l.sending)
	require.NotNil(t, l.press("271828\r"))
}

func TestLiveChecksAChoice(t *testing.T) {
	t.Parallel()
	s := awaitingCode()
	s.Status, s.Challenge.Kind = meterkey.AwaitingChoice, meterkey.MethodChoice
	s.Challenge.Options = []meterkey.Option{{ID: "sms", Label: "Text"}, {ID: "email", Label: "E-mail", Target: "p***"}}
	l := newLive(s)
	require.Contains(t, l.text(nine), "  2  E-mail p*** [email]")
	require.Nil(t, l.press("3\r"))
	require.Contains(t, l.text(nine), `there is no option "3" (1 to 2, or sms, email)`)
	require.NotNil(t, l.press("email\r"))
}

func TestLiveTakesNothingWhileTheSiteIsAtWork(t *testing.T) {
	t.Parallel()
	l := newLive(meterkey.State{RequestID: "r-1", Status: meterkey.SigningIn})
	require.Nil(t, l.press("pat\r\torange\r"))
	require.Nil(t, l.form)
	submitting := awaitingCode()
	submitting.Status = meterkey.SubmittingCode
	require.NotContains(t, newLive(submitting).text(nine), "Enter the code", "it has been answered")
	require.Contains(t, (&live{}).text(nine), "Looking at the request")
}

func TestKeysAreTextControlsAndSequences(t *testing.T) {
	t.Parallel()
	typed := bufio.NewReader(strings.NewReader("é\r\x03\x1b[A\x1b[B\x1b[Z\x1bOB\x1b[3~\x1bx\x1b"))
	var keys []rune
	for {
		key, err := readKey(typed)
		if err != nil {
			break
		}
		keys = append(keys, key)
	}
	require.Equal(t, []rune{'é', keyEnter, keyLeave, keyUp, keyDown, keyUp, keyDown, keyOther, keyOther, keyEscape}, keys)
}

func TestLiveAsksForTheUtilityWhereTheCustomerChooses(t *testing.T) {
	t.Parallel()
	l := newLive(meterkey.State{RequestID: "r-1", Requester: "acme", Status: meterkey.AwaitingLogin, Since: nine})
	require.Contains(t, l.text(nine), "a utility of the customer's choice")
	require.Contains(t, l.text(nine), "Utility: ▏")
	require.Nil(t, l.press("nowhere\ruser\rsecret\r"))
	require.Contains(t, l.note, "nowhere")
	require.NotContains(t, l.text(nine), "secret")
	require.NotNil(t, l.press("con edison\ruser\rsecret\r"))
}
