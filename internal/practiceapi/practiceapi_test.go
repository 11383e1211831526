package practiceapi_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meterkey/meterkey/internal/practiceapi"
	"github.com/meterkey/meterkey/sandbox/practice"
)

func TestClient_AgainstThePracticeUtilities(t *testing.T) {
	t.Parallel()
	sites, err := practice.Start(t.Context(), practice.Options{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, sites.Close(context.Background())) })
	c := practiceapi.New(sites.URL() + "/")
	all, err := c.Utilities(t.Context())
	require.NoError(t, err)
	kinds := map[string][]string{}
	for _, u := range all {
		kinds[u.ID] = u.Kinds
	}
	require.Contains(t, kinds["DEMO"], "question")
	require.Equal(t, practice.Password, practiceapi.Password)

	require.NoError(t, c.TurnMFAOff(t.Context(), "DEMO", "code.a+b/c@example.com"))
	require.ErrorContains(t, c.TurnMFAOff(t.Context(), "NOWHERE", "x"), "404")
	page, err := http.NewRequestWithContext(t.Context(), http.MethodGet, c.PhoneURL("DEMO", "code.a+b@example.com"), nil)
	require.NoError(t, err)
	shown, err := (&http.Client{}).Do(page)
	require.NoError(t, err)
	require.NoError(t, shown.Body.Close())
	require.Equal(t, http.StatusOK, shown.StatusCode)
}

func TestCode_WaitsForTheNewest(t *testing.T) {
	t.Parallel()
	answers := make(chan string, 2)
	answers <- `[]`
	answers <- `[{"code": "111111"}, {"code": "222222"}]`
	phone := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(<-answers)) // whoever cannot read it fails
	}))
	t.Cleanup(phone.Close)
	code, err := practiceapi.New(phone.URL).Code(t.Context(), "DEMO", "code")
	require.NoError(t, err)
	require.Equal(t, "222222", code)
}

func TestClient_SaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	_, err := practiceapi.New("http://127.0.0.1:9").Utilities(t.Context())
	require.ErrorContains(t, err, "the practice utilities at http://127.0.0.1:9 do not answer")
	odd := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>")) }))
	t.Cleanup(odd.Close)
	_, err = practiceapi.New(odd.URL).Utilities(t.Context())
	require.ErrorContains(t, err, "reading what the practice utilities say")
	silent := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("[]")) }))
	t.Cleanup(silent.Close)
	ctx, cancel := context.WithTimeout(t.Context(), 250*time.Millisecond)
	defer cancel()
	_, err = practiceapi.New(silent.URL).Code(ctx, "DEMO", "code")
	require.ErrorIs(t, err, context.DeadlineExceeded)
}
