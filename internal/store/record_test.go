package store_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/meterkey/meterkey"
	"github.com/meterkey/meterkey/internal/store"
)

// A request that the command line started: the store learns of it, and of its requester, from the workflow.
func testRecordFromTheStart(t *testing.T, w *world) {
	l := newLife("R-1042")
	require.Empty(t, record(t, w.Store, l.projection()), "nothing to tell before the customer does something")

	request, err := w.Request(t.Context(), "acme", "R-1042")
	require.NoError(t, err)
	require.Equal(t, meterkey.AwaitingLogin, request.Status)
	require.Equal(t, l.state.Timeline, request.Timeline)
	require.Equal(t, l.state.LinkedAt, request.LinkedAt)
	require.Equal(t, l.at, request.Since)
	require.Equal(t, "it's awaiting_login", request.Message)
	require.Equal(t, "CONED", request.ChosenUtility)
	require.Equal(t, "Jane@Example.com", request.CustomerEmail)
	require.Equal(t, l.at, *request.SentAt)
	require.Nil(t, request.SignedInAt)
	require.Empty(t, request.AuthorizationUID)
	requester, err := w.Requester(t.Context(), "acme")
	require.NoError(t, err)
	require.Equal(t, "Acme Solar", requester.Name)

	published := record(t, w.Store, l.to(meterkey.SigningIn))
	require.Equal(t, []store.EventType{store.EventAuthorizationCreated, store.EventAuthorizationUpdateStarted}, kinds(published))
	created := w.authorization(t, "R-1042")
	require.Equal(t, store.Pending, created.Status)
	require.Equal(t, "R-1042", created.FormUID)
	require.Equal(t, created.UID, published.Events[0].AuthorizationUID)

	l.state.Challenge = &meterkey.Challenge{ID: "c-1", Kind: meterkey.NumberCode, Prompt: "Code?", Options: []meterkey.Option{},
		ExpiresAt: l.at.Add(time.Hour), TriesLeft: 3}
	until := l.at.Add(10 * time.Minute)
	l.state.Until = &until
	require.Equal(t, []store.EventType{store.EventAuthorizationUpdateDelayed}, kinds(record(t, w.Store, l.to(meterkey.AwaitingCode))))
	request, err = w.RequestByID(t.Context(), "R-1042")
	require.NoError(t, err)
	require.Equal(t, l.state.Challenge, request.Challenge)
	require.Equal(t, until, *request.Until)
	require.Equal(t, meterkey.Customer, request.WaitingOn)
	require.Equal(t, []string{store.NoteAccessCodeNeeded, store.NoteLiveInteraction}, notes(w.authorization(t, "R-1042")))

	l.state.Challenge, l.state.Until = nil, nil
	published = record(t, w.Store, l.to(meterkey.SubmittingCode), l.to(meterkey.FetchingMeters), l.connect(2))
	require.Equal(t, []store.EventType{store.EventAuthorizationUpdateFinished, store.EventMeterCreated, store.EventMeterCreated}, kinds(published))
	connected := w.authorization(t, "R-1042")
	require.Equal(t, store.Updated, connected.Status)
	require.Equal(t, 2, connected.MeterCount)
	require.Equal(t, created.Created, connected.Created)
	require.Equal(t, []string{store.NoteMetersFull, store.NoteAccessValid, store.NoteLiveInteraction}, notes(connected))
	request, err = w.RequestByID(t.Context(), "R-1042")
	require.NoError(t, err)
	require.Equal(t, l.at, *request.ConnectedAt)
	require.Equal(t, l.at, *request.EndedAt)
	require.Equal(t, 2, request.Meters)
	require.Nil(t, request.Challenge)
}

