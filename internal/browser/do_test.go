package browser

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestDo(t *testing.T) {
	require.NoError(t, Do(t.Context(), func() error { return nil }))
	wrong := errors.New("wrong")
	require.ErrorIs(t, Do(t.Context(), func() error { return wrong }), wrong)
	require.ErrorContains(t, Do(t.Context(), func() error { panic("at the disco") }), "at the disco")
}

func TestDoAbandonsWhatDoesNotReturn(t *testing.T) {
	never := make(chan struct{})
	defer close(never)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err := Do(ctx, func() error { <-never; return nil })
	require.ErrorIs(t, err, context.Canceled)
}

func TestLateValuesAreDiscarded(t *testing.T) {
	finish, discarded := make(chan struct{}), make(chan int)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := await(ctx, func() (int, error) { <-finish; return 7, nil }, func(n int) { discarded <- n })
	require.ErrorIs(t, err, context.Canceled)
	close(finish)
	require.Equal(t, 7, <-discarded)
}
