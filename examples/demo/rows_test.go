package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meterkey/meterkey"
	"github.com/meterkey/meterkey/sandbox/devenv"
	"github.com/meterkey/meterkey/sandbox/practice"
	"github.com/meterkey/meterkey/utilities"
)

func allRoutes() []route { return routes(&visitor{}) }

func TestRoutesLeadToEveryUtility(t *testing.T) {
	t.Parallel()
	known, err := utilities.Load("")
	require.NoError(t, err)
	visited, names, files := map[string]int{}, map[string]bool{}, map[string]bool{}
	for _, r := range allRoutes() {
		visited[r.utility]++
		require.False(t, names[r.name], r.name)
		require.False(t, files[fileName(r.name)], "%s: two histories in one file", r.name)
		names[r.name], files[fileName(r.name)] = true, true
		require.NotNil(t, r.play, r.name)
		require.Positive(t, r.logins, r.name)
	}
	for _, u := range known.All() {
		require.Positive(t, visited[u.ID], u.ID)
		if u.MFA.Policy == utilities.TurnOff {
			require.True(t, names[u.ID+", MFA turned off and back"], u.ID)
		}
	}
	require.GreaterOrEqual(t, visited["CONED"], 2, "number code and security answer")
}

// TestReadmeShowsRoutesThatThereAre holds the README's table against the routes.
func TestReadmeShowsRoutesThatThereAre(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile(filepath.Join("..", "..", "README.md"))
	require.NoError(t, err)
	known := map[string]bool{}
	for _, r := range allRoutes() {
		known[r.name] = true
	}
	shown := regexp.MustCompile(`(?m)^    (\S.*?) {2,}\S.* connected$`).FindAllStringSubmatch(string(readme), -1)
	require.NotEmpty(t, shown)
	for _, line := range shown {
		require.True(t, known[line[1]], line[1])
	}
}

func TestChosenRowsHaveIDsOfTheirOwn(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 23, 9, 5, 7, 0, time.UTC)
	rows := chosen(allRoutes(), "", at)
	require.Len(t, rows, len(allRoutes()))
	ids := map[string]bool{}
	for _, r := range rows {
		ids[r.id] = true
		require.NoError(t, meterkey.Request{RequestID: r.id, Requester: "acme", Utility: r.utility}.Validate())
	}
	require.Len(t, ids, len(rows))
	some := chosen(allRoutes(), "HECO", at)
	require.Len(t, some, 1)
	require.Equal(t, "HECO, MFA turned off and back", some[0].name)
	require.Regexp(t, `^demo-090507-\d\d$`, some[0].id)
	require.Empty(t, chosen(allRoutes(), "Heco", at))
}

func TestPlayRunsSoManySideBySideAndTheDisturbingOnesAlone(t *testing.T) {
	t.Parallel()
	rows := make([]row, 9)
	rows[2].alone, rows[5].alone = true, true
	for i := range rows {
		rows[i].found = i
	}
	var mu sync.Mutex
	var order []int
	var running, most atomic.Int32
	play(rows, 3, func(r *row) {
		now := running.Add(1)
		defer running.Add(-1)
		if r.alone {
			require.EqualValues(t, 1, now)
		}
		for old := most.Load(); now > old && !most.CompareAndSwap(old, now); old = most.Load() {
		}
		mu.Lock()
		order = append(order, r.found)
		mu.Unlock()
	})
	require.LessOrEqual(t, most.Load(), int32(3))
	require.Equal(t, []int{2, 5}, order[len(order)-2:], "after all others, one by one")
	slices.Sort(order)
	require.Equal(t, []int{0, 1, 2, 3, 4, 5, 6, 7, 8}, order, "each once")
}

func TestTable(t *testing.T) {
	t.Parallel()
	rows := []row{
		{route: route{name: "CONED, number code"}, codePage: 1949 * time.Millisecond, meters: 51 * time.Millisecond, found: 2, notices: 4},
		{route: route{name: "ACE, MFA"}, meters: 12*time.Second + 340*time.Millisecond, found: 12, notices: 5, err: errUnexpected},
	}
	var out bytes.Buffer
	table(&out, rows)
	require.Equal(t, `ROUTE                TO CODE PAGE   TO METERS   METERS   NOTICES   OUTCOME
CONED, number code   1.9 s          0.1 s       2        4         connected
ACE, MFA             –              12.3 s      12       5         NOT AS EXPECTED

TO CODE PAGE: from submitting the login. TO METERS: from the customer's last act (the code, or the login where no code is asked).
`, out.String())
}

func TestUnexpectedNamesEveryRowThatDiffers(t *testing.T) {
	t.Parallel()
	fine := row{route: route{name: "fine"}}
	require.NoError(t, unexpected([]row{fine, fine}))
	err := unexpected([]row{{route: route{name: "first"}, err: errUnexpected}, fine, {route: route{name: "third"}, err: context.DeadlineExceeded}})
	require.EqualError(t, err, "first: not as expected\nthird: context deadline exceeded")
	require.ErrorIs(t, err, errUnexpected)
}

