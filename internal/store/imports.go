package store

import (
	"context"
	"time"

	"github.com/uptrace/bun"
)

// Import is a file of customers who are sent data requests together.
type Import struct {
	bun.BaseModel `bun:"table:imports,alias:import_"`

	UID          string `bun:"uid,pk"`
	RequesterUID string
	FileName     string
	// Ignored names the columns that meant nothing, for people.
	Ignored string
	Created time.Time
	// Started is when sending began, nil while the file is only looked at.
	Started *time.Time
}

// ImportOutcome is what became of a line.
type ImportOutcome string

// The outcomes of a line. Only ready ones are still to be sent.
const (
	ImportReady  ImportOutcome = "ready"
	ImportBad    ImportOutcome = "bad"    // a mistake in it
	ImportOpen   ImportOutcome = "open"   // the customer has an open request already
	ImportSent   ImportOutcome = "sent"   // the request is with the customer
	ImportFailed ImportOutcome = "failed" // the request was refused
)

// ImportRow is one customer of the file.
type ImportRow struct {
	bun.BaseModel `bun:"table:import_rows,alias:import_row"`

	ImportUID string `bun:"import_uid,pk"`
	// Line is where it stands in the file, from 1.
	Line                                    int `bun:"line,pk"`
	Email, Name, Nickname, Utility, Expires string
	Outcome                                 ImportOutcome
	// Problem says what is wrong, for people.
	Problem string
}

// AddImport keeps a file and its rows. ErrNotFound without such a requester.
func (s *Store) AddImport(ctx context.Context, i Import, rows []ImportRow) (Import, error) {
	i.UID, i.Created, i.Started = NewUID(), s.now(), nil
	for n := range rows {
		rows[n].ImportUID = i.UID
	}
	return i, s.write(ctx, "keeping import", func(ctx context.Context, tx bun.Tx) error {
		if err := put(ctx, tx, &i); err != nil {
			return err
		}
		return insert(ctx, tx, rows, func(q *bun.InsertQuery) *bun.InsertQuery { return q })
	})
}

// Import reads one. ErrNotFound.
func (s *Store) Import(ctx context.Context, requesterUID, uid string) (Import, error) {
	return one[Import](ctx, s.db, "reading import", owned(requesterUID, uid))
}

// Imports lists a requester's imports, newest first, limit at most.
func (s *Store) Imports(ctx context.Context, requesterUID string, limit int) ([]Import, error) {
	var all []Import
	err := s.db.NewSelect().Model(&all).Where("requester_uid = ?", requesterUID).
		OrderBy("created", bun.OrderDesc).OrderBy("uid", bun.OrderDesc).Limit(int64(limit)).Scan(ctx)
	return all, failed("listing imports", err)
}

// ImportRows lists rows of an import in the order of the file, those after the given line and limit at most. Outcomes
// narrow the list; none does not.
func (s *Store) ImportRows(ctx context.Context, importUID string, after, limit int, outcomes ...ImportOutcome) ([]ImportRow, error) {
	var rows []ImportRow
	query := s.db.NewSelect().Model(&rows).Where("import_uid = ?", importUID).Where("line > ?", after).
		OrderBy("line", bun.OrderAsc).Limit(int64(limit))
	oneOf(query, "outcome", outcomes)
	return rows, failed("listing import rows", query.Scan(ctx))
}

// ImportCounts counts an import's rows by what became of them; outcomes without any are absent.
func (s *Store) ImportCounts(ctx context.Context, importUID string) (map[ImportOutcome]int, error) {
	var groups []struct {
		Outcome ImportOutcome
		Count   int
	}
	err := s.db.NewSelect().Model((*ImportRow)(nil)).Column("outcome").ColumnExpr("COUNT(*) AS count").
		Where("import_uid = ?", importUID).Group("outcome").Scan(ctx, &groups)
	counts := map[ImportOutcome]int{}
	for _, group := range groups {
		counts[group.Outcome] = group.Count
	}
	return counts, failed("counting import rows", err)
}

// StartImport notes that sending begins; with alsoOpen the customers who have an open request are sent another one.
// ErrNotFound; starting again changes nothing.
func (s *Store) StartImport(ctx context.Context, requesterUID, uid string, alsoOpen bool) error {
	return s.write(ctx, "starting import", func(ctx context.Context, tx bun.Tx) error {
		i, err := one[Import](ctx, tx, "reading import", func(q *bun.SelectQuery) *bun.SelectQuery {
			return s.locked(owned(requesterUID, uid)(q))
		})
		if err != nil || i.Started != nil {
			return err
		}
		now := s.now()
		i.Started = &now
		if err := save(ctx, tx, &i); err != nil || !alsoOpen {
			return err
		}
		_, err = tx.NewUpdate().Model((*ImportRow)(nil)).Set("outcome = ?", ImportReady).Set("problem = ''").
			Where("import_uid = ?", uid).Where("outcome = ?", ImportOpen).Exec(ctx)
		return err
	})
}

// FinishImportRow notes what became of a line. ErrNotFound.
func (s *Store) FinishImportRow(ctx context.Context, row ImportRow) error {
	return s.write(ctx, "finishing import row", func(ctx context.Context, tx bun.Tx) error {
		return some(tx.NewUpdate().Model(&row).Column("outcome", "problem").WherePK().Exec(ctx))
	})
}

// ForgetImports forgets a requester's imports made before the given time; the requests stay.
func (s *Store) ForgetImports(ctx context.Context, requesterUID string, before time.Time) error {
	return s.write(ctx, "forgetting imports", func(ctx context.Context, tx bun.Tx) error {
		_, err := tx.NewDelete().Model((*Import)(nil)).Where("requester_uid = ?", requesterUID).
			Where("created < ?", before).Exec(ctx)
		return err
	})
}
