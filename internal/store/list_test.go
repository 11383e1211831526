package store_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meterkey/meterkey"
	"github.com/meterkey/meterkey/internal/store"
)

// uids are those of a page's requests.
func uids(page store.Page[store.Request]) []string {
	found := []string{}
	for _, request := range page.Items {
		found = append(found, request.UID)
	}
	return found
}

func (w *world) list(t *testing.T, f store.RequestFilter) store.Page[store.Request] {
	t.Helper()
	f.Requester = "acme"
	page, err := w.ListRequests(t.Context(), f)
	require.NoError(t, err)
	return page
}

func testListRequests(t *testing.T, w *world) {
	w.requester(t, "acme")
	w.requester(t, "zeta")
	for i, r := range []store.Request{
		{UID: "one", Utility: "CONED", TemplateUID: "solar", CustomerEmail: "Jane@Example.com", CustomerName: "Jane Doe"},
		{UID: "two", Utility: "PSEG", IsTest: true, Nickname: "Roof of Janet's house"},
		{UID: "THREE", CustomerEmail: "joe@other.example"},
		{UID: "four", Utility: "CONED", IsArchived: true},
		{UID: "five", RequesterUID: "zeta", CustomerEmail: "jane@example.com"},
	} {
		if r.RequesterUID == "" {
			r.RequesterUID = "acme"
		}
		_, _, err := w.CreateRequest(t.Context(), r)
		require.NoError(t, err, i)
	}
	for id, statuses := range map[string][]meterkey.Status{
		"two": {meterkey.SigningIn, meterkey.AwaitingCode}, "THREE": {meterkey.SigningIn}, "four": {meterkey.Canceled},
	} {
		l := newLife(id)
		l.state.Utility = "" // as those have it whose customers did not choose
		for _, status := range statuses {
			l.to(status)
		}
		record(t, w.Store, l.projection())
	}
	two, err := w.RequestByID(t.Context(), "two")
	require.NoError(t, err)

	yes, no := true, false
	for name, test := range map[string]struct {
		filter store.RequestFilter
		want   []string
	}{
		"all":                      {store.RequestFilter{}, []string{"four", "THREE", "two", "one"}},
		"uids":                     {store.RequestFilter{UIDs: []string{"one", "five", "two"}}, []string{"two", "one"}},
		"template":                 {store.RequestFilter{Template: "solar"}, []string{"one"}},
		"authorization":            {store.RequestFilter{Authorization: two.AuthorizationUID}, []string{"two"}},
		"status":                   {store.RequestFilter{Statuses: []meterkey.Status{meterkey.AwaitingCode}}, []string{"two"}},
		"statuses":                 {store.RequestFilter{Statuses: []meterkey.Status{meterkey.AwaitingCode, meterkey.Canceled}}, []string{"four", "two"}},
		"waits on the customer":    {store.RequestFilter{WaitingOn: meterkey.Customer}, []string{"two", "one"}},
		"waits on the utility":     {store.RequestFilter{WaitingOn: meterkey.Utility}, []string{"THREE"}},
		"waits on nobody":          {store.RequestFilter{WaitingOn: meterkey.Nobody}, []string{"four"}},
		"contradiction":            {store.RequestFilter{WaitingOn: meterkey.Nobody, Statuses: []meterkey.Status{meterkey.SigningIn}}, []string{}},
		"utility":                  {store.RequestFilter{Utility: "CONED"}, []string{"four", "one"}},
		"utility and status":       {store.RequestFilter{Utility: "CONED", WaitingOn: meterkey.Customer}, []string{"one"}},
		"archived":                 {store.RequestFilter{Archived: &yes}, []string{"four"}},
		"not archived, not a test": {store.RequestFilter{Archived: &no, Test: &no}, []string{"THREE", "one"}},
		"test":                     {store.RequestFilter{Test: &yes}, []string{"two"}},
		"since":                    {store.RequestFilter{From: two.Created}, []string{"four", "THREE", "two"}},
		"until":                    {store.RequestFilter{To: two.Created}, []string{"one"}},
		"search: address":          {store.RequestFilter{Search: "JANE@"}, []string{"one"}},
		"search: name and word":    {store.RequestFilter{Search: " jane"}, []string{"two", "one"}},
		"search: last name":        {store.RequestFilter{Search: "doe"}, []string{"one"}},
		"search: two words":        {store.RequestFilter{Search: "roof  OF"}, []string{"two"}},
		"search: domain":           {store.RequestFilter{Search: "other.ex"}, []string{"THREE"}},
		"search: uid":              {store.RequestFilter{Search: "thr"}, []string{"THREE"}},
		"search: in the middle":    {store.RequestFilter{Search: "ane"}, []string{}},
		"search: not a pattern":    {store.RequestFilter{Search: "%"}, []string{}},
		"search and status":        {store.RequestFilter{Search: "jane", WaitingOn: meterkey.Customer, Test: &no}, []string{"one"}},
	} {
		require.Equal(t, test.want, uids(w.list(t, test.filter)), name)
		var paged []string
		for more := true; more; more = test.filter.After != "" {
			test.filter.Limit = 1
			page := w.list(t, test.filter)
			paged = append(paged, uids(page)...)
			test.filter.After = page.Next
		}
		require.Equal(t, test.want, append([]string{}, paged...), "%s, page by page", name)
	}
	for _, bad := range []store.RequestFilter{{}, {Requester: "acme", Limit: -1}, {Requester: "acme", Limit: 1001}} {
		_, err := w.ListRequests(t.Context(), bad)
		require.ErrorIs(t, err, store.ErrInvalid)
	}
	_, err = w.ListRequests(t.Context(), store.RequestFilter{Requester: "acme", After: "five"})
	require.ErrorIs(t, err, store.ErrNotFound, "other requesters' requests are not to be seen")
}

