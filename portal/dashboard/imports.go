package dashboard

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path"
	"strconv"
	"strings"
	"time"

	"go.uber.org/zap"

	"github.com/meterkey/meterkey/internal/store"
	"github.com/meterkey/meterkey/portal/csvfile"
	"github.com/meterkey/meterkey/portal/imports"
	"github.com/meterkey/meterkey/portal/web"
)

const (
	importsPath = "/dashboard/imports"
	// rowsShown is how many rows a page shows; the file of outcomes has all.
	rowsShown = 200
	// recentImports is how many files the upload page lists.
	recentImports = 10
	// importsKept is how long a file is kept: it holds customers' addresses, and nobody asks for it after a while.
	importsKept = 30 * 24 * time.Hour
)

func (h *dashboard) routeImports(mux *http.ServeMux) {
	mux.Handle("GET "+importsPath, h.signedIn(h.askFile))
	mux.Handle("POST "+importsPath, h.signedIn(h.takeFile))
	mux.Handle("GET "+importsPath+"/template.csv", h.signedIn(h.templateFile))
	mux.Handle("GET "+importsPath+"/{uid}", h.signedIn(h.showImport))
	mux.Handle("GET "+importsPath+"/{uid}/live", h.signedIn(h.followImport))
	mux.Handle("GET "+importsPath+"/{uid}/outcomes.csv", h.signedIn(h.outcomesFile))
	mux.Handle("POST "+importsPath+"/{uid}/start", h.signedIn(h.startImport))
	for _, name := range []string{imports.UpdatePause, imports.UpdateResume, imports.UpdateStop} {
		mux.Handle("POST "+importsPath+"/{uid}/"+name, h.signedIn(h.updateImport(name)))
	}
}

// importsPage is what the upload page shows.
type importsPage struct {
	Mistake string
	Recent  []store.Import
}

func (h *dashboard) askFile(w http.ResponseWriter, r *http.Request, p person) error {
	return h.writeAskFile(w, r, p, http.StatusOK, "")
}

func (h *dashboard) writeAskFile(w http.ResponseWriter, r *http.Request, p person, status int, mistake string) error {
	recent, err := h.Store.Imports(r.Context(), p.requester.UID, recentImports)
	if err != nil {
		return err
	}
	return h.write(w, r, &p, page{name: "imports", title: "Many at once", status: status, body: importsPage{mistake, recent}})
}

func (h *dashboard) templateFile(w http.ResponseWriter, _ *http.Request, _ person) error {
	var heading []string
	for _, column := range csvfile.Columns() {
		heading = append(heading, string(column))
	}
	return writeFile(w, "data-requests.csv", heading, csvfile.Template())
}

// takeFile reads an uploaded file and goes on to its preview.
func (h *dashboard) takeFile(w http.ResponseWriter, r *http.Request, p person) error {
	r.Body = http.MaxBytesReader(w, r.Body, csvfile.MaxBytes+maxForm)
	name, data, err := uploaded(r)
	var file csvfile.File
	if err == nil {
		file, err = csvfile.Read(data)
	}
	if err != nil {
		return h.writeAskFile(w, r, p, http.StatusUnprocessableEntity, upper(err.Error())+".")
	}
	file.Check(csvfile.Rules{Utility: h.findUtility, Today: time.Now().UTC()})
	rows, err := h.importRows(r.Context(), p, file)
	if err != nil {
		return err
	}
	if err := h.Store.ForgetImports(r.Context(), p.requester.UID, time.Now().Add(-importsKept)); err != nil {
		return err
	}
	kept, err := h.Store.AddImport(r.Context(), store.Import{RequesterUID: p.requester.UID, FileName: name, Ignored: strings.Join(file.Ignored, ", ")}, rows)
	if err != nil {
		return err
	}
	http.Redirect(w, r, importsPath+"/"+kept.UID, http.StatusSeeOther)
	return nil
}

