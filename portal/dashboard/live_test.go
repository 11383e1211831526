package dashboard

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const soon = 10 * time.Second

func TestWatchTellsEveryPageOfARequester(t *testing.T) {
	t.Parallel()
	var now, asked atomic.Int64
	w := newWatch(func(_ context.Context, requester string) (time.Time, error) {
		asked.Add(1)
		if asked.Load() == 2 {
			return time.Time{}, errors.New("the database is away for a moment")
		}
		if requester != "acme" {
			return time.Time{}, nil
		}
		return time.UnixMicro(now.Load()), nil
	})
	one, leaveOne := w.listen("acme")
	two, leaveTwo := w.listen("acme")
	other, leaveOther := w.listen("rival")
	now.Store(7)
	for _, page := range []<-chan time.Time{one, two} {
		require.Eventually(t, func() bool { return len(page) == 1 }, soon, time.Millisecond)
	}
	require.Eventually(t, func() bool { return (<-one).Equal(time.UnixMicro(7)) }, soon, time.Millisecond)
	now.Store(8)
	require.Eventually(t, func() bool { return (<-two).Equal(time.UnixMicro(8)) }, soon, time.Millisecond, "what was not read is replaced by what is newer")
	require.Empty(t, other)
	leaveOne()
	leaveTwo()
	leaveOther()
	require.Empty(t, w.watched, "nobody is asked for when nobody looks")
}

func TestNewerTellsOnce(t *testing.T) {
	t.Parallel()
	drawn := time.UnixMicro(5)
	fresh := newer(drawn)
	for at, want := range []bool{5: false, 6: true} {
		if at < 5 {
			continue
		}
		tell, err := fresh(time.UnixMicro(int64(at)))
		require.NoError(t, err)
		require.Equal(t, want, tell, at)
	}
	tell, err := fresh(time.UnixMicro(6))
	require.NoError(t, err)
	require.False(t, tell, "told already")
}
