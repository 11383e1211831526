package workflows

import (
	"fmt"
	"os"
	"regexp"
	"sort"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meterkey/meterkey"
)

// everyEvent lists the events, so that a test can try each in each status.
var everyEvent = []event{eventSubmitLogin, eventSubmitCode, eventDecline, eventResend, eventCancel, eventDeadline,
	eventSignedIn, eventCodeAsked, eventChoiceAsked, eventCodeRejected, eventCodeResent, eventMFAUnsupported,
	eventSiteDown, eventSignInAgain, eventGiveUp, eventMetersRead}

// wanted is what the table must say, written out a second time by hand: from each event to the statuses it may
// happen in and where it leads.
var wanted = map[event]map[meterkey.Status]meterkey.Status{
	eventSubmitLogin: {meterkey.AwaitingLogin: meterkey.SigningIn, meterkey.AwaitingMFAOff: meterkey.SigningIn},
	eventSubmitCode:  {meterkey.AwaitingChoice: meterkey.SubmittingCode, meterkey.AwaitingCode: meterkey.SubmittingCode},
	eventDecline: {meterkey.AwaitingLogin: meterkey.Declined, meterkey.SigningIn: meterkey.Declined, meterkey.AwaitingChoice: meterkey.Declined, meterkey.AwaitingCode: meterkey.Declined,
		meterkey.SubmittingCode: meterkey.Declined, meterkey.AwaitingMFAOff: meterkey.Declined},
	eventResend: {meterkey.AwaitingLogin: meterkey.AwaitingLogin, meterkey.AwaitingChoice: meterkey.AwaitingChoice, meterkey.AwaitingCode: meterkey.AwaitingCode,
		meterkey.AwaitingMFAOff: meterkey.AwaitingMFAOff},
	eventCancel: {meterkey.AwaitingLogin: meterkey.Canceled, meterkey.SigningIn: meterkey.Canceled, meterkey.AwaitingChoice: meterkey.Canceled, meterkey.AwaitingCode: meterkey.Canceled,
		meterkey.SubmittingCode: meterkey.Canceled, meterkey.AwaitingMFAOff: meterkey.Canceled, meterkey.FetchingMeters: meterkey.Canceled},
	eventDeadline:  {meterkey.AwaitingLogin: meterkey.Expired, meterkey.AwaitingMFAOff: meterkey.Expired},
	eventSignedIn:  {meterkey.SigningIn: meterkey.FetchingMeters, meterkey.SubmittingCode: meterkey.FetchingMeters, meterkey.AwaitingCode: meterkey.FetchingMeters},
	eventCodeAsked: {meterkey.SigningIn: meterkey.AwaitingCode, meterkey.SubmittingCode: meterkey.AwaitingCode, meterkey.FetchingMeters: meterkey.AwaitingCode},
	eventChoiceAsked: {meterkey.SigningIn: meterkey.AwaitingChoice, meterkey.SubmittingCode: meterkey.AwaitingChoice, meterkey.AwaitingCode: meterkey.AwaitingChoice,
		meterkey.FetchingMeters: meterkey.AwaitingChoice},
	eventCodeRejected:   {meterkey.SubmittingCode: meterkey.AwaitingCode},
	eventCodeResent:     {meterkey.AwaitingCode: meterkey.AwaitingCode},
	eventMFAUnsupported: {meterkey.SigningIn: meterkey.AwaitingMFAOff},
	eventSiteDown:       {meterkey.SigningIn: meterkey.SigningIn},
	eventSignInAgain: {meterkey.SigningIn: meterkey.AwaitingLogin, meterkey.AwaitingChoice: meterkey.AwaitingLogin, meterkey.AwaitingCode: meterkey.AwaitingLogin,
		meterkey.SubmittingCode: meterkey.AwaitingLogin, meterkey.FetchingMeters: meterkey.AwaitingLogin},
	eventGiveUp:     {meterkey.SigningIn: meterkey.Failed, meterkey.AwaitingCode: meterkey.Failed, meterkey.SubmittingCode: meterkey.Failed, meterkey.FetchingMeters: meterkey.Failed},
	eventMetersRead: {meterkey.FetchingMeters: meterkey.Connected},
}