// A search that many requests match is read another way, and comes to the same.
func testSearchWithManyMatches(t *testing.T, w *world) {
	w.requester(t, "acme")
	const count = 3100
	fill(t, w, count)
	page := w.list(t, store.RequestFilter{Search: "customer", Limit: 1000})
	all := page.Items
	for page.Next != "" {
		page = w.list(t, store.RequestFilter{Search: "customer", Limit: 1000, After: page.Next})
		all = append(all, page.Items...)
	}
	require.Len(t, all, count)
	require.True(t, slices.IsSortedFunc(all, func(a, b store.Request) int { return b.Created.Compare(a.Created) }))
	connected := w.list(t, store.RequestFilter{Search: "customer", Statuses: []meterkey.Status{meterkey.Connected}, Limit: 1000})
	require.Len(t, connected.Items, 1000)
	require.Len(t, w.list(t, store.RequestFilter{Search: "customer7@"}).Items, 1)
}

func testNumbers(t *testing.T, w *world) {
	w.requester(t, "acme")
	lives := map[string]*life{}
	for _, id := range []string{"sent", "opened", "signed-in", "asked", "connected", "next-day", "practice"} {
		_, _, err := w.CreateRequest(t.Context(), store.Request{UID: id, RequesterUID: "acme", Utility: "CONED", IsTest: id == "practice"})
		require.NoError(t, err)
		lives[id] = newLife(id)
		record(t, w.Store, lives[id].projection())
	}
	require.NoError(t, w.MarkOpened(t.Context(), "opened"))
	record(t, w.Store, lives["signed-in"].to(meterkey.SigningIn))
	record(t, w.Store, lives["asked"].to(meterkey.SigningIn), lives["asked"].to(meterkey.AwaitingChoice))
	lives["next-day"].at = lives["next-day"].at.Add(24 * time.Hour)
	lives["next-day"].state.Utility = "PSEG"
	for _, id := range []string{"connected", "next-day", "practice"} {
		record(t, w.Store, lives[id].to(meterkey.SigningIn), lives[id].to(meterkey.AwaitingCode), lives[id].connect(1))
	}

	span := store.Span{Requester: "acme"}
	counts, err := w.Counts(t.Context(), span)
	require.NoError(t, err)
	require.Equal(t, map[meterkey.Status]int{
		meterkey.AwaitingLogin: 2, meterkey.SigningIn: 1, meterkey.AwaitingChoice: 1, meterkey.Connected: 2,
	}, counts)
	funnel, err := w.Funnel(t.Context(), span)
	require.NoError(t, err)
	require.Equal(t, store.Funnel{Sent: 6, Opened: 5, SignedIn: 4, CodeAsked: 3, Connected: 2}, funnel)
	days, err := w.ConnectedByDay(t.Context(), span)
	require.NoError(t, err)
	first := time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)
	require.Equal(t, []store.DayCount{{Day: first, Count: 1}, {Day: first.AddDate(0, 0, 1), Count: 1}}, days)
	utilities, err := w.ByUtility(t.Context(), span)
	require.NoError(t, err)
	require.Equal(t, []store.UtilityCount{{Utility: "CONED", Sent: 5, Connected: 1}, {Utility: "PSEG", Sent: 1, Connected: 1}}, utilities)

	practice, err := w.Funnel(t.Context(), store.Span{Requester: "acme", Test: true})
	require.NoError(t, err)
	require.Equal(t, store.Funnel{Sent: 1, Opened: 1, SignedIn: 1, CodeAsked: 1, Connected: 1}, practice)
	later, err := w.Funnel(t.Context(), store.Span{Requester: "acme", From: w.clock.next()})
	require.NoError(t, err)
	require.Zero(t, later)
	days, err = w.ConnectedByDay(t.Context(), store.Span{Requester: "acme", From: first.AddDate(0, 0, 1), To: first.AddDate(0, 0, 2)})
	require.NoError(t, err)
	require.Len(t, days, 1)
	nobody, err := w.Counts(t.Context(), store.Span{Requester: "zeta"})
	require.NoError(t, err)
	require.Empty(t, nobody)
}

// Two requests created at the very same moment are both on the list, once.
func testSameMoment(t *testing.T, w *world) {
	w.requester(t, "acme")
	at := w.clock.next()
	w.options.Now = func() time.Time { return at }
	frozen := w.open(t)
	for i := range 5 {
		_, _, err := frozen.CreateRequest(t.Context(), store.Request{UID: fmt.Sprintf("Same-%c", "aBcDe"[i]), RequesterUID: "acme"})
		require.NoError(t, err)
	}
	var paged []string
	filter := store.RequestFilter{Limit: 2}
	for more := true; more; more = filter.After != "" {
		page := w.list(t, filter)
		paged = append(paged, uids(page)...)
		filter.After = page.Next
	}
	require.Equal(t, []string{"Same-e", "Same-c", "Same-a", "Same-D", "Same-B"}, paged)
}
