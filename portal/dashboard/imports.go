package dashboard

import (
	"context"
	"crypto/sha256"
	"encoding/base32"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path"
	"strconv"
	"strings"
	"time"

	"go.uber.org/zap"

	"github.com/meterkey/meterkey"
	"github.com/meterkey/meterkey/internal/store"
	"github.com/meterkey/meterkey/portal/csvfile"
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
	Running, Stopped        bool
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

// outcomeWords is how people read an outcome.
func outcomeWords(o store.ImportOutcome, running bool) badge {
	switch o {
	case store.ImportBad:
		return badge{"To mend", toneFailed}
	case store.ImportOpen:
		return badge{"Asked already", toneWaits}
	case store.ImportSent:
		return badge{"Sent", toneGood}
	case store.ImportFailed:
		return badge{"Refused", toneFailed}
	case store.ImportReady:
	}
	if running {
		return badge{"Waiting its turn", toneBusy}
	}
	return badge{"Ready", toneGood}
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
	if shown.Running {
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
	shown := h.describeImport(kept, counts)
	for _, row := range rows {
		shown.Rows = append(shown.Rows, h.describeRow(row, shown.Running))
	}
	return shown, nil
}

// describeImport says how far an import is.
func (h *dashboard) describeImport(kept store.Import, counts map[store.ImportOutcome]int) importPage {
	all := 0
	for _, n := range counts {
		all += n
	}
	ready, sent, failed, open, bad := counts[store.ImportReady], counts[store.ImportSent], counts[store.ImportFailed], counts[store.ImportOpen], counts[store.ImportBad]
	shown := importPage{Import: kept, Live: importsPath + "/" + kept.UID + "/live?done=" + strconv.Itoa(sent+failed),
		Total: ready + sent + failed, Done: sent + failed, Good: ready, Open: open,
		Running: kept.Started != nil && h.jobs.running(kept.UID)}
	shown.Stopped = kept.Started != nil && !shown.Running && ready > 0
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
	case shown.Running:
		shown.Said = fmt.Sprintf("%s of %s sent.", thousands(shown.Done), thousands(shown.Total))
	case shown.Stopped:
		shown.Said = fmt.Sprintf("It stopped after %s of %s. Go on: nobody is sent a request twice.", thousands(shown.Done), thousands(shown.Total))
	default:
		shown.Said = strings.TrimSpace(upper(count(sent, "data request")) + " sent. " + left)
		if failed > 0 {
			shown.Said += " " + count(failed, "row") + " refused."
		}
	}
	return shown
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

func (h *dashboard) describeRow(row store.ImportRow, running bool) importRow {
	words := outcomeWords(row.Outcome, running)
	shown := importRow{ImportRow: row, Outcome: words.Name, Tone: words.Tone}
	if row.Problem != "" {
		shown.Problems = strings.Split(row.Problem, "\n")
	}
	if row.Outcome == store.ImportSent {
		shown.Request = rowUID(row)
	}
	return shown
}

// rowUID is the uid of the request that a row leads to: the same whenever and wherever it is sent, so that it is sent once.
func rowUID(row store.ImportRow) string {
	sum := sha256.Sum256([]byte(row.ImportUID + ":" + strconv.Itoa(row.Line)))
	return strings.ToLower(base32.StdEncoding.EncodeToString(sum[:10]))
}

func (h *dashboard) startImport(w http.ResponseWriter, r *http.Request, p person) error {
	uid := r.PathValue("uid")
	if err := h.Store.StartImport(r.Context(), p.requester.UID, uid, r.PostFormValue("open") != ""); err != nil {
		return err
	}
	h.jobs.start(uid, func() {
		// The person may leave; sending goes on.
		if err := h.sendImport(context.WithoutCancel(r.Context()), p, uid); err != nil {
			h.Log.Warn("dashboard: sending an import stopped", zap.String("import", uid), zap.Error(err))
		}
	})
	http.Redirect(w, r, importsPath+"/"+uid, http.StatusSeeOther) //nolint:gosec // a path of the dashboard's
	return nil
}

// sendBatch is how many rows are read at a time.
const sendBatch = 100

// sendImport sends what is still to be sent, row by row.
func (h *dashboard) sendImport(ctx context.Context, p person, uid string) error {
	for {
		rows, err := h.Store.ImportRows(ctx, uid, 0, sendBatch, store.ImportReady)
		if err != nil || len(rows) == 0 {
			return err
		}
		for _, row := range rows {
			if err := h.sendRow(ctx, p, row); err != nil {
				return err
			}
		}
	}
}

// sendRow sends one row. An error is one that another row would meet too.
func (h *dashboard) sendRow(ctx context.Context, p person, row store.ImportRow) error {
	err := h.send(ctx, p, store.Request{UID: rowUID(row), CustomerEmail: row.Email, CustomerName: row.Name, Nickname: row.Nickname,
		Utility: row.Utility, Scope: scope(row.Expires)})
	row.Outcome = store.ImportSent
	if errors.Is(err, meterkey.ErrInvalidRequest) {
		row.Outcome, row.Problem, err = store.ImportFailed, err.Error(), nil
	}
	if err != nil {
		return err
	}
	return h.Store.FinishImportRow(ctx, row)
}

// followImport streams "changed" while the import goes on.
func (h *dashboard) followImport(w http.ResponseWriter, r *http.Request, p person) error {
	uid := r.PathValue("uid")
	if _, err := h.Store.Import(r.Context(), p.requester.UID, uid); err != nil {
		return err
	}
	told, _ := strconv.Atoi(r.FormValue("done")) // not a number: the page is drawn anew once
	stream, err := web.NewStream(w, r)
	ticker := time.NewTicker(lookEvery)
	defer ticker.Stop()
	for err == nil {
		running := h.jobs.running(uid)
		var counts map[store.ImportOutcome]int
		if counts, err = h.Store.ImportCounts(r.Context(), uid); err != nil {
			break
		}
		if sent := counts[store.ImportSent] + counts[store.ImportFailed]; sent != told || !running {
			told = sent
			err = stream.Send(web.Event{Name: "changed", Data: strconv.Itoa(sent)})
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
			request = rowUID(row)
		}
		lines[i] = []string{strconv.Itoa(row.Line), row.Email, row.Name, row.Nickname, row.Utility, row.Expires, string(row.Outcome),
			strings.ReplaceAll(row.Problem, "\n", "; "), request}
	}
	return writeFile(w, "outcomes-"+kept.UID+".csv",
		[]string{"line", "email", "name", "nickname", "utility", "expires", "outcome", "problem", "request_uid"}, lines)
}