func TestTransitions(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	for _, e := range everyEvent {
		t.Run(string(e), func(t *testing.T) {
			t.Parallel()
			require.NotEmpty(t, wanted[e], "the table of this test lacks the event")
			for _, from := range meterkey.Statuses() {
				m := newMachine(meterkey.Request{RequestID: "r-1"}, nil, at)
				m.State.Status = from
				m.Window = &Window{ExpiresAt: at.Add(time.Minute)}
				to, allowed := wanted[e][from]
				if !allowed {
					require.PanicsWithError(t, fmt.Sprintf("invalid transition: %s in %s", e, from), func() { m.apply(e, "", at.Add(time.Second)) })
					require.Equal(t, from, m.State.Status, "a refused event changes nothing")
					continue
				}
				m.apply(e, "", at.Add(time.Second))
				require.Equal(t, to, m.State.Status)
				require.Equal(t, at.Add(time.Second), m.State.Since)
				require.Equal(t, to.WaitingOn(), m.State.WaitingOn)
			}
		})
	}
}

func TestStatuses_TerminalOnesLeadNowhere(t *testing.T) {
	t.Parallel()
	terminal := map[meterkey.Status]bool{meterkey.Connected: true, meterkey.Declined: true, meterkey.Canceled: true, meterkey.Expired: true, meterkey.Failed: true}
	for _, s := range meterkey.Statuses() {
		require.Equal(t, terminal[s], s.Terminal(), s)
		require.Equal(t, s.Terminal(), len(transitions[s]) == 0, s)
		require.NotEmpty(t, s.Message(), s)
		require.True(t, s.Valid())
		if s.Terminal() {
			require.Equal(t, meterkey.Nobody, s.WaitingOn(), s)
		}
	}
	require.False(t, meterkey.Status("").Valid())
	require.False(t, meterkey.Status("lost").Valid())
}

// TestDrawing compares transitions.mermaid with the table, edge by edge.
func TestDrawing(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("transitions.mermaid")
	require.NoError(t, err)
	var drawn []string
	for _, match := range regexp.MustCompile(`(?m)^\s*(\w+) --> (\w+): (\w+)$`).FindAllStringSubmatch(string(text), -1) {
		drawn = append(drawn, match[1]+" --> "+match[2]+": "+match[3])
	}
	var inTable []string
	for from, edges := range transitions {
		for _, edge := range edges {
			inTable = append(inTable, string(from)+" --> "+string(edge.to)+": "+string(edge.on))
		}
	}
	sort.Strings(drawn)
	sort.Strings(inTable)
	require.Equal(t, inTable, drawn)
	for _, s := range meterkey.Statuses() {
		if s.Terminal() {
			require.Contains(t, string(text), string(s)+" --> [*]\n")
		}
	}
}

func TestMachine_TimelineAndNotesAreBounded(t *testing.T) {
	t.Parallel()
	m := newMachine(meterkey.Request{RequestID: "r-1"}, nil, time.Unix(0, 0))
	for range 3 * maxTimeline {
		m.apply(eventResend, "", time.Unix(1, 0))
		m.receive(message{name: meterkey.SignalSubmitCode}, time.Unix(2, 0))
	}
	require.Len(t, m.State.Timeline, maxTimeline)
	require.Len(t, m.State.Ignored, maxIgnored)
}

func TestMachine_ContinuedKeepsProgressAndRequest(t *testing.T) {
	t.Parallel()
	m := newMachine(meterkey.Request{RequestID: "r-1", Requester: "acme", Utility: "DEMO"}, nil, time.Unix(0, 0))
	m.apply(eventSubmitLogin, "", time.Unix(1, 0))
	m.apply(eventMFAUnsupported, meterkey.MFAUnsupported, time.Unix(2, 0))
	m.RejectedLogins = 2
	again := newMachine(m.request, &m.Progress, time.Unix(99, 0))
	require.Equal(t, m.Progress, again.Progress)
	require.Equal(t, meterkey.AwaitingMFAOff, again.State.Status)
}
