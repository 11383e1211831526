package store_test

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/meterkey/meterkey"
	"github.com/meterkey/meterkey/internal/store"
)

// oneRun is every state of a run that was signed in to twice, resent, and connected, and toldOfOneRun what it publishes.
func oneRun(id string) []meterkey.Projection {
	l := newLife(id)
	return []meterkey.Projection{
		l.projection(), l.to(meterkey.SigningIn), l.to(meterkey.AwaitingLogin, meterkey.InvalidCredentials), l.resend(),
		l.to(meterkey.SigningIn), l.to(meterkey.AwaitingCode), l.to(meterkey.SubmittingCode), l.connect(2),
	}
}

var toldOfOneRun = []store.EventType{
	store.EventAuthorizationCreated, store.EventAuthorizationUpdateStarted, store.EventAuthorizationUpdateErrored,
	store.EventAuthorizationUpdateStarted, store.EventAuthorizationUpdateDelayed, store.EventAuthorizationUpdateProgress,
	store.EventAuthorizationUpdateFinished, store.EventMeterCreated, store.EventMeterCreated,
}

// shuffled are the states, some of them twice, in an order of the source's.
func shuffled(random *rand.Rand, states []meterkey.Projection) []meterkey.Projection {
	for _, s := range states {
		if random.IntN(3) == 0 {
			states = append(states, s)
		}
	}
	random.Shuffle(len(states), func(i, j int) { states[i], states[j] = states[j], states[i] })
	return states
}

// requireOneRun checks that all of the run's events were published once, in their order, each with its delivery, and that
// the request is where the run ended.
func (w *world) requireOneRun(t *testing.T, id string, told []store.Published) {
	t.Helper()
	var all []store.Event
	for _, published := range told {
		all = append(all, published.Events...)
		require.Len(t, published.Deliveries, min(1, len(published.Events)), id)
	}
	slices.SortStableFunc(all, func(a, b store.Event) int { return a.TS.Compare(b.TS) })
	require.Equal(t, toldOfOneRun, kinds(store.Published{Events: all}), id)
	end := oneRun(id)[7].State
	stored, err := w.RequestByID(t.Context(), id)
	require.NoError(t, err)
	end.Meters = nil // the authorization has them
	require.Equal(t, end, stored.State())
	require.Equal(t, 2, stored.Meters)
	require.Equal(t, store.Updated, w.authorization(t, id).Status)
	require.Equal(t, 2, w.authorization(t, id).MeterCount)
}

// Whichever revisions never arrive, and in whatever order the others do, the newest stays and everything is told once.
func testRecordAnyRevisions(t *testing.T, w *world) {
	w.requester(t, "acme")
	w.webhook(t, true)
	random := rand.New(rand.NewPCG(3, 4))
	for missing := range 1 << 7 {
		id := fmt.Sprintf("any-%03d", missing)
		var arriving []meterkey.Projection
		for i, p := range oneRun(id) {
			if missing&(1<<i) == 0 {
				arriving = append(arriving, p)
			}
		}
		var told []store.Published
		for _, p := range shuffled(random, arriving) {
			told = append(told, record(t, w.Store, p))
		}
		w.requireOneRun(t, id, told)
	}
}

// The same goes for many workers that record at once, each in an order of its own.
func testRecordAnyRevisionsAtOnce(t *testing.T, w *world) {
	w.requester(t, "acme")
	w.webhook(t, true)
	stores := []*store.Store{w.Store, w.open(t), w.open(t)}
	var mu sync.Mutex
	told := map[string][]store.Published{}
	var group errgroup.Group
	for worker := range 9 {
		group.Go(func() error {
			random := rand.New(rand.NewPCG(5, uint64(worker))) //nolint:gosec // from 0 to 8
			var states []meterkey.Projection
			for n := range 4 {
				states = append(states, oneRun(fmt.Sprintf("at-once-%d", n))...)
			}
			for _, p := range shuffled(random, states) {
				published, err := stores[worker%len(stores)].Record(t.Context(), p)
				if err != nil {
					return err
				}
				mu.Lock()
				told[p.Request.RequestID] = append(told[p.Request.RequestID], published)
				mu.Unlock()
			}
			return nil
		})
	}
	require.NoError(t, group.Wait())
	require.Len(t, told, 4)
	for id, published := range told {
		w.requireOneRun(t, id, published)
	}
}