// A projection that skips statuses tells what happened in between all the same.
func testRecordTellsWhatWasSkipped(t *testing.T, w *world) {
	l := newLife("skips")
	l.to(meterkey.SigningIn)
	l.to(meterkey.AwaitingCode)
	require.Equal(t, []store.EventType{
		store.EventAuthorizationCreated, store.EventAuthorizationUpdateStarted, store.EventAuthorizationUpdateDelayed,
	}, kinds(record(t, w.Store, l.projection())))
	l.to(meterkey.SubmittingCode)
	l.to(meterkey.AwaitingCode, meterkey.CodeRejected)
	require.Equal(t, []store.EventType{store.EventAuthorizationUpdateProgress, store.EventAuthorizationUpdateDelayed},
		kinds(record(t, w.Store, l.to(meterkey.AwaitingLogin, meterkey.CodeTimeout)))[:2])
	signedIn, err := w.RequestByID(t.Context(), "skips")
	require.NoError(t, err)
	require.NotNil(t, signedIn.CodeAskedAt)
	require.Equal(t, signedIn.SignedInAt, signedIn.OpenedAt)
}

// wholeLife is every projection of a request that was signed in to twice, resent, connected, and revived.
func wholeLife(id string) []meterkey.Projection {
	l := newLife(id)
	return []meterkey.Projection{
		l.projection(), l.to(meterkey.SigningIn), l.to(meterkey.AwaitingLogin, meterkey.InvalidCredentials), l.resend(),
		l.to(meterkey.SigningIn), l.to(meterkey.AwaitingCode), l.to(meterkey.SubmittingCode), l.to(meterkey.FetchingMeters),
		l.connect(3), l.revive(), l.to(meterkey.SigningIn), l.to(meterkey.AwaitingCode),
	}
}

// Whatever the order in which projections come, and however often, the newest is what stays.
func testRecordInAnyOrder(t *testing.T, w *world) {
	random := rand.New(rand.NewPCG(1, 2))
	for round := range 12 {
		id := fmt.Sprintf("order-%d", round)
		all := wholeLife(id)
		newest := all[len(all)-1].State
		mixed := slices.Concat(all, all[:4], all[6:])
		random.Shuffle(len(mixed), func(i, j int) { mixed[i], mixed[j] = mixed[j], mixed[i] })
		arrived := slices.IndexFunc(mixed, func(p meterkey.Projection) bool {
			return p.State.LinkedAt.Equal(newest.LinkedAt) && p.State.Revision == newest.Revision
		})
		record(t, w.Store, mixed[:arrived+1]...)
		stored, err := w.RequestByID(t.Context(), id)
		require.NoError(t, err)
		authorization := w.authorization(t, id)
		require.Equal(t, newest.Status, stored.Status)
		require.Equal(t, newest.Timeline, stored.Timeline)
		require.Equal(t, newest.LinkedAt, stored.LinkedAt)
		require.Equal(t, newest.Revision, stored.Revision)
		require.Equal(t, newest.Since, stored.Since)
		require.Equal(t, "run-2", stored.RunID)
		require.True(t, stored.SignedIn)
		require.Nil(t, stored.EndedAt)
		require.Equal(t, "MFA code needed", authorization.StatusMessage)

		for _, late := range mixed[arrived+1:] {
			require.Empty(t, record(t, w.Store, late))
		}
		after, err := w.RequestByID(t.Context(), id)
		require.NoError(t, err)
		require.Equal(t, stored, after, "late and repeated projections change nothing")
		require.Equal(t, authorization, w.authorization(t, id))
	}
}

// Every event is told once however many workers record the same things at once, through several stores.
func testRecordByManyAtOnce(t *testing.T, w *world) {
	w.requester(t, "acme")
	other := w.open(t)
	var group errgroup.Group
	for i := range 8 {
		s := []*store.Store{w.Store, other}[i%2]
		group.Go(func() error {
			for _, id := range []string{"many-1", "many-2", "many-3"} {
				for _, p := range wholeLife(id) {
					if _, err := s.Record(t.Context(), p); err != nil {
						return fmt.Errorf("recorder %d: %w", i, err)
					}
				}
			}
			return nil
		})
	}
	require.NoError(t, group.Wait())

	events, err := w.ListEvents(t.Context(), store.EventFilter{Requester: "acme", Limit: 1000})
	require.NoError(t, err)
	counts := map[string]int{}
	for _, e := range events.Items {
		counts[e.FormUID+" "+string(e.Type)]++
	}
	for _, id := range []string{"many-1", "many-2", "many-3"} {
		for kind, want := range map[store.EventType]int{
			store.EventAuthorizationCreated: 1, store.EventAuthorizationRenewed: 1, store.EventMeterCreated: 3,
			store.EventAuthorizationUpdateStarted: 3, store.EventAuthorizationUpdateFinished: 1,
		} {
			require.Equal(t, want, counts[id+" "+string(kind)], "%s %s", id, kind)
		}
		require.Equal(t, "MFA code needed", w.authorization(t, id).StatusMessage)
	}
}

