package dashboard

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"mime/multipart"
	"net/http"
	"net/url"
	"path"
	"strings"
	"testing"
	"time"

	"github.com/playwright-community/playwright-go"
	"github.com/stretchr/testify/require"

	"github.com/meterkey/meterkey"
	"github.com/meterkey/meterkey/internal/store"
	"github.com/meterkey/meterkey/portal/csvfile"
	"github.com/meterkey/meterkey/portal/imports"
	"github.com/meterkey/meterkey/sdk"
)

// upload sends a file and returns what it leads to.
func (v *visitor) upload(name, text string) answer {
	v.f.t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	part, err := form.CreateFormFile("file", name)
	require.NoError(v.f.t, err)
	_, err = part.Write([]byte(text))
	require.NoError(v.f.t, err)
	require.NoError(v.f.t, form.Close())
	r, err := http.NewRequestWithContext(v.f.t.Context(), http.MethodPost, v.f.server.URL+"/dashboard/imports", &body)
	require.NoError(v.f.t, err)
	r.Header.Set("Content-Type", form.FormDataContentType())
	return v.do(r)
}

func TestAFileThatCannotBeUsedSaysWhatToDo(t *testing.T) {
	t.Parallel()
	f := newFixture(t, options{})
	v := f.signedIn(patsEmail)
	for text, says := range map[string]string{
		"":                         "The file is empty",
		"name\nAna\n":              "No column is called",
		"PK\x03\x04":               "CSV UTF-8",
		strings.Repeat("x", 5<<20): "larger than 4 MB",
		"email\n\"open\n":          "Line 2: a double quote",
	} {
		a := v.upload("customers.csv", text)
		require.Equal(t, http.StatusUnprocessableEntity, a.status)
		require.Contains(t, a.body, says)
	}
	a := v.post("/dashboard/imports", url.Values{})
	require.Contains(t, a.body, "No file was chosen")
}

// What a file's rows lead to, before anything is sent.
func TestThePreviewFlagsEveryRow(t *testing.T) {
	t.Parallel()
	f := newFixture(t, options{})
	f.record("acme", pastRequest{email: "open@example.com", utility: "CONED", asked: true, statuses: waiting})
	f.record("acme", pastRequest{email: "over@example.com", utility: "CONED", asked: true, statuses: declined})
	f.record("rival", pastRequest{email: "theirs@example.com", utility: "CONED", asked: true, statuses: waiting})
	v := f.signedIn(patsEmail)
	a := v.upload(`C:\files\spring <b>.csv`, "E-Mail;Utility;Colour\nopen@example.com;con edison;red\nover@example.com;CONED\ntheirs@example.com;CONED\n"+
		"open@example.com;PSEG\nnobody;CONED\nnew@example.com;ConEdd\nover@example.com;CONED\n")
	require.Equal(t, http.StatusSeeOther, a.status)
	page := v.get(a.location()).body
	require.Contains(t, page, "3 of 7 rows can be sent")
	require.Contains(t, page, "Columns that mean nothing here: Colour.")
	for _, says := range []string{"This customer has an open request already.", "email: is not an e-mail address", "did you mean COMED or CONED?", "stands on line 3 already",
		"spring &lt;b&gt;.csv", "Send 3 data requests", "Also send another request to 1 customer with an open one"} {
		require.Contains(t, page, says)
	}
	require.Contains(t, v.get("/dashboard/imports").body, "spring &lt;b&gt;.csv")
	listed, err := f.store.ListRequests(t.Context(), store.RequestFilter{Requester: "acme"})
	require.NoError(t, err)
	require.Len(t, listed.Items, 2, "nothing was sent yet")
}

func TestTheTemplateCanBeUploadedAsItIs(t *testing.T) {
	t.Parallel()
	f := newFixture(t, options{})
	v := f.signedIn(patsEmail)
	template := v.get("/dashboard/imports/template.csv")
	require.Equal(t, "text/csv; charset=utf-8", template.header.Get("Content-Type"))
	a := v.upload("template.csv", template.body)
	require.Contains(t, v.get(a.location()).body, "2 of 2 rows can be sent")
}