// An attempt of an activity may be cut off after it was recorded: the next one counts, whichever arrives first, and what
// both came to is told once.
func testRecordTwoAttempts(t *testing.T, w *world) {
	for order, name := range []string{"in-order", "reversed"} {
		l := newLife(name)
		record(t, w.Store, l.projection(), l.to(meterkey.SigningIn))
		again, other := *l, *l
		first := l.to(meterkey.AwaitingCode)
		again.at = again.at.Add(time.Second)
		again.state.Revision++
		second := again.to(meterkey.AwaitingCode)
		other.at = other.at.Add(2 * time.Second)
		other.state.Revision += 2
		third := other.to(meterkey.AwaitingLogin, meterkey.WindowLost)

		attempts := []meterkey.Projection{first, second}
		if order == 1 {
			slices.Reverse(attempts)
		}
		require.Equal(t, []store.EventType{store.EventAuthorizationUpdateDelayed}, kinds(record(t, w.Store, attempts[0])), name)
		require.Empty(t, kinds(record(t, w.Store, attempts[1])), name)
		stored, err := w.RequestByID(t.Context(), name)
		require.NoError(t, err)
		require.Equal(t, second.State.Timeline, stored.Timeline, name)

		require.Equal(t, []store.EventType{store.EventAuthorizationUpdateErrored}, kinds(record(t, w.Store, third)), name)
		require.Empty(t, record(t, w.Store, second), name)
		require.Equal(t, []store.EventType{store.EventAuthorizationUpdateStarted}, kinds(record(t, w.Store, other.to(meterkey.SigningIn))), name)
		stored, err = w.RequestByID(t.Context(), name)
		require.NoError(t, err)
		require.Equal(t, other.state.Timeline, stored.Timeline, name)
	}
}

// An operator who terminates a run has the last word on it, whatever still comes of it; a resend has the next one.
func testTerminated(t *testing.T, w *world) {
	w.requester(t, "acme")
	w.webhook(t, true)
	l := newLife("ended")
	record(t, w.Store, l.projection(), l.to(meterkey.SigningIn), l.to(meterkey.AwaitingCode))
	at := l.at.Add(1500 * time.Nanosecond)
	_, err := w.RecordTerminated(t.Context(), "none", "run-1", at)
	require.ErrorIs(t, err, store.ErrNotFound)
	published, err := w.RecordTerminated(t.Context(), "ended", "run-0", at)
	require.NoError(t, err)
	require.Empty(t, published, "of another run")

	published, err = w.RecordTerminated(t.Context(), "ended", "run-1", at)
	require.NoError(t, err)
	require.Equal(t, []store.EventType{store.EventAuthorizationUpdateErrored}, kinds(published))
	require.Len(t, published.Deliveries, 1)
	ended, err := w.RequestByID(t.Context(), "ended")
	require.NoError(t, err)
	at = l.at.Add(time.Microsecond)
	require.Equal(t, meterkey.Failed, ended.Status)
	require.Equal(t, meterkey.Terminated, ended.Reason)
	require.Equal(t, meterkey.Nobody, ended.WaitingOn)
	require.Equal(t, meterkey.Terminated.Text().Customer, ended.Message)
	require.Equal(t, at, *ended.EndedAt)
	require.Nil(t, ended.Challenge)
	require.Equal(t, l.state.LinkedAt, ended.LinkedAt, "the customer's link still leads to it")
	require.Equal(t, append(l.state.Timeline, meterkey.Moment{Status: meterkey.Failed, Reason: meterkey.Terminated, At: at}), ended.Timeline)
	require.Equal(t, []string{store.NoteRequestTerminated, store.NoteLiveInteraction}, notes(w.authorization(t, "ended")))

	require.Empty(t, record(t, w.Store, l.to(meterkey.SubmittingCode), l.connect(2)), "what came late counts no more")
	published, err = w.RecordTerminated(t.Context(), "ended", "run-1", at)
	require.NoError(t, err)
	require.Empty(t, published, "once is enough")
	unchanged, err := w.RequestByID(t.Context(), "ended")
	require.NoError(t, err)
	require.Equal(t, ended, unchanged)

	record(t, w.Store, l.revive())
	published, err = w.RecordTerminated(t.Context(), "ended", "run-1", at)
	require.NoError(t, err)
	require.Empty(t, published, "another run goes on")
	require.Equal(t, []store.EventType{store.EventAuthorizationRenewed, store.EventAuthorizationUpdateStarted},
		kinds(record(t, w.Store, l.to(meterkey.SigningIn))))
	record(t, w.Store, l.connect(1))
	_, err = w.RecordTerminated(t.Context(), "ended", "run-2", at)
	require.NoError(t, err)
	require.Equal(t, store.Updated, w.authorization(t, "ended").Status, "what is connected stays so")
}