// A request that has ended and is sent again leads to the same authorization, renewed.
func testRevivedRequest(t *testing.T, w *world) {
	l := newLife("revived")
	record(t, w.Store, l.projection(), l.to(meterkey.SigningIn), l.connect(2))
	before := w.authorization(t, "revived")
	require.Empty(t, record(t, w.Store, l.revive()))
	revived, err := w.RequestByID(t.Context(), "revived")
	require.NoError(t, err)
	require.False(t, revived.SignedIn)
	require.Nil(t, revived.EndedAt)
	require.NotNil(t, revived.ConnectedAt, "a milestone stays where it was first reached")
	require.Equal(t, store.Pending, w.authorization(t, "revived").Status)

	published := record(t, w.Store, l.to(meterkey.SigningIn), l.to(meterkey.AwaitingLogin, meterkey.InvalidCredentials))
	require.Equal(t, []store.EventType{store.EventAuthorizationUpdateErrored}, kinds(published))
	require.Equal(t, []string{store.NoteAccessInvalid}, notes(w.authorization(t, "revived")))
	published = record(t, w.Store, l.to(meterkey.SigningIn))
	require.Equal(t, []store.EventType{store.EventAuthorizationUpdateStarted}, kinds(published), "renewed once, at the first login")

	published = record(t, w.Store, l.connect(3))
	require.Equal(t, []store.EventType{store.EventAuthorizationUpdateFinished, store.EventMeterCreated}, kinds(published))
	after := w.authorization(t, "revived")
	require.Equal(t, before.UID, after.UID)
	require.Equal(t, 3, after.MeterCount)
}

// A new form that names an authorization renews it.
func testReauthorization(t *testing.T, w *world) {
	l := newLife("first")
	record(t, w.Store, l.projection(), l.to(meterkey.SigningIn), l.connect(2))
	authorization := w.authorization(t, "first")
	for _, uid := range []string{"second", "third"} {
		form, published, err := w.CreateRequest(t.Context(), store.Request{UID: uid, RequesterUID: "acme", AuthorizationUID: authorization.UID})
		require.NoError(t, err)
		require.Equal(t, []store.EventType{store.EventFormCreated}, kinds(published))
		require.Equal(t, meterkey.AwaitingLogin, form.Status)
	}

	declining := newLife("second")
	published := record(t, w.Store, declining.projection(), declining.to(meterkey.Declined))
	require.Equal(t, []store.EventType{store.EventAuthorizationDeclined}, kinds(published))
	require.Equal(t, "second", published.Events[0].FormUID)
	require.Equal(t, authorization, w.authorization(t, "first"), "what was given before stays")

	renewing := newLife("third")
	record(t, w.Store, renewing.projection())
	require.Equal(t, store.Updated, w.authorization(t, "first").Status, "until the customer signs in")
	published = record(t, w.Store, renewing.to(meterkey.SigningIn))
	require.Equal(t, []store.EventType{store.EventAuthorizationRenewed, store.EventAuthorizationUpdateStarted}, kinds(published))
	renewed := w.authorization(t, "third")
	require.Equal(t, authorization.UID, renewed.UID)
	require.Equal(t, "third", renewed.FormUID)
	require.Equal(t, store.Pending, renewed.Status)
	require.Empty(t, kinds(record(t, w.Store, l.revive())), "an older form has no say any more")
	require.Equal(t, "third", w.authorization(t, "third").FormUID)
}

