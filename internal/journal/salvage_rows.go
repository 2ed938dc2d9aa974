package journal

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"aldeabridge/events"
)

const (
	// maxPosition is the highest plausible position. Higher ones would not be exact in every JSON reader.
	maxPosition = 1 << 52
	// rootPages bounds the page numbers of table roots: SQLite keeps them at the front of a file with auto_vacuum.
	rootPages = 64
)

// A salvager copies the rows of a damaged journal to a new one. It identifies tables by the types of their columns.
type salvager struct {
	conn    *sql.Conn
	from    *pageFile
	options Options
	report  Salvage

	prepared                                    []*sql.Stmt // all statements below
	event, call, delivery, attempt, said, trace *sql.Stmt
	keys                                        map[string]int64            // keys of calls by id
	callIDs                                     map[int64]string            // ids of calls by key
	fresh                                       int64                       // number of calls that got a new key
	names                                       map[uint32]map[int64]string // possible endpoint names, by page and key
	root                                        uint32                      // root page of the endpoints table according to the schema
	named                                       bool                        // the endpoints were found
	isJournal                                   bool                        // a row was found that only a journal has
	last                                        int64                       // highest position found
	read, failed                                int64                       // number of pages
	err                                         error                       // of writing the new journal
}

// copyPages copies the rows of all pages of the damaged journal.
func (c *salvager) copyPages(ctx context.Context) error {
	if err := c.prepare(ctx); err != nil {
		return err
	}
	warned := time.Now()
	last := c.from.inFile()
	for n := uint32(1); n <= last; n++ {
		c.page(ctx, n)
		if n%256 == 0 && time.Since(warned) > warnInterval {
			warned = time.Now()
			c.options.Logger.Warn("journal is being repaired", "pages", n, "of", last, "events", c.report.Events)
		}
	}
	for n := range c.from.newer {
		if n > last { // only in the WAL
			c.page(ctx, n)
		}
	}
	for _, piece := range c.from.tail.beyond { // rows that exist already are not replaced by older ones
		c.from.apply(piece.frames)
		for n := range piece.newest() {
			c.page(ctx, n)
		}
	}
	if c.err != nil {
		return c.err
	}
	if c.read == 0 && c.failed > 0 {
		return fmt.Errorf("%w: none of the %d pages can be read", ErrDisk, c.failed)
	}
	return c.rebuild(ctx)
}

// page copies the rows of a page.
func (c *salvager) page(ctx context.Context, n uint32) {
	if c.err != nil || isMap(n) {
		return
	}
	page := c.from.read(n)
	if page == nil {
		c.failed++
		c.report.Unreadable++
		return
	}
	c.read++
	c.report.Unreadable += c.from.rows(n, page, func(r row) { c.err = errors.Join(c.err, c.copyRow(ctx, n, r)) })
}

// isMap reports whether page n is a pointer-map page: the second page, and one after each group of pages that it
// describes.
func isMap(n uint32) bool { return n >= 2 && (n-2)%(pageSize/5+1) == 0 }

func (c *salvager) prepare(ctx context.Context) error {
	if _, err := c.conn.ExecContext(ctx, `CREATE TEMP TABLE trace (position INTEGER PRIMARY KEY, call INTEGER NOT NULL, sequence INTEGER NOT NULL)`); err != nil {
		return err
	}
	for _, p := range []struct {
		to    **sql.Stmt
		query string
	}{
		{&c.event, `INSERT OR IGNORE INTO events (position, id, call, sequence, type, stored, body, sum) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`},
		{&c.call, `INSERT INTO calls (key, id, carrier, from_number, to_number, direction, started, ended, streams, reason, duration_ms, floor) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
			ON CONFLICT DO UPDATE SET ended = excluded.ended, streams = excluded.streams, reason = excluded.reason, duration_ms = excluded.duration_ms
			WHERE ended IS NULL AND key = excluded.key AND id = excluded.id`},
		{&c.delivery, `INSERT INTO deliveries (position, endpoint, state, reason, settled) VALUES (?, ?, ?, ?, ?)
			ON CONFLICT DO UPDATE SET state = excluded.state, reason = excluded.reason, settled = excluded.settled WHERE state = 'waiting'`},
		{&c.attempt, `INSERT OR IGNORE INTO attempts (key, event, endpoint, number, live, redelivery, started, latency_us, status, class, error, remote, answer)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`},
		{&c.said, `INSERT INTO said (rowid, text) VALUES (?, ?)`},
		{&c.trace, `INSERT INTO temp.trace (position, call, sequence) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET call = excluded.call, sequence = excluded.sequence WHERE call = 0`},
	} {
		var err error
		if *p.to, err = c.conn.PrepareContext(ctx, p.query); err != nil {
			return err
		}
		c.prepared = append(c.prepared, *p.to)
	}
	return nil
}

