package workflows

import (
	"encoding/base64"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meterkey/meterkey"
)

// sealedAs is a text that looks sealed from outside, as far as a workflow can see.
func sealedAs(text string) meterkey.Sealed {
	return meterkey.Sealed(base64.StdEncoding.EncodeToString([]byte("age-encryption.org/v1\n" + text)))
}

// TestDecide_TwoAtOnce pairs what may arrive within one workflow task while a code is awaited.
func TestDecide_TwoAtOnce(t *testing.T) {
	t.Parallel()
	arrivals := []struct {
		name   string
		put    func(*inbox)
		event  event
		reason meterkey.Reason
	}{ // in the order in which they count
		{"cancel", func(in *inbox) { in.canceled = true }, eventCancel, ""},
		{"decline", func(in *inbox) { in.declined = true }, eventDecline, ""},
		{"window lost", func(in *inbox) { in.windowEnded = meterkey.WindowLost }, eventSignInAgain, meterkey.WindowLost},
		{"code", func(in *inbox) { in.answer = answer{challengeID: "c-1", code: sealedAs("1")} }, eventSubmitCode, ""},
		{"leave", func(in *inbox) { in.left = true }, eventSignInAgain, meterkey.WindowClosed},
		{"deadline", func(in *inbox) { in.windowEnded = meterkey.CodeTimeout }, eventSignInAgain, meterkey.CodeTimeout},
		{"resend code", func(in *inbox) { in.resendCode = true }, eventCodeResent, ""},
		{"resend", func(in *inbox) { in.resend = true }, eventResend, ""},
	}
	for i, first := range arrivals {
		for _, second := range arrivals[i:] {
			t.Run(first.name+" and "+second.name, func(t *testing.T) {
				t.Parallel()
				var in inbox
				second.put(&in)
				first.put(&in) // a window that is lost is lost, whether or not its time was over
				e, reason := decide(meterkey.AwaitingCode, in)
				require.Equal(t, first.event, e)
				require.Equal(t, first.reason, reason)
			})
		}
	}
}

func TestDecide_AwaitingLogin(t *testing.T) {
	t.Parallel()
	for _, s := range []meterkey.Status{meterkey.AwaitingLogin, meterkey.AwaitingMFAOff} {
		for _, c := range []struct {
			in   inbox
			want event
		}{
			{inbox{}, ""},
			{inbox{canceled: true, declined: true, login: "x"}, eventCancel},
			{inbox{declined: true, login: "x"}, eventDecline},
			{inbox{login: "x", deadline: true, resend: true}, eventSubmitLogin},
			{inbox{deadline: true, resend: true}, eventDeadline},
			{inbox{resend: true}, eventResend},
			{inbox{answer: answer{challengeID: "c-1"}, left: true, windowEnded: meterkey.WindowLost, resendCode: true}, ""},
		} {
			e, reason := decide(s, c.in)
			require.Equal(t, c.want, e, "%+v", c.in)
			require.Empty(t, reason)
		}
	}
	for _, s := range []meterkey.Status{meterkey.SigningIn, meterkey.SubmittingCode, meterkey.FetchingMeters} {
		e, _ := decide(s, inbox{login: "x", answer: answer{challengeID: "c-1"}, left: true, resend: true, deadline: true})
		require.Empty(t, e, "%s is the site's turn", s)
	}
	for _, s := range meterkey.Statuses() {
		e, _ := decide(s, inbox{canceled: true})
		if s.Terminal() {
			require.Empty(t, e, s)
		} else {
			require.Equal(t, eventCancel, e, s)
		}
	}
}