func testDeclined(t *testing.T, w *world) {
	l := newLife("declined")
	published := record(t, w.Store, l.projection(), l.to(meterkey.Declined))
	require.Equal(t, []store.EventType{store.EventAuthorizationDeclined}, kinds(published))
	declined := w.authorization(t, "declined")
	require.Equal(t, l.at, *declined.Declined)
	require.Equal(t, []string{store.NoteAccessDeclined}, notes(declined))

	published = record(t, w.Store, l.revive(), l.to(meterkey.SigningIn))
	require.Equal(t, []store.EventType{store.EventAuthorizationRenewed, store.EventAuthorizationUpdateStarted}, kinds(published))
	require.Nil(t, w.authorization(t, "declined").Declined)
}

func testEndsWithoutTheCustomer(t *testing.T, w *world) {
	for _, end := range []meterkey.Status{meterkey.Expired, meterkey.Canceled} {
		l := newLife(string(end))
		require.Empty(t, record(t, w.Store, l.projection(), l.to(end)))
		request, err := w.RequestByID(t.Context(), string(end))
		require.NoError(t, err)
		require.Equal(t, end, request.Status)
		require.Empty(t, request.AuthorizationUID)
	}
}

// A city's account goes through whole, and its meters keep their uids when they are read again.
func testTwentyThousandMeters(t *testing.T, w *world) {
	const count = 20000
	w.requester(t, "acme")
	_, err := w.AddWebhook(t.Context(), store.Webhook{RequesterUID: "acme", URL: "https://acme.example/hook", Enabled: true})
	require.NoError(t, err)
	l := newLife("city")
	published := record(t, w.Store, l.projection(), l.to(meterkey.SigningIn), l.connect(count))
	require.Len(t, published.Events, count+1)
	require.Len(t, published.Deliveries, 21, "a thousand events each")

	authorization := w.authorization(t, "city")
	require.Equal(t, count, authorization.MeterCount)
	meters, err := w.AllMeters(t.Context(), "acme", authorization.UID)
	require.NoError(t, err)
	require.Len(t, meters, count)
	for i, meter := range meters {
		require.Equal(t, l.state.Meters[i].MeterNumber, meter.MeterNumber)
		require.Equal(t, l.state.Meters[i].ServiceAddress, meter.ServiceAddress)
	}
	var listed []store.Meter
	filter := store.MeterFilter{Requester: "acme", Authorizations: []string{authorization.UID}, Limit: 1000}
	for more := true; more; more = filter.After != "" {
		page, err := w.ListMeters(t.Context(), filter)
		require.NoError(t, err)
		listed = append(listed, page.Items...)
		filter.After = page.Next
	}
	require.Equal(t, meters, listed, "newest first is the order of the site")

	// Read again: one meter is gone, one is new, one has another tariff, two changed places.
	again := l.revive()
	again.State = l.to(meterkey.SigningIn).State
	record(t, w.Store, again)
	l.connect(count + 1)
	list := l.state.Meters
	list[5].Tariff = "SC9"
	list[7], list[8] = list[8], list[7]
	l.state.Meters = slices.Delete(list, 3, 4)
	published = record(t, w.Store, l.projection())
	require.Equal(t, []store.EventType{store.EventAuthorizationUpdateFinished, store.EventMeterCreated}, kinds(published))
	reread, err := w.AllMeters(t.Context(), "acme", authorization.UID)
	require.NoError(t, err)
	require.Len(t, reread, count)
	require.Equal(t, meters[5].UID, reread[4].UID)
	require.Equal(t, "SC9", reread[4].Tariff)
	require.Equal(t, meters[7].UID, reread[7].UID)
	require.Equal(t, meters[8].UID, reread[6].UID)
	require.Equal(t, published.Events[1].MeterUID, reread[count-1].UID)
	_, err = w.Meter(t.Context(), "acme", meters[3].UID)
	require.ErrorIs(t, err, store.ErrNotFound)
}

// Lines that nothing tells apart are meters of their own.
func testMetersThatLookAlike(t *testing.T, w *world) {
	l := newLife("alike")
	l.state.Meters = []meterkey.Meter{{ServiceClass: "gas"}, {ServiceClass: "gas"}, {}, {}, {ServiceAddress: "12 \x00 Main"}}
	published := record(t, w.Store, l.projection(), l.to(meterkey.SigningIn), l.to(meterkey.Connected))
	require.Len(t, published.Events, 1+5)
	meters, err := w.AllMeters(t.Context(), "acme", w.authorization(t, "alike").UID)
	require.NoError(t, err)
	require.Len(t, meters, 5)
	require.Equal(t, "12  Main", meters[4].ServiceAddress)
}