// A portal that stopped in the middle had stored one row's request, and started another's: the import's page shows that all are
// sent once.
func TestAnImportAsksNobodyTwice(t *testing.T) {
	f := newFixtureWithTemporal(t)
	v := f.signedIn(patsEmail)
	location := v.upload("customers.csv", "email\na@example.com\nb@example.com\nc@example.com\nd@example.com\n").location()
	rows, err := f.store.ImportRows(t.Context(), path.Base(location), 0, 10)
	require.NoError(t, err)
	for _, row := range rows[:2] {
		_, _, err := f.store.CreateRequest(t.Context(), store.Request{UID: imports.RequestUID(row), RequesterUID: "acme", CustomerEmail: row.Email})
		require.NoError(t, err)
	}
	ts, err := sharedTemporal()
	require.NoError(t, err)
	require.NoError(t, sdk.New(ts.temporal, "", nil).Start(t.Context(), meterkey.Request{RequestID: imports.RequestUID(rows[0]), Requester: "acme"}))

	require.Equal(t, http.StatusSeeOther, v.post(location+"/start", nil).status)
	f.shows(v, location, "4 data requests sent.")
	listed, err := f.store.ListRequests(t.Context(), store.RequestFilter{Requester: "acme"})
	require.NoError(t, err)
	require.Len(t, listed.Items, 4)
	for _, row := range rows {
		f.reaches(imports.RequestUID(row), meterkey.AwaitingLogin)
	}
	outcomes := readFile(t, v.get(location+"/outcomes.csv").body)
	require.Equal(t, []string{"2", "a@example.com", "", "", "", "", "sent", "", imports.RequestUID(rows[0])}, outcomes[1])
	require.Len(t, outcomes, 5)
}

// shows waits until a page says something.
func (f *fixture) shows(v *visitor, location, text string) {
	f.t.Helper()
	require.Eventually(f.t, func() bool { return strings.Contains(v.get(location).body, text) }, temporalLimit, 50*time.Millisecond, text)
}

// An import is paused, resumed and stopped by its requester's people, and by nobody else.
func TestAnImportIsPausedResumedAndStopped(t *testing.T) {
	f := newFixtureWithTemporal(t)
	v := f.signedIn(patsEmail)
	var file strings.Builder
	file.WriteString("email\n")
	for i := range 2000 { // minutes
		fmt.Fprintf(&file, "c%04d@example.com\n", i)
	}
	location := v.upload("customers.csv", file.String()).location()
	require.Equal(t, http.StatusSeeOther, v.post(location+"/start", nil).status)
	require.Contains(t, v.get(location).body, "Sending the requests")
	require.Equal(t, http.StatusNotFound, f.signedIn(rivalsEmail).post(location+"/stop", nil).status)
	for _, press := range []struct{ button, heading, next string }{
		{"pause", "Paused", location + "/resume"}, {"resume", "Sending the requests", location + "/pause"}, {"stop", "Stopped", location + "/outcomes.csv"},
	} {
		require.Equal(t, http.StatusSeeOther, v.post(location+"/"+press.button, nil).status)
		page := v.get(location).body
		require.Contains(t, page, `<h2 id="progress">`+press.heading)
		require.Contains(t, page, press.next)
	}
	require.Equal(t, http.StatusSeeOther, v.post(location+"/resume", nil).status, "too late")
	require.Contains(t, v.get(location).body, "The rest is not sent.")
	require.Contains(t, v.get(location).body, "Not sent")
}

func readFile(t *testing.T, text string) [][]string {
	t.Helper()
	rows, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(text, "\ufeff"))).ReadAll()
	require.NoError(t, err)
	return rows
}