func TestCountNoticesCountsOneRequestsAlone(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, name := range []string{"demo-1.abc.1.eml", "demo-1.abc.2.eml", "demo-10.abc.1.eml", "other.eml"} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), nil, 0o600))
	}
	require.Equal(t, 2, countNotices(dir, "demo-1"))
	require.Equal(t, 1, countNotices(dir, "demo-10"))
	require.Zero(t, countNotices(filepath.Join(dir, "nowhere"), "demo-1"))
}

func TestBecauseWantsTheReason(t *testing.T) {
	t.Parallel()
	s := meterkey.State{Status: meterkey.AwaitingLogin, Reason: meterkey.WindowLost}
	require.NoError(t, because(s, nil, meterkey.WindowLost))
	err := because(s, nil, meterkey.WindowClosed)
	require.ErrorIs(t, err, errUnexpected)
	require.ErrorContains(t, err, `it stands at awaiting_login for "window_lost", not for "window_closed"`)
	lost := errors.New("lost")
	require.Equal(t, lost, because(s, lost, meterkey.WindowClosed), "what went wrong first is told")
}

func TestAWrongCodeIsWrongAndLooksLikeOne(t *testing.T) {
	t.Parallel()
	for _, code := range []string{"000000", "123459", "999999", "7"} {
		wrong := anotherThan(code)
		require.NotEqual(t, code, wrong)
		require.Regexp(t, `^\d+$`, wrong)
		require.Len(t, wrong, len(code))
	}
}

func TestHistoriesAreKeptUnderTheirRoutesNames(t *testing.T) {
	t.Parallel()
	require.Equal(t, "pseg-choice-of-method-number-code.json.gz", fileName("PSEG, choice of method, number code"))
	require.Equal(t, "a-b.json.gz", fileName("  A / b! "))
	stored := map[string]bool{}
	for _, r := range allRoutes() {
		stored[fileName(r.name)] = true
	}
	files, err := devenv.StoredHistories(filepath.Join("..", "..", "workflows", "testdata", "histories"))
	require.NoError(t, err)
	newest := filepath.Dir(files[len(files)-1])
	for _, file := range files {
		if filepath.Dir(file) == newest {
			require.True(t, stored[filepath.Base(file)], "%s is no route's any more", file)
		}
	}
}

func TestReporterNamesTheRoute(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	r := &reporter{out: &out, began: time.Now().Add(-90 * time.Second)}
	r.line("CONED, number code", "signs in")
	require.Regexp(t, `^  90\.\d s  CONED, number code {22}signs in\n$`, out.String())
}

// TestCompareHoldsARowAgainstThePracticeSite uses the practice utilities themselves: what they know decides.
func TestCompareHoldsARowAgainstThePracticeSite(t *testing.T) {
	t.Parallel()
	site, err := practice.Start(t.Context(), practice.Options{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, site.Close(context.Background())) })
	c := &devenv.Customer{Environment: &devenv.Environment{Practice: site}, Utility: "DEMO", User: "plain.compare@example.com"}
	var known []meterkey.Meter
	require.NoError(t, c.Get(t.Context(), "/accounts/DEMO/"+c.User, &known))
	require.NotEmpty(t, known)
	asRead := func() meterkey.State {
		var copied []meterkey.Meter
		raw, err := json.Marshal(known)
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal(raw, &copied))
		return meterkey.State{Meters: copied}
	}
	r := &row{route: route{name: "DEMO"}}
	require.NoError(t, r.compare(t.Context(), c, asRead()))

	wrong := asRead()
	wrong.Meters[0].MeterNumber += "0"
	require.ErrorContains(t, r.compare(t.Context(), c, wrong), "the meters differ from the practice site's")
	missing := asRead()
	missing.Meters = missing.Meters[1:]
	require.ErrorIs(t, r.compare(t.Context(), c, missing), errUnexpected)
	r.logins = 1
	require.ErrorContains(t, r.compare(t.Context(), c, asRead()), "the practice site counted 0 logins and 0 codes, not 1 and 0")
	r.logins, r.codes = 0, 2
	require.ErrorIs(t, r.compare(t.Context(), c, asRead()), errUnexpected)
	c.Utility = "NOWHERE"
	require.ErrorContains(t, r.compare(t.Context(), c, asRead()), "/accounts/NOWHERE/")
}

func TestARowThatWentWrongIsNotWaitedFor(t *testing.T) {
	t.Parallel()
	r := &row{err: errUnexpected}
	r.finish(t.Context(), nil)
	require.Equal(t, errUnexpected, r.err)
	require.Equal(t, "NOT AS EXPECTED", r.outcome())
	require.Equal(t, "connected", (&row{}).outcome())
}

func TestNoDirectoryNoHistories(t *testing.T) {
	t.Parallel()
	require.NoError(t, store(t.Context(), nil, "", []row{{}}))
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	require.ErrorContains(t, store(t.Context(), nil, file, nil), "making a folder of histories")
	require.True(t, strings.HasSuffix(fileName("x"), ".json.gz"))
}
