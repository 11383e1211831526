package imports_test

import (
	"context"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meterkey/meterkey/internal/store"
	"github.com/meterkey/meterkey/portal/imports"
)

// Rows have the same request whenever they are sent, and different rows different ones.
func TestRequestUID(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, row := range []store.ImportRow{{ImportUID: "a", Line: 1}, {ImportUID: "a", Line: 12}, {ImportUID: "a1", Line: 2}, {ImportUID: "b", Line: 1}} {
		uid := imports.RequestUID(row)
		require.Regexp(t, `^[a-z2-7]{16}$`, uid)
		require.Equal(t, uid, imports.RequestUID(row))
		require.False(t, seen[uid])
		seen[uid] = true
	}
}

// TestAnotherPortalGoesOn stops a portal in the middle of a row, for good as it seems: another one goes on by itself, and
// what the first one still does changes nothing.
func TestAnotherPortalGoesOn(t *testing.T) {
	o := newOffice(t, 50)
	require.Empty(t, o.state(o.portal(nil)))
	stuck, release := make(chan struct{}), make(chan struct{})
	var delivered int
	var first sync.WaitGroup
	first.Add(1)
	a := o.portal(func() {
		if delivered++; delivered == 27 { // in the second batch
			defer first.Done()
			close(stuck)
			<-release
		}
	})
	stop := o.run(a)
	o.start(a)
	<-stuck
	require.Equal(t, imports.Sending, o.state(a))
	stop()
	require.Equal(t, 26, o.sent())

	b := o.portal(nil)
	o.run(b)
	p := o.ended()
	require.Equal(t, imports.Progress{State: imports.Done, Counts: imports.Counts{Rows: 50, Sent: 50}}, p)
	require.Equal(t, imports.Done, o.state(b))
	close(release)
	first.Wait()
	o.asked(50)
	o.save("another-portal")
}

// TestARestartInBetween: rows that were stored, or started, before their outcome could be noted are sent once.
func TestARestartInBetween(t *testing.T) {
	o := newOffice(t, 3)
	rows, err := o.store.ImportRows(t.Context(), o.file.UID, 0, 2)
	require.NoError(t, err)
	s := o.portal(nil)
	o.start(s) // while no portal works
	for _, row := range rows {
		_, _, err := o.store.CreateRequest(t.Context(), store.Request{UID: imports.RequestUID(row), RequesterUID: o.requester.UID, CustomerEmail: row.Email})
		require.NoError(t, err)
	}
	o.run(s)
	require.Equal(t, imports.Done, o.ended().State)
	o.asked(3)
}

// TestStopInTheMiddle pauses, resumes and stops: what was left then is never sent.
func TestStopInTheMiddle(t *testing.T) {
	o := newOffice(t, 400)
	s := o.portal(nil)
	o.run(s)
	o.start(s)
	o.sends(25)
	for _, step := range []struct {
		update string
		state  imports.State
	}{{imports.UpdatePause, imports.Paused}, {imports.UpdateResume, imports.Sending}, {imports.UpdateStop, imports.Stopped}} {
		require.NoError(t, s.Update(t.Context(), o.file.UID, step.update))
		require.Equal(t, step.state, o.state(s))
	}
	p := o.ended()
	require.Equal(t, imports.Stopped, p.State)
	require.Less(t, p.Sent, 400)
	require.Equal(t, p.Sent, o.sent(), "the batch has ended before the workflow does")

	require.NoError(t, s.Update(context.WithoutCancel(t.Context()), o.file.UID, imports.UpdateResume), "too late")
	o.start(s)
	require.Equal(t, imports.Stopped, o.state(s))
	o.asked(p.Sent)
	o.save("stopped")
}

// TestAnImportThatIsGone ends, whoever deleted it.
func TestAnImportThatIsGone(t *testing.T) {
	o := newOffice(t, 1)
	s := o.portal(nil)
	o.run(s)
	require.NoError(t, s.Start(t.Context(), imports.Input{ImportUID: "gone", Requester: o.requester.UID}))
	require.ErrorContains(t, temporal.GetWorkflow(t.Context(), imports.WorkflowID("gone"), "").Get(t.Context(), nil), "the import is gone")
	o.asked(0)
}
