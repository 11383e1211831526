package devenv

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meterkey/meterkey"
	"github.com/meterkey/meterkey/sandbox/practice"
)

func practiceCustomer(t *testing.T, user string) *Customer {
	t.Helper()
	site, err := practice.Start(t.Context(), practice.Options{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, site.Close(context.Background())) })
	return &Customer{Environment: &Environment{Practice: site}, ID: "r-1", Utility: "DEMO", User: user, Say: t.Logf}
}

func TestCustomer_ReadsAndChangesThePracticeSite(t *testing.T) {
	t.Parallel()
	c := practiceCustomer(t, "many-7.reads@example.com")
	var meters []meterkey.Meter
	require.NoError(t, c.Get(t.Context(), "/accounts/DEMO/"+c.User, &meters))
	require.NotEmpty(t, meters)
	require.NoError(t, c.TurnMFAOff(t.Context()))
	require.NoError(t, c.Post(t.Context(), "/outage/DEMO", map[string]any{"on": true}))

	require.ErrorContains(t, c.Get(t.Context(), "/accounts/NOWHERE/x", &meters), "/accounts/NOWHERE/x: 404 Not Found")
	require.ErrorContains(t, c.Post(t.Context(), "/outage/NOWHERE", map[string]any{"on": true}), "/outage/NOWHERE: 404 Not Found")
	require.ErrorContains(t, c.Get(t.Context(), "/", &meters), "reading ", "a page is no document")
	require.ErrorContains(t, c.Post(t.Context(), "/outage/DEMO", func() {}), "encoding")
}

func TestCustomer_WaitsForAMessageNoLongerThanTold(t *testing.T) {
	t.Parallel()
	c := practiceCustomer(t, "code.waits@example.com")
	ctx, cancel := context.WithTimeout(t.Context(), 4*PollEvery)
	defer cancel()
	_, _, err := c.ReadCode(ctx, 0)
	require.ErrorIs(t, err, context.DeadlineExceeded)
}

func TestCustomer_OfAPracticeSiteThatIsGone(t *testing.T) {
	t.Parallel()
	c := practiceCustomer(t, "plain@example.com")
	require.NoError(t, c.Environment.Practice.Close(t.Context()))
	require.ErrorContains(t, c.Get(t.Context(), "/inbox/DEMO/x", nil), "/inbox/DEMO/x")
}

func TestCustomer_ConnectedTakesTheTime(t *testing.T) {
	t.Parallel()
	said := ""
	c := &Customer{Acted: time.Now().Add(-3 * time.Second), Say: func(format string, _ ...any) { said = format }}
	_, err := c.Connected(meterkey.State{}, context.Canceled)
	require.ErrorIs(t, err, context.Canceled)
	require.Empty(t, said, "nothing is said of meters that are not there")
	_, err = c.Connected(meterkey.State{Meters: make([]meterkey.Meter, 2)}, nil)
	require.NoError(t, err)
	require.Contains(t, said, "meter list after")
	require.GreaterOrEqual(t, c.Meters, 3*time.Second)
}