// Rows that Temporal refuses say so, and hold up nobody.
func TestARowThatIsRefusedHoldsUpNobody(t *testing.T) {
	f := newFixtureWithTemporal(t)
	kept, err := f.store.AddImport(t.Context(), store.Import{RequesterUID: "acme", FileName: "x.csv"}, []store.ImportRow{
		{Line: 2, Email: "broken address", Outcome: store.ImportReady}, {Line: 3, Email: "a@example.com", Outcome: store.ImportReady},
		{Line: 4, Email: "open@example.com", Outcome: store.ImportOpen}, {Line: 5, Outcome: store.ImportBad, Problem: "email: is missing"},
	})
	require.NoError(t, err)
	v := f.signedIn(patsEmail)
	v.post("/dashboard/imports/"+kept.UID+"/start", url.Values{"open": {"yes"}})
	f.shows(v, "/dashboard/imports/"+kept.UID, "<h2 id=\"progress\">Done")
	outcomes := readFile(t, v.get("/dashboard/imports/"+kept.UID+"/outcomes.csv").body)
	require.Equal(t, []string{"failed", "sent", "sent", "bad"}, []string{outcomes[1][6], outcomes[2][6], outcomes[3][6], outcomes[4][6]})
	require.Contains(t, outcomes[1][7], "customer_email")
	require.Contains(t, v.get("/dashboard/imports/"+kept.UID).body, "1 row refused")
}

// From the file to the outcomes, in a browser, live.
func TestManyAtOnce(t *testing.T) {
	f := newFixtureWithTemporal(t)
	f.record("acme", pastRequest{email: "c007@example.com", statuses: waiting})
	var file strings.Builder
	file.WriteString("email,name,nickname,utility,expires\n")
	for i := range 120 {
		fmt.Fprintf(&file, "c%03d@example.com,Customer %d,Roof %d,%s,\n", i, i, i, []string{"CONED", "", "PSEG"}[i%3])
	}
	file.WriteString("not an address,Ana,,CONED,\nzoe@example.com,Zoë,,CONEDD,12/31/2027\n")
	s := f.open(t, desktop, patsEmail)
	s.follow("Many at once")
	require.NoError(t, s.GetByLabel("CSV file").SetInputFiles(playwright.InputFile{Name: "spring.csv", MimeType: "text/csv", Buffer: []byte(file.String())}))
	s.press("Look at the rows")
	s.see("text=119 of 122 rows can be sent")
	s.see("text=did you mean COMED or CONED?")
	s.see("text=is not a day written as year-month-day")
	s.fits()
	s.accessible()
	s.picture("import-preview")
	s.press("Send 119 data requests")
	s.see("progress")
	s.accessible()
	s.picture("import-progress")
	_, err := s.Reload(playwright.PageReloadOptions{WaitUntil: playwright.WaitUntilStateDomcontentloaded}) // it goes on
	require.NoError(t, err)
	s.see("h2:has-text('Done')")
	s.see("text=119 data requests sent.")
	s.accessible()
	s.picture("import-done")
	require.NoError(t, s.SetViewportSize(phone.Width, phone.Height))
	s.fits()
	s.picture("import-done-phone")
	counts, err := f.store.Counts(t.Context(), store.Span{Requester: "acme"})
	require.NoError(t, err)
	require.Equal(t, 120, counts[meterkey.AwaitingLogin])
}

func TestImportsAreForgotten(t *testing.T) {
	t.Parallel()
	f := newFixture(t, options{})
	v := f.signedIn(patsEmail)
	var old string
	f.at(time.Now().Add(-importsKept-time.Hour), func() {
		kept, err := f.store.AddImport(t.Context(), store.Import{RequesterUID: "acme", FileName: "old.csv"}, []store.ImportRow{{Line: 2, Email: "a@example.com", Outcome: store.ImportSent}})
		require.NoError(t, err)
		old = kept.UID
	})
	v.upload("new.csv", "email\nb@example.com\n")
	require.Equal(t, http.StatusNotFound, v.get("/dashboard/imports/"+old).status)
	rows, err := f.store.ImportRows(t.Context(), old, 0, csvfile.MaxRows)
	require.NoError(t, err)
	require.Empty(t, rows, "what it held of customers is gone with it")
}