// A request that was terminated before it was ever recorded, and one that is terminated while its states still arrive.
func testTerminatedAtAnyTime(t *testing.T, w *world) {
	w.requester(t, "acme")
	created, _, err := w.CreateRequest(t.Context(), store.Request{UID: "early", RequesterUID: "acme"})
	require.NoError(t, err)
	_, err = w.RecordTerminated(t.Context(), "early", "", created.Created)
	require.NoError(t, err)
	early, err := w.RequestByID(t.Context(), "early")
	require.NoError(t, err)
	require.Equal(t, meterkey.Terminated, early.Reason)
	require.Empty(t, early.AuthorizationUID)
	record(t, w.Store, newLife("early").projection())
	require.Equal(t, []string{"early"}, uids(w.list(t, store.RequestFilter{Statuses: []meterkey.Status{meterkey.AwaitingLogin}})), "sent after all")

	other := w.open(t)
	for round := range 20 {
		run := oneRun(fmt.Sprintf("meanwhile-%d", round))
		record(t, w.Store, run[0])
		var group errgroup.Group
		group.Go(func() error {
			for _, p := range run[1:3] {
				if _, err := other.Record(t.Context(), p); err != nil {
					return err
				}
			}
			return nil
		})
		group.Go(func() error {
			_, err := w.RecordTerminated(t.Context(), run[0].Request.RequestID, "run-1", run[0].State.Since)
			return err
		})
		require.NoError(t, group.Wait())
		ended, err := w.RequestByID(t.Context(), run[0].Request.RequestID)
		require.NoError(t, err)
		require.Equal(t, meterkey.Terminated, ended.Reason)
	}
}

// Open requests are listed whoever asked, each once, however small the pages are.
func testOpenRequests(t *testing.T, w *world) {
	w.requester(t, "zeta")
	for _, uid := range []string{"e", "D", "c", "b", "a"} {
		_, _, err := w.CreateRequest(t.Context(), store.Request{UID: uid, RequesterUID: "zeta"})
		require.NoError(t, err)
	}
	require.NoError(t, w.DeleteRequest(t.Context(), "zeta", "c"))
	expired, signingIn := newLife("b"), newLife("f")
	record(t, w.Store, expired.to(meterkey.Expired))
	record(t, w.Store, signingIn.to(meterkey.SigningIn))
	var open []string
	for after := ""; ; after = open[len(open)-1] {
		page, err := w.OpenRequests(t.Context(), after, 2)
		require.NoError(t, err)
		if len(page) == 0 {
			break
		}
		open = append(open, page...)
	}
	require.Equal(t, []string{"D", "a", "e", "f"}, open)
}

// recordShuffled records runs into a database in an order of the worker's own, as a worker does beside others.
func recordShuffled(ctx context.Context, s *store.Store, worker uint64) error {
	random := rand.New(rand.NewPCG(7, worker))
	var states []meterkey.Projection
	for n := range 10 {
		states = append(states, oneRun(fmt.Sprintf("run-%d", n))...)
	}
	for _, p := range shuffled(random, states) {
		if _, err := s.Record(ctx, p); err != nil {
			return err
		}
	}
	return nil
}

// requireShuffled checks what recordShuffled leaves.
func (w *world) requireShuffled(t *testing.T) {
	t.Helper()
	page, err := w.ListEvents(t.Context(), store.EventFilter{Requester: "acme", Limit: 1000})
	require.NoError(t, err)
	told := map[string][]store.EventType{}
	slices.SortFunc(page.Items, func(a, b store.Event) int { return cmp.Or(a.TS.Compare(b.TS), cmp.Compare(a.UID, b.UID)) })
	for _, e := range page.Items {
		told[e.FormUID] = append(told[e.FormUID], e.Type)
	}
	require.Len(t, told, 10)
	for id, types := range told {
		require.Equal(t, toldOfOneRun, types, id)
		stored, err := w.RequestByID(t.Context(), id)
		require.NoError(t, err)
		require.Equal(t, meterkey.Connected, stored.Status)
	}
}
