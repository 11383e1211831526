package dashboard

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/meterkey/meterkey"
	"github.com/meterkey/meterkey/internal/store"
	"github.com/meterkey/meterkey/utilities"
)

const (
	listPath = "/dashboard/requests"
	pageSize = 50
)

func (h *dashboard) routeRequests(mux *http.ServeMux) {
	mux.Handle("GET "+listPath, h.signedIn(h.list))
	mux.Handle("GET "+listPath+"/live", h.signedIn(h.followList))
	mux.Handle("GET "+listPath+"/new", h.signedIn(h.askNew))
	mux.Handle("POST "+listPath+"/new", h.signedIn(h.sendNew))
	mux.Handle("GET "+listPath+"/{uid}", h.signedIn(h.show))
	mux.Handle("GET "+listPath+"/{uid}/live", h.signedIn(h.followRequest))
	mux.Handle("GET "+listPath+"/{uid}/meters.csv", h.signedIn(h.metersFile))
	mux.Handle("POST "+listPath+"/{uid}/code", h.signedIn(h.passCode))
	mux.Handle("GET "+listPath+"/{uid}/{action}", h.signedIn(h.confirmAction))
	mux.Handle("POST "+listPath+"/{uid}/{action}", h.signedIn(h.act))
}

// filter is what the list's address says.
type filter struct {
	Status          meterkey.Status
	Search, Utility string
	Acts            meterkey.WaitingOn
	Tests, Archived bool
	After           string
}

func readFilter(q url.Values) filter {
	f := filter{Search: strings.TrimSpace(q.Get("q")), Utility: q.Get("utility"), Acts: meterkey.WaitingOn(q.Get("acts")),
		Tests: q.Get("tests") != "", Archived: q.Get("archived") != "", After: q.Get("after")}
	if status := meterkey.Status(q.Get("status")); status.Valid() {
		f.Status = status
	}
	return f
}

// address is the list's address with this filter.
func (f filter) address() string {
	q := url.Values{}
	set := func(name, value string) {
		if value != "" {
			q.Set(name, value)
		}
	}
	set("status", string(f.Status))
	set("q", f.Search)
	set("utility", f.Utility)
	set("acts", string(f.Acts))
	if f.Tests {
		set("tests", "yes")
	}
	if f.Archived {
		set("archived", "yes")
	}
	set("after", f.After)
	if len(q) == 0 {
		return listPath
	}
	return listPath + "?" + q.Encode()
}

// stored is the filter in the store's terms.
func (f filter) stored(requester string) store.RequestFilter {
	stored := store.RequestFilter{Requester: requester, Utility: f.Utility, Search: f.Search, Archived: &f.Archived, After: f.After, Limit: pageSize}
	if f.Status != "" {
		stored.Statuses = []meterkey.Status{f.Status}
	}
	if !f.Tests {
		stored.Test = new(bool)
	}
	f.addActs(&stored)
	return stored
}

// addActs narrows by who must act. A request that failed waits for nobody by itself: its reason tells who can mend it,
// see acts.
func (f filter) addActs(stored *store.RequestFilter) {
	stored.WaitingOn = f.Acts
	mends := f.Acts == meterkey.Requester || f.Acts == meterkey.Operator
	if !mends || f.Status != "" && f.Status != meterkey.Failed {
		return
	}
	stored.WaitingOn, stored.Statuses = "", []meterkey.Status{meterkey.Failed}
	for _, reason := range meterkey.Reasons() {
		if reason.Leads == meterkey.Failed && reason.Acts == f.Acts {
			stored.Reasons = append(stored.Reasons, reason.Reason)
		}
	}
}

// row is a request as lists show it.
type row struct {
	UID, Title, Subtitle  string
	Email, Name, Nickname string
	UtilityName           string
	Status                meterkey.Status
	Reason                meterkey.Reason
	Acts                  meterkey.WaitingOn
	Since, Created        time.Time
	Until                 *time.Time
	Test, Archived        bool
	Closed                bool // to the customer
}