// The customer chooses: the choice becomes the request's utility, and what was asked stays as it was.
func testChosenUtility(t *testing.T, w *world) {
	l := newLife("choice")
	l.request.Utility, l.state.Utility = "", ""
	record(t, w.Store, l.projection())
	l.state.Utility = "PSEG"
	record(t, w.Store, l.to(meterkey.SigningIn))
	request, err := w.RequestByID(t.Context(), "choice")
	require.NoError(t, err)
	require.Empty(t, request.Utility)
	require.Equal(t, "PSEG", request.ChosenUtility)
	require.Equal(t, "PSEG", w.authorization(t, "choice").Utility)
}

// Statuses and reasons lead to UtilityAPI's status, a note and an event.
func testStatusMap(t *testing.T, w *world) {
	for i, want := range []struct {
		status meterkey.Status
		reason meterkey.Reason
		as     store.AuthorizationStatus
		note   string
		event  store.EventType
	}{
		{meterkey.AwaitingLogin, meterkey.InvalidCredentials, store.Errored, "access_invalid", "authorization_update_finished_errored"},
		{meterkey.AwaitingLogin, meterkey.AccountLocked, store.Errored, "access_locked", "authorization_update_finished_errored"},
		{meterkey.AwaitingLogin, meterkey.RegistrationUnfinished, store.Errored, "incomplete_registration", "authorization_update_finished_errored"},
		{meterkey.AwaitingMFAOff, meterkey.MFAUnsupported, store.Errored, "access_unsupported", "authorization_update_finished_errored"},
		{meterkey.SigningIn, meterkey.UtilityUnavailable, store.Pending, "retrying", "authorization_update_retrying"},
		{meterkey.AwaitingChoice, "", store.Pending, "access_code_needed", "authorization_update_delayed"},
		{meterkey.AwaitingCode, meterkey.CodeRejected, store.Pending, "access_code_needed", "authorization_update_delayed"},
		{meterkey.Failed, meterkey.NoMeters, store.Errored, "meters_empty", "authorization_update_finished_errored"},
		{meterkey.Canceled, "", store.Errored, "request_canceled", "authorization_update_finished_errored"},
	} {
		l := newLife(fmt.Sprintf("mapped-%d", i))
		published := record(t, w.Store, l.projection(), l.to(meterkey.SigningIn), l.to(want.status, want.reason))
		require.Equal(t, []store.EventType{want.event}, kinds(published), want)
		got := w.authorization(t, l.request.RequestID)
		require.Equal(t, want.as, got.Status, want)
		require.Equal(t, want.note, got.Notes[0].Type, want)
		require.Equal(t, l.at, got.Notes[0].TS)
		require.Equal(t, l.at, got.StatusTS)
		require.Equal(t, want.note == "retrying", got.Notes[0].ETA != nil)
	}
}

// Whatever a site or a customer wrote is kept as it is and breaks nothing.
func testRecordOddTexts(t *testing.T, w *world) {
	odd := "'; DROP TABLE requests; -- \\' ? ?0 $1 \x00\xff ☀️ \u2028" + strings.Repeat("é", 5000)
	l := newLife("odd")
	l.request.CustomerEmail = odd
	l.state.Challenge = &meterkey.Challenge{ID: "c", Prompt: odd, Options: []meterkey.Option{}}
	l.state.Meters = []meterkey.Meter{{MeterNumber: odd}}
	_, err := w.Record(t.Context(), l.to(meterkey.AwaitingCode))
	require.NoError(t, err)
	request, err := w.RequestByID(t.Context(), "odd")
	require.NoError(t, err)
	require.Contains(t, request.Challenge.Prompt, "'; DROP TABLE requests; -- \\' ? ?0 $1 ")
	require.Contains(t, request.Challenge.Prompt, "☀️ \u2028éé")
	require.Contains(t, request.CustomerEmail, "'; DROP TABLE requests; -- \\' ? ?0 $1 ")
}
