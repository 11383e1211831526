package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"text/tabwriter"
	"time"

	"github.com/meterkey/meterkey"
	"github.com/meterkey/meterkey/sandbox/devenv"
	"github.com/meterkey/meterkey/sdk"
)

// rowLimit bounds one request. It is far above what any takes.
const rowLimit = 3 * time.Minute

// row is what came of one route.
type row struct {
	route
	id               string
	codePage, meters time.Duration
	found, notices   int
	err              error
}

// demonstrate runs the routes, prints the table and returns an error if any came out otherwise than expected.
func demonstrate(ctx context.Context, s *devenv.Environment, set flags, dir string, out io.Writer) error {
	client, err := s.Client(ctx)
	if err != nil {
		return err
	}
	access, err := s.Grant(ctx)
	if err != nil {
		return err
	}
	visits, err := devenv.OpenBrowser()
	if err != nil {
		return err
	}
	defer visits.Close() //nolint:errcheck // whatever it says, it holds nothing
	began := time.Now()
	report := &reporter{out: out, began: began}
	rows := chosen(routes(&visitor{Access: access, browser: visits}), set.Only, began)
	play(rows, set.AtOnce, func(r *row) { r.run(ctx, s, client, report) })
	for i := range rows {
		rows[i].finish(ctx, s)
		rows[i].notices = countNotices(filepath.Join(dir, "outbox"), rows[i].id)
	}
	fmt.Fprintln(out)
	table(out, rows)
	fmt.Fprintf(out, "\n%d requests in %.0f s\n", len(rows), time.Since(began).Seconds())
	if err := unexpected(rows); err != nil {
		return err
	}
	return store(ctx, s, set.Histories, rows)
}

func chosen(all []route, only string, began time.Time) []row {
	var rows []row
	for i, r := range all {
		if strings.Contains(r.name, only) {
			rows = append(rows, row{route: r, id: fmt.Sprintf("demo-%s-%02d", began.Format("150405"), i+1)})
		}
	}
	return rows
}

// play runs rows side by side, and after them, one by one, those that want to be alone.
func play(rows []row, atOnce int, run func(*row)) {
	var group sync.WaitGroup
	turn := make(chan struct{}, atOnce)
	for i := range rows {
		if rows[i].alone {
			continue
		}
		turn <- struct{}{}
		group.Go(func() {
			run(&rows[i])
			<-turn
		})
	}
	group.Wait()
	for i := range rows {
		if rows[i].alone {
			run(&rows[i])
		}
	}
}

// run plays one route and compares what came of it with what the practice site knows.
func (r *row) run(ctx context.Context, s *devenv.Environment, client *sdk.Client, report *reporter) {
	ctx, cancel := context.WithTimeout(ctx, rowLimit)
	defer cancel()
	c := &devenv.Customer{Environment: s, Client: client, ID: r.id, Utility: r.utility, User: r.account + "." + r.id + "@example.com",
		Say: func(format string, args ...any) { report.line(r.name, fmt.Sprintf(format, args...)) }}
	if r.err = r.send(ctx, c); r.err != nil {
		return
	}
	state, err := r.play(ctx, c)
	r.codePage, r.meters, r.found, r.err = c.CodePage, c.Meters, len(state.Meters), err
	if err == nil {
		r.err = r.compare(ctx, c, state)
	}
	if r.err != nil {
		report.line(r.name, "NOT AS EXPECTED: "+r.err.Error())
	}
}

// send sends the data request; the API gives it an id of its own.
func (r *row) send(ctx context.Context, c *devenv.Customer) error {
	if r.ask == nil {
		return c.Start(ctx)
	}
	err := r.ask(ctx, c)
	r.id = c.ID
	return err
}

// finish waits until the request's notices are sent: a run ends after its last one.
func (r *row) finish(ctx context.Context, s *devenv.Environment) {
	if r.err != nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, rowLimit)
	defer cancel()
	r.err = s.Run(ctx, r.id, &meterkey.Result{})
}

// ledger is what the practice site counted.
type ledger struct {
	Logins         int `json:"logins"`
	CodesSubmitted int `json:"codes_submitted"`
}

func (r *row) compare(ctx context.Context, c *devenv.Customer, state meterkey.State) error {
	var known []meterkey.Meter
	if err := c.Get(ctx, "/accounts/"+c.Utility+"/"+c.User, &known); err != nil {
		return err
	}
	if !slices.Equal(known, state.Meters) {
		return fmt.Errorf("%w: the meters differ from the practice site's:\n  read %v\n  site %v", errUnexpected, state.Meters, known)
	}
	var l ledger
	if err := c.Get(ctx, "/ledger/"+c.Utility+"/"+c.User, &l); err != nil {
		return err
	}
	if l.Logins != r.logins || l.CodesSubmitted != r.codes {
		return fmt.Errorf("%w: the practice site counted %d logins and %d codes, not %d and %d", errUnexpected, l.Logins, l.CodesSubmitted, r.logins, r.codes)
	}
	return nil
}

// reporter prints what happens as it happens.
type reporter struct {
	mu    sync.Mutex
	out   io.Writer
	began time.Time
}

func (r *reporter) line(name, what string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	fmt.Fprintf(r.out, "%6.1f s  %-40s%s\n", time.Since(r.began).Seconds(), name, what)
}

func table(out io.Writer, rows []row) {
	w := tabwriter.NewWriter(out, 0, 0, 3, ' ', 0)
	fmt.Fprintln(w, "ROUTE\tTO CODE PAGE\tTO METERS\tMETERS\tNOTICES\tOUTCOME")
	for _, r := range rows {
		fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%d\t%s\n", r.name, seconds(r.codePage), seconds(r.meters), r.found, r.notices, r.outcome())
	}
	if err := w.Flush(); err != nil {
		fmt.Fprintln(out, "the table could not be written:", err)
	}
	fmt.Fprintln(out, "\nTO CODE PAGE: from submitting the login. TO METERS: from the customer's last act (the code, or the login where no code is asked).")
}

func seconds(d time.Duration) string {
	if d == 0 {
		return "–"
	}
	return fmt.Sprintf("%.1f s", d.Seconds())
}

func (r *row) outcome() string {
	if r.err != nil {
		return "NOT AS EXPECTED"
	}
	return "connected"
}

func unexpected(rows []row) error {
	var all []error
	for _, r := range rows {
		if r.err != nil {
			all = append(all, fmt.Errorf("%s: %w", r.name, r.err))
		}
	}
	return errors.Join(all...)
}

// countNotices counts a request's notices in the outbox; their files begin with the request's id.
func countNotices(outbox, id string) int {
	entries, err := os.ReadDir(outbox)
	if err != nil {
		return 0
	}
	n := 0
	for _, entry := range entries {
		if strings.HasPrefix(entry.Name(), id+".") {
			n++
		}
	}
	return n
}