func TestReceive_SaysWhyASignalChangesNothing(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		at   meterkey.Status
		sent message
		why  string
	}{
		"unreadable":             {meterkey.AwaitingLogin, message{name: meterkey.SignalSubmitLogin, unreadable: errors.New("no JSON")}, "cannot be read"},
		"login while busy":       {meterkey.SigningIn, message{name: meterkey.SignalSubmitLogin, login: meterkey.SubmitLogin{Credentials: sealedAs("x")}}, "no login is awaited while the request is signing_in"},
		"login not sealed":       {meterkey.AwaitingLogin, message{name: meterkey.SignalSubmitLogin, login: meterkey.SubmitLogin{Credentials: "aGVsbG8="}}, "not a binary age file"},
		"login not base64":       {meterkey.AwaitingLogin, message{name: meterkey.SignalSubmitLogin, login: meterkey.SubmitLogin{Credentials: "%"}}, "not base64"},
		"login empty":            {meterkey.AwaitingLogin, message{name: meterkey.SignalSubmitLogin}, "nothing sealed"},
		"code nobody asked for":  {meterkey.AwaitingLogin, message{name: meterkey.SignalSubmitCode, code: meterkey.SubmitCode{ChallengeID: "c-1", Code: sealedAs("x")}}, "no code is awaited"},
		"second code":            {meterkey.SubmittingCode, message{name: meterkey.SignalSubmitCode, code: meterkey.SubmitCode{ChallengeID: "c-1", Code: sealedAs("x")}}, "being submitted already"},
		"code for an old one":    {meterkey.AwaitingCode, message{name: meterkey.SignalSubmitCode, code: meterkey.SubmitCode{ChallengeID: "c-0", Code: sealedAs("x")}}, "not for c-1"},
		"code not sealed":        {meterkey.AwaitingCode, message{name: meterkey.SignalSubmitCode, code: meterkey.SubmitCode{ChallengeID: "c-1", Code: "123456"}}, "not"},
		"again for an old one":   {meterkey.AwaitingCode, message{name: meterkey.SignalResendCode, resendCode: meterkey.ResendCode{ChallengeID: "c-0"}}, "not for c-1"},
		"again where not had":    {meterkey.AwaitingCode, message{name: meterkey.SignalResendCode, resendCode: meterkey.ResendCode{ChallengeID: "c-1"}}, "does not offer"},
		"leaving nothing":        {meterkey.AwaitingLogin, message{name: meterkey.SignalLeave}, "no window to leave"},
		"declining what is done": {meterkey.Connected, message{name: meterkey.SignalDecline}, "connected"},
		"declining too late":     {meterkey.FetchingMeters, message{name: meterkey.SignalDecline}, "fetching_meters"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := awaiting(c.at, 3)
			before := m.inbox
			m.receive(c.sent, time.Unix(7, 0))
			require.Len(t, m.State.Ignored, 1)
			require.Contains(t, m.State.Ignored[0].Why, c.why)
			require.Equal(t, c.sent.name, m.State.Ignored[0].Signal)
			require.Equal(t, before, m.inbox, "it must change nothing")
			require.Equal(t, c.at, m.State.Status)
		})
	}
}

// awaiting is a machine that stands at a status, with challenge c-1 asked.
func awaiting(s meterkey.Status, tries int) *machine {
	m := newMachine(meterkey.Request{RequestID: "r-1"}, nil, time.Unix(0, 0))
	m.Window = &Window{Host: "h", ID: "w", ExpiresAt: time.Unix(600, 0)}
	m.ask(meterkey.Challenge{Kind: meterkey.NumberCode, Prompt: "code?"}, tries)
	challenge := m.State.Challenge
	m.enter(s, "", time.Unix(1, 0))
	m.State.Challenge = challenge
	return m
}

// The exploration below takes every order of these ten, each either acted on at once or together with what follows it
// in one workflow task, with the site answering at every possible moment. Codes carry their own text, so that what is
// typed can be told apart.
type arrival int

const (
	challengeShown arrival = iota
	rightCode
	wrongCode
	duplicateCode // the right code once more, for the same challenge
	staleCode     // for a challenge that is over
	deadlinePassed
	customerLeaves
	windowGone
	resent
	canceledByRequester
	arrivals
)

// explored is one situation: the machine, what is still to arrive, what the site is busy with, and what was typed.
type explored struct {
	m         machine
	remaining uint16
	typing    meterkey.Sealed // being typed at the site
	typed     string          // all that was typed, in order
	answered  string          // the challenge that the right code was sent for
	passed    bool            // the deadline
	tries     int
}

