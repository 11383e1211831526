package browser

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestBroadcastWakesAll(t *testing.T) {
	b := newBroadcast()
	one, other := b.next(), b.next()
	b.fire()
	<-one
	<-other
	looks := 0
	err := b.until(t.Context(), func() (bool, error) {
		if looks++; looks == 1 {
			b.fire()
		}
		return looks == 2, nil
	})
	require.NoError(t, err)
	wrong := errors.New("wrong")
	require.ErrorIs(t, b.until(t.Context(), func() (bool, error) { return false, wrong }), wrong)
}
