package practice

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestKindOfAUserName(t *testing.T) {
	t.Parallel()
	for user, want := range map[string]struct {
		kind  Kind
		count int
	}{
		"plain@example.com": {Plain, 1}, "code.abc@example.com": {Code, 1}, "code+abc@example.com": {Code, 1}, "QUESTION": {Question, 1},
		"many": {Many, 23}, "many-57@example.com": {Many, 57}, "many-57.x": {Many, 57}, "many-0": {Many, 0}, "none": {None, 0},
		"many-x@example.com": {"many-x", 1}, "many--1@example.com": {"many--1", 1}, "many-100001": {"many-100001", 1},
		"plain-2@example.com": {"plain-2", 1}, "": {"", 1}, "@": {"", 1},
	} {
		kind, count := parseUser(user)
		require.Equal(t, want.kind, kind, user)
		require.Equal(t, want.count, count, user)
	}
}

func TestPagesOfAList(t *testing.T) {
	t.Parallel()
	list := []int{1, 2, 3, 4, 5}
	for _, want := range []struct {
		number, previous, next int
		rows                   []int
	}{
		{1, 0, 2, []int{1, 2}}, {2, 1, 3, []int{3, 4}}, {3, 2, 0, []int{5}}, {9, 2, 0, []int{5}}, {-1, 0, 2, []int{1, 2}},
	} {
		got := paginate(list, want.number, 2)
		require.Equal(t, want.rows, got.Rows)
		require.Equal(t, want.previous, got.Previous())
		require.Equal(t, want.next, got.Next())
		require.Equal(t, 3, got.Pages)
		require.Equal(t, 5, got.Total)
	}
	empty := paginate([]int{}, 1, 2)
	require.Empty(t, empty.Rows)
	require.Equal(t, 1, empty.Pages)
}

func TestMaskedTargets(t *testing.T) {
	t.Parallel()
	a := newAccount(sce(), "choice.anna@example.com")
	require.Regexp(t, `^\(\*{3}\) \*{3}-\d{4}$`, a.address("sms", 0))
	require.Equal(t, a.address("sms", 0), a.address("call", 0), "the same phone")
	require.NotEqual(t, a.address("sms", 0), a.address("sms", 1))
	require.Equal(t, "c*****@example.com", a.address("email", 0))
	require.Equal(t, "b*****@example.com", newAccount(sce(), "bob").address("email", 0), "a user name that is no address")
}

func TestUtilitiesAreWhole(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, u := range utilities() {
		require.NotEmpty(t, u.methods, u.id)
		require.Empty(t, u.hosts[0].label, "the first host is the main one")
		require.Contains(t, u.entry, u.hosts[0].real, u.id)
		for _, h := range u.hosts {
			require.False(t, seen[h.real] || seen[h.name(u)], "%s stands twice", h.real)
			seen[h.real], seen[h.name(u)] = true, true
		}
	}
}

func TestCodesDiffer(t *testing.T) {
	t.Parallel()
	drawn := map[string]bool{}
	for range 200 {
		code := randomCode()
		require.Regexp(t, `^\d{6}$`, code)
		drawn[code] = true
	}
	require.Greater(t, len(drawn), 190)
}

func TestFormDelayStaysInItsBounds(t *testing.T) {
	t.Parallel()
	opts := Options{}.withDefaults()
	for range 200 {
		delay := opts.formDelay()
		require.GreaterOrEqual(t, delay, 150*time.Millisecond)
		require.LessOrEqual(t, delay, 400*time.Millisecond)
	}
}

func TestABrokenPageIsNeverHalfSent(t *testing.T) {
	t.Parallel()
	all, err := parsePages()
	require.NoError(t, err)
	for page, data := range map[string]any{"no/such": nil, "demo/meters": "not a list"} {
		answer := httptest.NewRecorder()
		require.Error(t, all.write(answer, http.StatusOK, page, view{Data: data}))
		require.Equal(t, http.StatusInternalServerError, answer.Code, page)
		require.NotContains(t, answer.Body.String(), "<html")
	}
}

func TestTwentyThousandAccountsAreDrawn(t *testing.T) {
	t.Parallel()
	a := newAccount(exelon()[0], "many-20000@example.com")
	require.Len(t, a.records, 20_000)
	require.Equal(t, 20_000, accountCount(a.records))
}