// key is all that the future depends on.
func (x explored) key() string {
	c := "-"
	if x.m.State.Challenge != nil {
		c = x.m.State.Challenge.ID + strings.Repeat("t", x.m.State.Challenge.TriesLeft)
	}
	in := x.m.inbox
	flags := ""
	for _, f := range []bool{x.passed, in.canceled, in.declined, in.resendCode, in.left, in.resend, in.deadline} {
		flags += map[bool]string{true: "1", false: "0"}[f]
	}
	return strings.Join([]string{string(x.m.State.Status), string(x.m.State.Reason), c, flags, in.answer.challengeID, string(in.answer.code), string(in.login),
		string(in.windowEnded), string(x.typing), x.typed, x.answered, string(rune(x.remaining))}, "|")
}

func TestDecide_EveryOrder(t *testing.T) {
	t.Parallel()
	const all = 1<<arrivals - 1
	ends := exploreAll(t, all, 2)
	require.Equal(t, []string{"canceled"}, ends, "a cancel ends every order")
	ends = exploreAll(t, all&^(1<<canceledByRequester), 2)
	require.Equal(t, []string{"awaiting_login code_timeout", "awaiting_login window_closed", "awaiting_login window_lost",
		"fetching_meters"}, ends)
	ends = exploreAll(t, all&^(1<<canceledByRequester), 1)
	require.Equal(t, []string{"awaiting_login code_attempts_used", "awaiting_login code_timeout",
		"awaiting_login window_closed", "awaiting_login window_lost", "fetching_meters"}, ends, "with a single try")
}

// exploreAll takes every order of these arrivals and returns how they may end.
func exploreAll(t *testing.T, arriving uint16, tries int) []string {
	t.Helper()
	start := newMachine(meterkey.Request{RequestID: "r-1"}, nil, time.Unix(0, 0))
	start.apply(eventSubmitLogin, "", time.Unix(1, 0))
	seen, ends := map[string]bool{}, map[string]bool{}
	var explore func(explored)
	explore = func(x explored) {
		if seen[x.key()] {
			return
		}
		seen[x.key()] = true
		checkSituation(t, x)
		next := x.next(t)
		if len(next) == 0 {
			require.NotEqual(t, meterkey.SubmittingCode, x.m.State.Status, "nobody is left waiting for an answer")
			require.Zero(t, x.remaining&^(1<<challengeShown), "all but a challenge that no longer comes has arrived")
			ends[strings.TrimSpace(string(x.m.State.Status)+" "+string(x.m.State.Reason))] = true
		}
		for _, y := range next {
			explore(y)
		}
	}
	explore(explored{m: *start, remaining: arriving, tries: tries})
	t.Logf("%d situations", len(seen))
	return slices.Sorted(maps.Keys(ends))
}

// next lists what may happen next.
func (x explored) next(t *testing.T) []explored {
	t.Helper()
	var all []explored
	for a := range arrivals {
		if x.remaining&(1<<a) == 0 || a == challengeShown && x.m.State.Status != meterkey.SigningIn {
			continue
		}
		y := x.clone()
		y.remaining &^= 1 << a
		y.arrive(t, a)
		all = append(all, y)
	}
	if y := x.clone(); y.act(t) {
		all = append(all, y)
	}
	return all
}

// clone copies what arrivals and acts change.
func (x explored) clone() explored {
	if x.m.State.Challenge != nil {
		c := *x.m.State.Challenge
		x.m.State.Challenge = &c
	}
	x.m.State.Timeline, x.m.State.Ignored = nil, nil
	return x
}

func (x *explored) arrive(t *testing.T, a arrival) {
	t.Helper()
	current := "c-1"
	if x.m.State.Challenge != nil {
		current = x.m.State.Challenge.ID
	}
	code := func(id, text string) {
		x.m.receive(message{name: meterkey.SignalSubmitCode, code: meterkey.SubmitCode{ChallengeID: id, Code: sealedAs(text)}}, time.Unix(9, 0))
	}
	switch a {
	case challengeShown:
		x.siteSays(t, PageResult{Outcome: OutcomeChallenge, Window: &Window{ID: "w", ExpiresAt: time.Unix(600, 0)},
			Challenge: &meterkey.Challenge{Kind: meterkey.NumberCode, TriesLeft: x.tries}})
	case rightCode:
		x.answered = current
		code(current, "right")
	case wrongCode:
		code(current, "wrong")
	case duplicateCode:
		if x.answered != "" {
			code(x.answered, "right again")
		}
	case staleCode:
		code("c-0", "stale")
	case deadlinePassed:
		x.passed = true
	case customerLeaves:
		x.m.receive(message{name: meterkey.SignalLeave}, time.Unix(9, 0))
	case windowGone:
		if hasWindow(x.m.State.Status) {
			x.m.inbox.windowEnded = meterkey.WindowLost
		}
	case resent:
		x.m.receive(message{name: meterkey.SignalResend}, time.Unix(9, 0))
	case canceledByRequester:
		x.m.inbox.canceled = true
	}
}

