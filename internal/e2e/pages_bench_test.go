package e2e

import (
	"context"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meterkey/meterkey/sandbox/devenv"
)

// BenchmarkPages measures what a customer and a requester wait for at the practice site of CONED: from pressing "Sign in"
// on the portal's page to the code page being visible in the customer's browser, and from sending the code to the meters
// being in the API; and beside it a bare Playwright program that does the same steps at the site by itself.
//
//	go test ./internal/e2e -run '^$' -bench Pages -benchtime 20x
func BenchmarkPages(b *testing.B) {
	dir := b.TempDir()
	s, err := devenv.Up(b.Context(), devenv.Options{Bin: bin, Dir: dir})
	b.Cleanup(func() { require.NoError(b, s.Down(context.Background())) })
	require.NoError(b, err)
	_, err = s.StartWorker(b.Context(), "a")
	require.NoError(b, err)
	_, err = s.StartPortal(b.Context())
	require.NoError(b, err)
	access, err := s.Grant(b.Context())
	require.NoError(b, err)
	own, err := devenv.OpenBrowser()
	require.NoError(b, err)
	b.Cleanup(func() { require.NoError(b, own.Close()) })
	bare := openBare(b, s.Practice)
	var ours, theirs times
	for i := range b.N {
		c := &devenv.Customer{Environment: s, Utility: "CONED", User: fmt.Sprintf("code.pages-%d@example.com", i)}
		ours.add(throughPages(b, own, access, c))
		c.User = fmt.Sprintf("code.bare-%d@example.com", i)
		theirs.add(bare.request(b, c))
	}
	ours.report(b, "pages")
	theirs.report(b, "bare")
}

func throughPages(b *testing.B, own *devenv.Browser, access devenv.Access, c *devenv.Customer) (codePage, meters time.Duration) {
	b.Helper()
	var form struct{ UID, URL string }
	require.NoError(b, access.Call(b.Context(), http.MethodPost, "/forms", map[string]string{"utility": c.Utility}, &form))
	page, err := own.Open(form.URL)
	require.NoError(b, err)
	require.NoError(b, page.Agree())
	began := time.Now()
	require.NoError(b, page.SignIn(c.User, devenv.PracticePassword))
	require.NoError(b, page.See("#code"))
	codePage = time.Since(began)
	code, _, err := c.ReadCode(b.Context(), 0)
	require.NoError(b, err)
	began = time.Now()
	require.NoError(b, page.TypeCode(code))
	tick := time.NewTicker(25 * time.Millisecond) // a key may ask 50 times a second
	defer tick.Stop()
	for metersInAPI(b, access, form.UID) == 0 {
		<-tick.C
	}
	meters = time.Since(began)
	require.NoError(b, page.SeeHeading("is connected"))
	require.NoError(b, page.Leave())
	return codePage, meters
}

func metersInAPI(b *testing.B, access devenv.Access, form string) int {
	b.Helper()
	var answer struct {
		Authorizations []struct {
			Meters struct{ Meters []struct{ UID string } }
		}
	}
	require.NoError(b, access.Call(b.Context(), http.MethodGet, "/authorizations?include=meters&forms="+form, nil, &answer))
	require.LessOrEqual(b, len(answer.Authorizations), 1)
	if len(answer.Authorizations) == 0 {
		return 0
	}
	return len(answer.Authorizations[0].Meters.Meters)
}
