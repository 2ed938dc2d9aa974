package journal

import (
	"context"
	"database/sql"
	"encoding/base64"
	"errors"
	"fmt"
	"hash/crc32"
	"strings"
	"time"

	"aldeabridge/events"
)

// maxPage bounds a page; defaultPage is used if no limit is given.
const (
	maxPage     = 1000
	defaultPage = 50
)

// page returns limit within its bounds.
func page(limit int) int {
	if limit <= 0 {
		return defaultPage
	}
	return min(limit, maxPage)
}

// A where collects the conditions of a query. All must hold.
type where struct {
	terms []string
	args  []any
}

// add adds a condition with its parameters.
func (w *where) add(term string, args ...any) {
	w.terms = append(w.terms, term)
	w.args = append(w.args, args...)
}

// between adds the condition that a time is in [from, to). A zero time is no bound.
func (w *where) between(column string, from, to time.Time) {
	if !from.IsZero() {
		w.add(column+" >= ?", from.UnixNano())
	}
	if !to.IsZero() {
		w.add(column+" < ?", to.UnixNano())
	}
}

func (w *where) String() string {
	if len(w.terms) == 0 {
		return ""
	}
	return " WHERE " + strings.Join(w.terms, " AND ")
}

// collect returns all rows of a query.
func collect[T any](ctx context.Context, s *Store, scan func(*sql.Rows) (T, error), query string, args ...any) (all []T, err error) {
	err = s.each(ctx, func(rows *sql.Rows) error {
		one, err := scan(rows)
		all = append(all, one)
		return err
	}, query, args...)
	if err != nil {
		return nil, err
	}
	return all, nil
}

// errEnough makes each stop early without an error.
var errEnough = errors.New("enough")

// each calls do with every row of a query, until do returns an error.
func (s *Store) each(ctx context.Context, do func(*sql.Rows) error, query string, args ...any) (err error) {
	defer func() {
		if err != nil {
			err = wrapSQLite("read", err)
			s.markDamaged(err)
		}
	}()
	rows, err := s.read.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	for rows.Next() {
		if err := do(rows); err != nil {
			if errors.Is(err, errEnough) {
				err = nil
			}
			return errors.Join(err, rows.Close())
		}
	}
	return errors.Join(rows.Err(), rows.Close())
}

// recordColumns are the columns that scanRecord reads.
const recordColumns = `e.position, e.id, c.id, e.sequence, e.type, e.stored, e.body, e.sum`

// fromEvents is the FROM clause for recordColumns.
const fromEvents = ` FROM events e JOIN calls c ON c.key = e.call`

func scanRecord(rows *sql.Rows) (r events.Record, err error) {
	r.Stored, err = scanInto(rows, &r)
	return r, err
}

// scanInto reads recordColumns and the columns after them. It returns ErrDamaged if the checksum of the event does
// not match.
func scanInto(rows *sql.Rows, r *events.Record, more ...any) (time.Time, error) {
	var stored, sum int64
	err := rows.Scan(append([]any{&r.Position, &r.ID, &r.CallID, &r.Sequence, &r.Type, &stored, &r.Body, &sum}, more...)...)
	if err == nil && sum != 0 && sum != sumOf(r.ID, r.Body) {
		err = fmt.Errorf("%w: the event at %d was changed", ErrDamaged, r.Position)
	}
	r.Body = events.EscapeHidden(r.Body) // earlier versions stored hidden characters as they are
	return time.Unix(0, stored), err
}

// sumOf returns the checksum of an event, which detects changes by the disk.
func sumOf(id string, body []byte) int64 {
	table := crc32.MakeTable(crc32.Castagnoli) // computed once by the package
	return int64(crc32.Update(crc32.Checksum([]byte(id), table), table, body))
}

// cursor returns an opaque encoding of the position after which the next page begins.
func cursor(a, b int64) string {
	return base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, "%d.%d", a, b))
}

// parseCursor reads a cursor.
func parseCursor(s string) (a, b int64, err error) {
	text, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil {
		return 0, 0, fmt.Errorf("%w: %q", ErrCursor, s)
	}
	if _, err := fmt.Sscanf(string(text), "%d.%d", &a, &b); err != nil || cursor(a, b) != s {
		return 0, 0, fmt.Errorf("%w: %q", ErrCursor, s)
	}
	return a, b, nil
}