// copyRow copies a row of page n.
func (c *salvager) copyRow(ctx context.Context, n uint32, r row) error {
	switch shape(r) {
	case ".TIITIB", ".TIITIBI":
		return c.copyEvent(ctx, r)
	case ".TTTTTIIITI", ".TTTTTI.ITI", ".TTTTTIIITII", ".TTTTTI.ITII":
		return c.copyCall(ctx, r)
	case ".TTIITIIITTTB":
		return insert(ctx, c.attempt, append([]any{r.rowid}, r.values[1:]...)...)
	case "iIITTI":
		return c.copyDelivery(ctx, r)
	case "iIII": // events by call, calls by time
		return c.recordTrace(ctx, r.values[2].(int64), r.values[0].(int64), r.values[1].(int64))
	case "iTI": // events by id, among others
		if id := r.values[0].(string); strings.HasPrefix(id, "evt_") {
			return c.recordTrace(ctx, r.values[1].(int64), 0, 0)
		}
	case ".T": // endpoints, or the words of an utterance
		if n <= rootPages {
			c.recordName(n, r)
		}
	case "I": // the retired position
		c.recordPosition(r.values[0].(int64))
	case "TTTIT": // the schema
		c.copySchema(r.values[1].(string), r.values[3].(int64))
	}
	return nil
}

// shape returns a letter for each value: T text, I integer, B blob, . null, ? anything else. The prefix i means an
// index.
func shape(r row) string {
	var b [16]byte
	s := b[:0]
	if r.index {
		s = append(s, 'i')
	}
	for _, v := range r.values {
		switch v := v.(type) {
		case nil:
			s = append(s, '.')
		case int64:
			s = append(s, 'I')
		case []byte:
			s = append(s, 'B')
		case string:
			if !utf8.ValidString(v) {
				return ""
			}
			s = append(s, 'T')
		default:
			s = append(s, '?')
		}
	}
	return string(s)
}

// recordPosition updates the highest position, and reports whether position is plausible.
func (c *salvager) recordPosition(position int64) bool {
	if position < 1 || position > maxPosition {
		return false
	}
	c.last = max(c.last, position)
	return true
}

// insert executes a prepared statement.
func insert(ctx context.Context, s *sql.Stmt, args ...any) error {
	_, err := s.ExecContext(ctx, args...)
	return err
}

// copyEvent copies an event if its columns agree with its body and checksum.
func (c *salvager) copyEvent(ctx context.Context, r row) error {
	var b struct {
		Type events.Type `json:"type"`
		Data struct {
			Call      struct{ ID string }
			Sequence  int64
			Utterance struct{ Text string }
		} `json:"data"`
	}
	id, sequence, kind := r.values[1].(string), r.values[3].(int64), r.values[4].(string)
	body := r.values[6].([]byte)
	sum := sumOf(id, body)
	whole := json.Unmarshal(body, &b) == nil && (len(r.values) == 7 || r.values[7] == int64(0) || r.values[7] == sum)
	if !whole || string(b.Type) != kind || b.Data.Sequence != sequence || sequence < 1 || id == "" || b.Data.Call.ID == "" || !c.recordPosition(r.rowid) {
		c.report.Unreadable++
		return nil
	}
	key := c.key(b.Data.Call.ID, r.values[2].(int64))
	result, err := c.event.ExecContext(ctx, r.rowid, id, key, sequence, kind, r.values[5], body, sum)
	if err != nil {
		return err
	}
	if n, err := result.RowsAffected(); n == 0 || err != nil {
		return err
	}
	c.isJournal = true
	c.report.Events++
	err = c.recordTrace(ctx, r.rowid, key, sequence)
	if b.Type == events.TypeUtteranceFinal {
		err = errors.Join(err, insert(ctx, c.said, r.rowid, b.Data.Utterance.Text))
	}
	return err
}

// key returns the key of a call: the previous one, unless another call has it. So a damaged key does not assign the
// events of one call to another.
func (c *salvager) key(id string, was int64) int64 {
	if key, ok := c.keys[id]; ok {
		return key
	}
	if _, taken := c.callIDs[was]; taken {
		c.fresh++
		was = maxPosition + c.fresh
	}
	c.keys[id], c.callIDs[was] = was, id
	return was
}

func (c *salvager) copyCall(ctx context.Context, r row) error {
	args := append([]any{int64(0)}, r.values[1:]...)
	if len(args) == 11 { // from a version without the floor column
		args = append(args, int64(0))
	}
	if r.values[1] == "" {
		c.report.Unreadable++
		return nil
	}
	c.isJournal = true
	args[0] = c.key(r.values[1].(string), r.rowid)
	return insert(ctx, c.call, args...)
}

func (c *salvager) copyDelivery(ctx context.Context, r row) error {
	position, state := r.values[0].(int64), r.values[2].(string)
	if !slices.Contains([]string{"waiting", "delivered", "filtered", "dead"}, state) || !c.recordPosition(position) {
		c.report.Unreadable++
		return nil
	}
	return errors.Join(insert(ctx, c.delivery, r.values...), c.recordTrace(ctx, position, 0, 0))
}

// recordTrace records that an event existed, with its call and sequence if they are known.
func (c *salvager) recordTrace(ctx context.Context, position, call, sequence int64) error {
	if call > maxPosition || !c.recordPosition(position) { // a timestamp: the row is from another index
		return nil
	}
	return insert(ctx, c.trace, position, call, sequence)
}

func (c *salvager) recordName(page uint32, r row) {
	if c.names[page] == nil {
		c.names[page] = map[int64]string{}
	}
	c.names[page][r.rowid] = r.values[1].(string)
}

// copySchema evaluates a row of the schema: it can show that the file is a journal, and has the root page of
// endpoints.
func (c *salvager) copySchema(name string, root int64) {
	c.isJournal = c.isJournal || name == "deliveries_waiting"
	if name == "endpoints" {
		c.root = uint32(root)
	}
}
