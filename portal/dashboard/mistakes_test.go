package dashboard

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"path"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"

	"github.com/meterkey/meterkey"
	"github.com/meterkey/meterkey/internal/stack"
	"github.com/meterkey/meterkey/internal/store"
	"github.com/meterkey/meterkey/sdk"
)

// unreachable is a client of a Temporal server that is not there.
func unreachable(t *testing.T) client.Client {
	t.Helper()
	address, err := stack.FreeAddress("")
	require.NoError(t, err)
	c, err := client.NewLazyClient(client.Options{HostPort: address, Logger: silent{}})
	require.NoError(t, err)
	t.Cleanup(c.Close)
	return c
}

// A mistake in any column of a file is shown in its row, by the column and with what would be right, and holds up no other.
func TestAMistakeInAnyColumn(t *testing.T) {
	t.Parallel()
	f := newFixture(t, options{})
	v := f.signedIn(patsEmail)
	for row, says := range map[string]string{
		`,Ana,,,`:                             "email: is missing",
		`a b@example.com,,,,`:                 "email: is not an e-mail address",
		`a@example.com,"Ana` + "\n" + `B",,,`: "name: must be one line of plain text",
		`a@example.com,,` + strings.Repeat("n", 201) + `,,`: "nickname: is longer than 200 characters",
		`a@example.com,,,Springfield Power,`:                "utility: ",
		`a@example.com,,,,31.12.2027`:                       "expires: is not a day written as year-month-day",
		`a@example.com,,,,2020-01-01`:                       "expires: is a day in the past",
		`a@example.com,Ana, Ltd,,CONED,2030-01-01`:          "more values follow than there are headings",
	} {
		page := v.get(v.upload("x.csv", "email,name,nickname,utility,expires\n"+row+"\ngood@example.com,,,,\n").location()).body
		require.Contains(t, page, says, row)
		require.Contains(t, page, "1 of 2 rows can be sent", row)
	}
	for text, says := range map[string]string{"email\tname\tutility\na@example.com\t\tCONED\nb@example.com\t\tnowhere\n": "1 of 2 rows can be sent",
		"E-mail;Kunde\na@example.com;x\n": "Columns that mean nothing here: Kunde."} {
		require.Contains(t, v.get(v.upload("x.csv", text).location()).body, says)
	}
}

// The page shows some rows, those to mend first; the file has all of them, and no formula.
func TestALargeImportIsShownInPart(t *testing.T) {
	t.Parallel()
	f := newFixture(t, options{})
	v := f.signedIn(patsEmail)
	var file strings.Builder
	file.WriteString("email,name\n")
	for i := range rowsShown + 30 {
		fmt.Fprintf(&file, "c%03d@example.com,=1+%d\n", i, i)
	}
	file.WriteString("broken,-1\n")
	location := v.upload("large.csv", file.String()).location()
	page := v.get(location).body
	require.Contains(t, page, "230 of 231 rows can be sent")
	require.Contains(t, page, "200 of 231 rows are shown")
	require.Contains(t, page, "broken")
	require.Less(t, strings.Index(page, "broken"), strings.Index(page, "c000@example.com"), "what needs eyes comes first")
	require.NotContains(t, page, "c229@example.com")
	outcomes := v.get(location + "/outcomes.csv")
	require.Contains(t, outcomes.header.Get("Content-Disposition"), "attachment")
	rows := readFile(t, outcomes.body)
	require.Len(t, rows, 232)
	require.Equal(t, []string{"2", "c000@example.com", "'=1+0", "", "", "", "ready", "", ""}, rows[1])
	require.Equal(t, "bad", rows[231][6])
	require.Equal(t, "'-1", rows[231][2])
	require.Contains(t, rows[231][7], "email: is not an e-mail address")
}

// Meters are read back from their file as they are, but for what a spreadsheet would calculate.
func TestTheMetersFileHoldsNoFormula(t *testing.T) {
	t.Parallel()
	f := newFixture(t, options{})
	uid := f.record("acme", pastRequest{email: "a@example.com", utility: "CONED", asked: true, statuses: signing})
	at := time.Now().UTC()
	request, err := f.store.Request(t.Context(), "acme", uid)
	require.NoError(t, err)
	_, err = f.store.Record(t.Context(), meterkey.Projection{RunID: "run-" + uid, Request: meterkey.Request{RequestID: uid, Requester: "acme"},
		State: meterkey.State{RequestID: uid, Requester: "acme", Utility: "CONED", Status: meterkey.Connected, WaitingOn: meterkey.Nobody, Since: at, Revision: 9,
			LinkedAt: request.LinkedAt, Timeline: append(request.Timeline, meterkey.Moment{Status: meterkey.Connected, At: at}),
			Meters: []meterkey.Meter{{MeterNumber: "=cmd|'/c calc'!A0", AccountNumber: "0012", ServiceAddress: "12 \"Elm\", Apt 3", Tariff: "+1"}}}})
	require.NoError(t, err)
	v := f.signedIn(patsEmail)
	rows := readFile(t, v.get(listPath+"/"+uid+"/meters.csv").body)
	require.Len(t, rows, 2)
	require.Equal(t, []string{"'=cmd|'/c calc'!A0", "0012"}, rows[1][1:3])
	require.Equal(t, "'+1", rows[1][5])
	require.Equal(t, []string{"12 \"Elm\", Apt 3", "Consolidated Edison"}, rows[1][7:9])
	waits := f.record("acme", pastRequest{email: "b@example.com", statuses: waiting})
	require.Equal(t, http.StatusNotFound, v.get(listPath+"/"+waits+"/meters.csv").status)
}