// uploaded is the file of the form. Its error is for whoever sent it.
func uploaded(r *http.Request) (name string, data []byte, err error) {
	part, header, err := r.FormFile("file")
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return "", nil, fmt.Errorf("the file is larger than %d MB: split it into several", csvfile.MaxBytes>>20)
	case err != nil:
		return "", nil, errors.New("no file was chosen: choose a CSV file first")
	}
	data, err = io.ReadAll(io.LimitReader(part, csvfile.MaxBytes+1))
	if err = errors.Join(err, part.Close()); err != nil {
		return "", nil, fmt.Errorf("the file did not arrive whole: %w", err)
	}
	name = path.Base(strings.ReplaceAll(header.Filename, `\`, "/"))
	return name, data, nil
}

// importRows says of each row whether it can be sent.
func (h *dashboard) importRows(ctx context.Context, p person, file csvfile.File) ([]store.ImportRow, error) {
	rows := make([]store.ImportRow, 0, len(file.Rows))
	for _, read := range file.Rows {
		row := store.ImportRow{Line: read.Line, Email: read.Email, Name: read.Name, Nickname: read.Nickname, Utility: read.Utility,
			Expires: read.Expires, Outcome: store.ImportReady}
		if len(read.Mistakes) > 0 {
			row.Outcome, row.Problem = store.ImportBad, mistakeWords(read.Mistakes)
		} else if open, err := h.hasOpen(ctx, p, read); err != nil {
			return nil, err
		} else if open {
			row.Outcome, row.Problem = store.ImportOpen, "This customer has an open request already."
		}
		rows = append(rows, row)
	}
	return rows, nil
}

func mistakeWords(mistakes []csvfile.Mistake) string {
	words := make([]string, len(mistakes))
	for i, m := range mistakes {
		words[i] = fmt.Sprintf("%s: %s", m.Field, m.Problem)
	}
	return strings.Join(words, "\n")
}

// hasOpen tells whether the customer was asked for the same already and has not answered.
func (h *dashboard) hasOpen(ctx context.Context, p person, row csvfile.Row) (bool, error) {
	listed, err := h.Store.ListRequests(ctx, store.RequestFilter{Requester: p.requester.UID, Search: row.Email, Limit: pageSize})
	if err != nil {
		return false, err
	}
	for _, r := range listed.Items {
		if strings.EqualFold(r.CustomerEmail, row.Email) && !r.Status.Terminal() && (row.Utility == "" || chosen(r) == row.Utility) {
			return true, nil
		}
	}
	return false, nil
}

// importPage is what an import's page shows.
type importPage struct {
	store.Import
	Live                    string
	Heading, Said           string
	State                   imports.State
	Over                    bool // nothing more will be sent
	Total, Done, Good, Open int
	OpenLabel, StartLabel   string
	Rows                    []importRow
	More                    string
}

// importRow is a row as the page shows it.
type importRow struct {
	store.ImportRow
	Outcome  string
	Tone     tone
	Problems []string
	Request  string // uid of the request it led to
}

func (h *dashboard) showImport(w http.ResponseWriter, r *http.Request, p person) error {
	shown, err := h.importPage(r, p)
	if err != nil {
		return err
	}
	if wantsFragment(r, "import") {
		return h.fragment(w, "import", shown)
	}
	v := page{name: "import", title: shown.FileName, body: shown}
	if shown.State == imports.Sending {
		v.refresh = 3
	}
	return h.write(w, r, &p, v)
}

func (h *dashboard) importPage(r *http.Request, p person) (importPage, error) {
	kept, err := h.Store.Import(r.Context(), p.requester.UID, r.PathValue("uid"))
	if err != nil {
		return importPage{}, err
	}
	counts, err := h.Store.ImportCounts(r.Context(), kept.UID)
	if err != nil {
		return importPage{}, err
	}
	// What needs a person's eyes comes first.
	rows, err := h.Store.ImportRows(r.Context(), kept.UID, 0, rowsShown, store.ImportBad, store.ImportOpen, store.ImportFailed)
	if err != nil {
		return importPage{}, err
	}
	if len(rows) < rowsShown {
		fine, err := h.Store.ImportRows(r.Context(), kept.UID, 0, rowsShown-len(rows), store.ImportReady, store.ImportSent)
		if err != nil {
			return importPage{}, err
		}
		rows = append(rows, fine...)
	}
	shown := describeImport(kept, counts, h.importState(r.Context(), kept, counts))
	for _, row := range rows {
		shown.Rows = append(shown.Rows, describeRow(row, shown.State))
	}
	return shown, nil
}

// stateTimeout is how long a page waits for Temporal; the rows that it shows are the database's.
const stateTimeout = 2 * time.Second

// importState is "" before sending has begun, and while Temporal does not answer.
func (h *dashboard) importState(ctx context.Context, kept store.Import, counts map[store.ImportOutcome]int) imports.State {
	ctx, cancel := context.WithTimeout(ctx, stateTimeout)
	defer cancel()
	state, err := h.Imports.State(ctx, kept, counts[store.ImportReady])
	if err != nil {
		h.Log.Debug("dashboard: import", zap.Error(err))
	}
	return state
}

// describeImport says how far an import is.
func describeImport(kept store.Import, counts map[store.ImportOutcome]int, state imports.State) importPage {
	all := 0
	for _, n := range counts {
		all += n
	}
	ready, sent, failed, open, bad := counts[store.ImportReady], counts[store.ImportSent], counts[store.ImportFailed], counts[store.ImportOpen], counts[store.ImportBad]
	shown := importPage{Import: kept, Live: importsPath + "/" + kept.UID + "/live?drawn=" + drawn(state, counts),
		Total: ready + sent + failed, Done: sent + failed, Good: ready, Open: open,
		State: state, Over: state == imports.Stopped || state == imports.Done}
	if all > rowsShown {
		shown.More = fmt.Sprintf("%s of %s rows are shown, those with a problem first. The CSV file has all.", thousands(rowsShown), thousands(all))
	}
	left := notSent(bad, open)
	switch {
	case kept.Started == nil:
		shown.Heading = thousands(ready) + " of " + count(all, "row") + " can be sent"
		shown.Said = left
		shown.OpenLabel = "Also send another request to " + count(open, "customer") + " with an open one"
		shown.StartLabel = "Send " + count(ready, "data request")
	case state == imports.Done:
		shown.Heading = "Done"
		shown.Said = strings.TrimSpace(upper(count(sent, "data request")) + " sent. " + left)
		if failed > 0 {
			shown.Said += " " + count(failed, "row") + " refused."
		}
	default:
		words := importWords(state)
		shown.Heading = words.name
		shown.Said = fmt.Sprintf("%s of %s sent. %s", thousands(shown.Done), thousands(shown.Total), words.next)
	}
	return shown
}

// drawn marks what a page shows of an import, so that it hears of what is newer.
func drawn(state imports.State, counts map[store.ImportOutcome]int) string {
	return fmt.Sprintf("%s-%d", state, counts[store.ImportSent]+counts[store.ImportFailed])
}

func notSent(bad, open int) string {
	var parts []string
	if bad > 0 {
		parts = append(parts, upper(count(bad, "row"))+" to mend: correct the file and upload it again, the rest is not sent twice.")
	}
	if open > 0 {
		parts = append(parts, upper(count(open, "customer"))+" with an open request already.")
	}
	return strings.Join(parts, " ")
}

func describeRow(row store.ImportRow, state imports.State) importRow {
	words := outcomeWords(row.Outcome, state)
	shown := importRow{ImportRow: row, Outcome: words.Name, Tone: words.Tone}
	if row.Problem != "" {
		shown.Problems = strings.Split(row.Problem, "\n")
	}
	if row.Outcome == store.ImportSent {
		shown.Request = imports.RequestUID(row)
	}
	return shown
}

func (h *dashboard) startImport(w http.ResponseWriter, r *http.Request, p person) error {
	in := imports.Input{ImportUID: r.PathValue("uid"), Requester: p.requester.UID, AlsoOpen: r.PostFormValue("open") != ""}
	return h.steerImport(w, r, p, func(ctx context.Context) error {
		if err := h.Imports.Start(ctx, in); err != nil {
			return temporalError(err)
		}
		// The first batch notes this too; whoever has pressed the button sees so at once.
		return h.Store.StartImport(ctx, in.Requester, in.ImportUID, in.AlsoOpen)
	})
}

// updateImport pauses, resumes or stops an import.
func (h *dashboard) updateImport(name string) func(http.ResponseWriter, *http.Request, person) error {
	return func(w http.ResponseWriter, r *http.Request, p person) error {
		return h.steerImport(w, r, p, func(ctx context.Context) error {
			return temporalError(h.Imports.Update(ctx, r.PathValue("uid"), name))
		})
	}
}

// steerImport does something to an import of the requester's and goes on to its page.
func (h *dashboard) steerImport(w http.ResponseWriter, r *http.Request, p person, do func(context.Context) error) error {
	kept, err := h.Store.Import(r.Context(), p.requester.UID, r.PathValue("uid"))
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(r.Context(), temporalTimeout)
	defer cancel()
	if err := do(ctx); err != nil {
		return err
	}
	http.Redirect(w, r, importsPath+"/"+kept.UID, http.StatusSeeOther)
	return nil
}

// followImport streams "changed" while the import goes on.
func (h *dashboard) followImport(w http.ResponseWriter, r *http.Request, p person) error {
	kept, err := h.Store.Import(r.Context(), p.requester.UID, r.PathValue("uid"))
	if err != nil {
		return err
	}
	told := r.FormValue("drawn")
	stream, err := web.NewStream(w, r)
	ticker := time.NewTicker(lookEvery)
	defer ticker.Stop()
	for err == nil {
		var counts map[store.ImportOutcome]int
		if counts, err = h.Store.ImportCounts(r.Context(), kept.UID); err != nil {
			break
		}
		if now := drawn(h.importState(r.Context(), kept, counts), counts); now != told {
			told = now
			err = stream.Send(web.Event{Name: "changed", Data: now})
		}
		select {
		case <-r.Context().Done():
			return nil
		case <-ticker.C:
		}
	}
	return nil // the stream has begun: there is no page to say anything on
}

// outcomesFile is every row with what became of it.
func (h *dashboard) outcomesFile(w http.ResponseWriter, r *http.Request, p person) error {
	kept, err := h.Store.Import(r.Context(), p.requester.UID, r.PathValue("uid"))
	if err != nil {
		return err
	}
	rows, err := h.Store.ImportRows(r.Context(), kept.UID, 0, csvfile.MaxRows)
	if err != nil {
		return err
	}
	lines := make([][]string, len(rows))
	for i, row := range rows {
		request := ""
		if row.Outcome == store.ImportSent {
			request = imports.RequestUID(row)
		}
		lines[i] = []string{strconv.Itoa(row.Line), row.Email, row.Name, row.Nickname, row.Utility, row.Expires, string(row.Outcome),
			strings.ReplaceAll(row.Problem, "\n", "; "), request}
	}
	return writeFile(w, "outcomes-"+kept.UID+".csv",
		[]string{"line", "email", "name", "nickname", "utility", "expires", "outcome", "problem", "request_uid"}, lines)
}
