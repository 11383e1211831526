package workflows

import (
	"os"
	"regexp"
	"sort"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// everyEvent lists the events, so that a test can try each in each status.
var everyEvent = []event{eventSubmitLogin, eventSubmitCode, eventDecline, eventResend, eventCancel, eventDeadline,
	eventSignedIn, eventCodeAsked, eventChoiceAsked, eventCodeRejected, eventCodeResent, eventMFAUnsupported,
	eventSiteDown, eventSignInAgain, eventGiveUp, eventMetersRead}

// transitions is what the table must say, written out a second time by hand: from each event to the statuses it may
// happen in and where it leads.
var transitions = map[event]map[Status]Status{
	eventSubmitLogin: {AwaitingLogin: SigningIn, AwaitingMFAOff: SigningIn},
	eventSubmitCode:  {AwaitingChoice: SubmittingCode, AwaitingCode: SubmittingCode},
	eventDecline: {AwaitingLogin: Declined, SigningIn: Declined, AwaitingChoice: Declined, AwaitingCode: Declined,
		SubmittingCode: Declined, AwaitingMFAOff: Declined},
	eventResend: {AwaitingLogin: AwaitingLogin, AwaitingChoice: AwaitingChoice, AwaitingCode: AwaitingCode,
		AwaitingMFAOff: AwaitingMFAOff},
	eventCancel: {AwaitingLogin: Canceled, SigningIn: Canceled, AwaitingChoice: Canceled, AwaitingCode: Canceled,
		SubmittingCode: Canceled, AwaitingMFAOff: Canceled, FetchingMeters: Canceled},
	eventDeadline:  {AwaitingLogin: Expired, AwaitingMFAOff: Expired},
	eventSignedIn:  {SigningIn: FetchingMeters, SubmittingCode: FetchingMeters, AwaitingCode: FetchingMeters},
	eventCodeAsked: {SigningIn: AwaitingCode, SubmittingCode: AwaitingCode, FetchingMeters: AwaitingCode},
	eventChoiceAsked: {SigningIn: AwaitingChoice, SubmittingCode: AwaitingChoice, AwaitingCode: AwaitingChoice,
		FetchingMeters: AwaitingChoice},
	eventCodeRejected:   {SubmittingCode: AwaitingCode},
	eventCodeResent:     {AwaitingCode: AwaitingCode},
	eventMFAUnsupported: {SigningIn: AwaitingMFAOff},
	eventSiteDown:       {SigningIn: SigningIn},
	eventSignInAgain: {SigningIn: AwaitingLogin, AwaitingChoice: AwaitingLogin, AwaitingCode: AwaitingLogin,
		SubmittingCode: AwaitingLogin, FetchingMeters: AwaitingLogin},
	eventGiveUp:     {SigningIn: Failed, AwaitingCode: Failed, SubmittingCode: Failed, FetchingMeters: Failed},
	eventMetersRead: {FetchingMeters: Connected},
}

func TestTransitions(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	for _, e := range everyEvent {
		t.Run(string(e), func(t *testing.T) {
			t.Parallel()
			require.NotEmpty(t, transitions[e], "the table of this test lacks the event")
			for _, from := range Statuses() {
				m := newMachine(Request{RequestID: "r-1"}, at)
				m.State.Status = from
				m.Window = &Window{ExpiresAt: at.Add(time.Minute)}
				err := m.apply(e, "", at.Add(time.Second))
				to, allowed := transitions[e][from]
				if !allowed {
					require.ErrorIs(t, err, ErrInvalidTransition, "%s in %s", e, from)
					require.Equal(t, from, m.State.Status, "a refused event changes nothing")
					continue
				}
				require.NoError(t, err, "%s in %s", e, from)
				require.Equal(t, to, m.State.Status)
				require.Equal(t, at.Add(time.Second), m.State.Since)
				require.Equal(t, to.WaitingOn(), m.State.WaitingOn)
			}
		})
	}
}

func TestStatuses_TerminalOnesLeadNowhere(t *testing.T) {
	t.Parallel()
	terminal := map[Status]bool{Connected: true, Declined: true, Canceled: true, Expired: true, Failed: true}
	for _, s := range Statuses() {
		require.Equal(t, terminal[s], s.Terminal(), s)
		require.NotEmpty(t, s.row().message, s)
		require.True(t, s.Valid())
		if s.Terminal() {
			require.Equal(t, Nobody, s.WaitingOn(), s)
		}
	}
	require.False(t, Status("").Valid())
	require.False(t, Status("lost").Valid())
}

// TestDrawing compares status.mermaid with the table, edge by edge.
func TestDrawing(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("status.mermaid")
	require.NoError(t, err)
	var drawn []string
	for _, match := range regexp.MustCompile(`(?m)^\s*(\w+) --> (\w+): (\w+)$`).FindAllStringSubmatch(string(text), -1) {
		drawn = append(drawn, match[1]+" --> "+match[2]+": "+match[3])
	}
	var inTable []string
	for _, row := range statusTable {
		for _, leave := range row.leaves {
			inTable = append(inTable, string(row.status)+" --> "+string(leave.to)+": "+string(leave.on))
		}
	}
	sort.Strings(drawn)
	sort.Strings(inTable)
	require.Equal(t, inTable, drawn)
	for _, s := range Statuses() {
		if s.Terminal() {
			require.Contains(t, string(text), string(s)+" --> [*]\n")
		}
	}
}

func TestReasons_TableIsWhole(t *testing.T) {
	t.Parallel()
	reasons := []Reason{InvalidCredentials, TooManyLogins, AccountLocked, PasswordExpired, RegistrationUnfinished, Captcha,
		CodeRejected, CodeTimeout, CodeAttemptsUsed, WindowClosed, WindowLost, SessionEnded, UtilityUnavailable,
		SiteChanged, NoMeters, MFAUnsupported, Unreadable, UnknownUtility}
	require.Len(t, Reasons(), len(reasons))
	for _, r := range reasons {
		text := r.Text()
		require.Equal(t, r, text.Reason)
		require.NotEmpty(t, text.Customer, r)
		require.NotEmpty(t, text.Next, r)
		require.Contains(t, []WaitingOn{Customer, Requester, Operator, Nobody}, text.Acts, r)
		require.True(t, text.Leads.Valid(), r)
		if r != CodeRejected {
			require.NotEmpty(t, text.Requester, "only a mistyped code is not the requester's business")
		}
	}
	require.Equal(t, ReasonText{Reason: "nonsense", Acts: Nobody}, Reason("nonsense").Text())
}

func TestMachine_TimelineAndNotesAreBounded(t *testing.T) {
	t.Parallel()
	m := newMachine(Request{RequestID: "r-1"}, time.Unix(0, 0))
	for range 3 * maxTimeline {
		require.NoError(t, m.apply(eventResend, "", time.Unix(1, 0)))
		m.receive(signal{name: SignalSubmitCode}, time.Unix(2, 0))
	}
	require.Len(t, m.State.Timeline, maxTimeline)
	require.Len(t, m.State.Ignored, maxIgnored)
}

func TestMachine_ContinuedKeepsProgressAndRequest(t *testing.T) {
	t.Parallel()
	m := newMachine(Request{RequestID: "r-1", Requester: "acme", Utility: "DEMO"}, time.Unix(0, 0))
	require.NoError(t, m.apply(eventSubmitLogin, "", time.Unix(1, 0)))
	require.NoError(t, m.apply(eventMFAUnsupported, MFAUnsupported, time.Unix(2, 0)))
	m.RejectedLogins = 2
	next := m.request
	next.Continued = &m.Progress
	again := newMachine(next, time.Unix(99, 0))
	require.Equal(t, m.Progress, again.Progress)
	require.Nil(t, again.request.Continued)
	require.Equal(t, AwaitingMFAOff, again.State.Status)
}