func (h *dashboard) row(r store.Request) row {
	shown := row{UID: r.UID, Email: r.CustomerEmail, Name: r.CustomerName, Nickname: r.Nickname, Status: r.Status, Reason: r.Reason,
		Acts: acts(r.WaitingOn, r.Status, r.Reason), Since: r.Since, Created: r.Created, Until: r.Until, Test: r.IsTest, Archived: r.IsArchived, Closed: r.Disabled}
	shown.UtilityName = "The customer chooses"
	if id := chosen(r); id != "" {
		shown.UtilityName = h.utilityName(id)
	}
	if !isStarted(r) {
		shown.Status, shown.Acts, shown.Since = "", meterkey.Nobody, r.Created
	}
	named := []string{}
	for _, name := range []string{r.CustomerEmail, r.CustomerName, r.Nickname} {
		if name != "" {
			named = append(named, name)
		}
	}
	if len(named) == 0 {
		named = []string{"Request " + r.UID}
	}
	shown.Title, shown.Subtitle = named[0], strings.Join(named[1:], " · ")
	return shown
}

// chosen is the utility that a request is for, as far as it is known.
func chosen(r store.Request) string {
	if r.ChosenUtility != "" {
		return r.ChosenUtility
	}
	return r.Utility
}

func (h *dashboard) utilityName(id string) string {
	if u, err := h.Utilities.Find(id); err == nil {
		return u.Name
	}
	return id
}

// tab is one status with how many requests stand there.
type tab struct {
	Status        meterkey.Status
	Name, Address string
	Count         int
	Here          bool
}

// listPage is what the list shows.
type listPage struct {
	Filter    filter
	First     bool // there is no request yet
	Rows      []row
	Tabs      []tab
	Utilities []*utilities.Utility
	Actors    []meterkey.WaitingOn
	// Here is this list's address, Live its stream's, Newest and Older other pages'.
	Here, Live, Newest, Older string
	// Said is read aloud when the list changes.
	Said string
}

func (h *dashboard) list(w http.ResponseWriter, r *http.Request, p person) error {
	f := readFilter(r.URL.Query())
	shown, err := h.listPage(r, p, f)
	if errors.Is(err, store.ErrNotFound) && f.After != "" { // the request that the page began after is gone
		f.After = ""
		http.Redirect(w, r, f.address(), http.StatusSeeOther) //nolint:gosec // a path of the dashboard's
		return nil
	}
	if err != nil {
		return err
	}
	if wantsFragment(r, "list") {
		w.Header().Set("HX-Replace-Url", shown.Here)
		return h.fragment(w, "requests", shown)
	}
	return h.write(w, r, &p, page{name: "requests", title: "Data requests", refresh: 30, body: shown})
}

func (h *dashboard) listPage(r *http.Request, p person, f filter) (listPage, error) {
	shown := listPage{Filter: f, Here: f.address(), Utilities: h.Utilities.All(),
		Actors: []meterkey.WaitingOn{meterkey.Customer, meterkey.Utility, meterkey.Requester, meterkey.Operator}}
	last, err := h.Store.LastChange(r.Context(), p.requester.UID)
	if err != nil {
		return shown, err
	}
	shown.Live, shown.First = listPath+"/live?since="+stamp(last), last.IsZero()
	listed, err := h.Store.ListRequests(r.Context(), f.stored(p.requester.UID))
	if err != nil {
		return shown, err
	}
	for _, request := range listed.Items {
		shown.Rows = append(shown.Rows, h.row(request))
	}
	counts, err := h.Store.Counts(r.Context(), store.Span{Requester: p.requester.UID, Test: f.Tests})
	if err != nil {
		return shown, err
	}
	shown.Tabs = tabs(f, counts)
	first, older := f, f
	first.After, older.After = "", listed.Next
	shown.Newest = first.address()
	if listed.Next != "" {
		shown.Older = older.address()
	}
	shown.Said = said(len(shown.Rows), listed.Next != "")
	return shown, nil
}

// tabs are the statuses that have requests, the selected one, and all together.
func tabs(f filter, counts map[meterkey.Status]int) []tab {
	selected := f.Status
	f.After = ""
	all := 0
	var shown []tab
	for _, status := range meterkey.Statuses() {
		all += counts[status]
		if counts[status] == 0 && status != selected {
			continue
		}
		f.Status = status
		shown = append(shown, tab{status, wordsFor(status).name, f.address(), counts[status], status == selected})
	}
	f.Status = ""
	return append([]tab{{"", "All", f.address(), all + counts[""], selected == ""}}, shown...)
}

func said(rows int, more bool) string {
	switch {
	case rows == 0:
		return "No data request matches."
	case more:
		return "The list shows the newest " + count(rows, "data request") + " that match."
	}
	return "The list shows " + count(rows, "data request") + "."
}

func (h *dashboard) followList(w http.ResponseWriter, r *http.Request, p person) error {
	return h.follow(w, r, p, newer(readStamp(r)))
}