// Mistakes in the form of a new request are all named at once, what was typed stays, and nothing is stored.
func TestMistakesInANewRequest(t *testing.T) {
	t.Parallel()
	f := newFixture(t, options{})
	v := f.signedIn(patsEmail)
	uid := store.NewUID()
	a := v.post(listPath+"/new", url.Values{"uid": {uid}, "email": {"nobody"}, "name": {"A\x07na"}, "nickname": {strings.Repeat("n", 201)},
		"utility": {"CONEDD"}, "expires": {"2020-01-01"}})
	require.Equal(t, http.StatusUnprocessableEntity, a.status)
	for _, says := range []string{"5 fields below to mend", "This is not an e-mail address", "This must be one line of plain text", "This is longer than 200 characters",
		"did you mean", "This is a day in the past", `value="nobody"`, `value="CONEDD"`, uid} {
		require.Contains(t, a.body, says)
	}
	listed, err := f.store.ListRequests(t.Context(), store.RequestFilter{Requester: "acme"})
	require.NoError(t, err)
	require.Empty(t, listed.Items)
}

// Without Temporal, people are told that nothing is lost, and it is so: what they sent is sent once it can be.
func TestWithoutTemporal(t *testing.T) {
	t.Parallel()
	f := newFixture(t, options{temporal: unreachable(t)})
	v := f.signedIn(patsEmail)
	open := f.record("acme", pastRequest{email: "a@example.com", utility: "CONED", asked: true, statuses: asked})
	for _, action := range []string{"resend", "cancel"} {
		a := v.post(listPath+"/"+open+"/"+action, nil)
		require.Equal(t, http.StatusServiceUnavailable, a.status, action)
		require.Contains(t, a.body, "Nothing is lost", action)
	}
	a := v.post(listPath+"/"+open+"/code", url.Values{"challenge": {"c-1"}, "code": {"123456"}})
	require.Equal(t, http.StatusServiceUnavailable, a.status)

	uid := store.NewUID()
	form := url.Values{"uid": {uid}, "email": {"new@example.com"}, "utility": {"demo"}}
	for range 2 { // pressed again
		require.Equal(t, http.StatusServiceUnavailable, v.post(listPath+"/new", form).status)
	}
	listed, err := f.store.ListRequests(t.Context(), store.RequestFilter{Requester: "acme", Search: "new@example.com"})
	require.NoError(t, err)
	require.Len(t, listed.Items, 1)
	require.Equal(t, uid, listed.Items[0].UID)
	require.True(t, listed.Items[0].IsTest, "what is for trying would have gone to a real site, and counted as real")
	require.Contains(t, v.get(listPath+"/"+uid).body, "Starting")

	file := v.upload("customers.csv", "email\nz@example.com\n").location()
	require.Equal(t, http.StatusServiceUnavailable, v.post(file+"/start", nil).status)
	require.Contains(t, v.get(file).body, "Send 1 data request", "it was not started")
	require.NoError(t, f.store.StartImport(t.Context(), "acme", path.Base(file), false))
	page := v.get(file).body
	require.Contains(t, page, "Meterkey does not answer at the moment")
	require.Contains(t, page, "0 of 1 sent")
	require.Equal(t, http.StatusServiceUnavailable, v.post(file+"/pause", nil).status)

	// Somebody else's uid is no way to their request.
	sams := f.signedIn(rivalsEmail)
	require.Equal(t, http.StatusNotFound, sams.post(listPath+"/new", form).status)
	require.Equal(t, http.StatusNotFound, sams.get(listPath+"/"+uid).status)
}

// Archiving and revoking need no Temporal, and what was done cannot be done again.
func TestArchivingAndRevoking(t *testing.T) {
	t.Parallel()
	f := newFixture(t, options{})
	v := f.signedIn(patsEmail)
	uid := f.record("acme", pastRequest{email: "a@example.com", utility: "CONED", asked: true, statuses: byCode, meters: 3})
	at := listPath + "/" + uid
	require.Equal(t, at+"?done=archived", v.post(at+"/archive", nil).location())
	require.Equal(t, http.StatusNotFound, v.post(at+"/archive", nil).status)
	require.NotContains(t, v.get(listPath).body, "a@example.com")
	require.Contains(t, v.get(listPath+"?archived=yes").body, "a@example.com")
	require.Equal(t, at+"?done=unarchived", v.post(at+"/unarchive", nil).location())

	require.Contains(t, v.get(at+"/revoke").body, "This cannot be undone")
	require.Equal(t, at+"?done=revoked", v.post(at+"/revoke", nil).location())
	require.Equal(t, http.StatusNotFound, v.post(at+"/revoke", nil).status)
	require.Contains(t, v.get(at).body, "The permission is revoked")
	require.Len(t, readFile(t, v.get(at+"/meters.csv").body), 1, "meters outlived the permission")
	for _, action := range []string{"destroy", "cancel", "unarchive", "code"} {
		require.Equal(t, http.StatusNotFound, v.get(at+"/"+action).status, action)
	}
}

// Errors of Temporal's own are told from those that say something about the request.
func TestAway(t *testing.T) {
	t.Parallel()
	require.NoError(t, temporalError(nil))
	for _, about := range []error{sdk.ErrEnded, sdk.ErrNotFound, meterkey.ErrInvalidRequest} {
		require.NotErrorIs(t, temporalError(about), errTemporalAway)
		require.ErrorIs(t, temporalError(about), about)
	}
	cause := errors.New("connection refused")
	require.ErrorIs(t, temporalError(cause), errTemporalAway)
	require.ErrorIs(t, temporalError(cause), cause)
}