// act lets the workflow do what it would, or the site answer; false when both have nothing to do.
func (x *explored) act(t *testing.T) bool {
	t.Helper()
	if x.typing != "" {
		code := x.typing
		x.typing = ""
		switch {
		case x.m.inbox.canceled: // an activity that is canceled answers so
			x.move(t, eventCancel, "")
		case code == sealedAs("wrong"):
			x.siteSays(t, PageResult{Outcome: OutcomeCodeRejected})
		default:
			x.siteSays(t, PageResult{Outcome: OutcomeSignedIn})
		}
		return true
	}
	if x.passed && x.m.State.Status.AsksCustomer() && x.m.inbox.windowEnded == "" {
		x.m.inbox.windowEnded = meterkey.CodeTimeout
	}
	e, reason := decide(x.m.State.Status, x.m.inbox)
	if e == "" {
		return false
	}
	x.move(t, e, reason)
	return true
}

func (x *explored) siteSays(t *testing.T, f PageResult) {
	t.Helper()
	e, _ := x.m.conclude(f, time.Unix(10, 0))
	x.m.taken(e)
	x.moved(t)
}

func (x *explored) move(t *testing.T, e event, reason meterkey.Reason) {
	t.Helper()
	if e == eventSubmitCode {
		before := x.m.State.Challenge.TriesLeft
		defer func() {
			require.Equal(t, before-1, x.m.State.Challenge.TriesLeft, "the try is counted before the code is looked at")
		}()
	}
	x.m.act(e, reason, time.Unix(11, 0))
	x.moved(t)
}

func (x *explored) moved(t *testing.T) {
	t.Helper()
	if !hasWindow(x.m.State.Status) {
		x.m.Window = nil
	}
	if x.m.State.Status != meterkey.SubmittingCode {
		return
	}
	require.Contains(t, []meterkey.Reason{"", meterkey.CodeTimeout}, x.m.inbox.windowEnded, "a code must not be typed into a window that is known to be gone")
	require.False(t, x.m.inbox.canceled, "nothing may be typed after a cancel")
	x.typing = x.m.answer.code
	require.GreaterOrEqual(t, x.m.State.Challenge.TriesLeft, 0)
	raw, err := base64.StdEncoding.DecodeString(string(x.typing))
	require.NoError(t, err)
	x.typed += strings.TrimPrefix(string(raw), "age-encryption.org/v1\n") + ","
}

func checkSituation(t *testing.T, x explored) {
	t.Helper()
	require.NotContains(t, x.typed, "stale")
	require.LessOrEqual(t, strings.Count(x.typed, "right,"), 1, "typed: %s", x.typed)
	require.LessOrEqual(t, strings.Count(x.typed, "wrong,"), 1)
	require.Equal(t, x.m.State.Status.WaitingOn(), x.m.State.WaitingOn)
	if x.m.State.Status.AsksCustomer() {
		require.NotNil(t, x.m.State.Challenge)
		require.Positive(t, x.m.State.Challenge.TriesLeft, "asking with no try left")
	}
	if x.m.State.Status == meterkey.AwaitingLogin {
		require.NotEmpty(t, x.m.State.Reason, "every return to signing in has a reason")
		require.Nil(t, x.m.State.Challenge)
	}
	if strings.HasSuffix(x.typed, "right,") && x.typing == "" {
		require.Contains(t, []meterkey.Status{meterkey.FetchingMeters, meterkey.Canceled}, x.m.State.Status, "a right code leads on")
	}
}
