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
	// maxPosition is the highest that is believed. Higher ones would not be whole numbers in every reader of JSON.
	maxPosition = 1 << 52
	// rootPages is where the roots of tables are at most: SQLite keeps them in front in a file that can shrink.
	rootPages = 64
)

// A carrier brings the rows of a damaged journal into a new one. It knows them by their shape.
type carrier struct {
	conn    *sql.Conn
	from    *pageFile
	options Options
	report  Salvage

	prepared                                    []*sql.Stmt // all of the following
	event, call, delivery, attempt, said, trace *sql.Stmt
	keys                                        map[string]int64            // the rows of calls, by id
	callIDs                                     map[int64]string            // and the other way
	fresh                                       int64                       // rows that calls got that had to move
	names                                       map[uint32]map[int64]string // that may be endpoints, by page
	root                                        uint32                      // of the endpoints, as the damaged file says
	named                                       bool                        // the endpoints were found
	ours                                        bool                        // something was found that only a journal has
	last                                        int64                       // the highest position seen
	read, failed                                int64                       // pages
	err                                         error                       // of the new journal
}

// carry fills the new journal from the pages of the damaged one.
func (c *carrier) carry(ctx context.Context) error {
	if err := c.prepare(ctx); err != nil {
		return err
	}
	shout := time.Now()
	last := c.from.inFile()
	for n := uint32(1); n <= last; n++ {
		c.page(ctx, n)
		if n%256 == 0 && time.Since(shout) > shoutEvery {
			shout = time.Now()
			c.options.Logger.Warn("journal is being repaired", "pages", n, "of", last, "events", c.report.Events)
		}
	}
	for n := range c.from.newer {
		if n > last { // it is in the log only
			c.page(ctx, n)
		}
	}
	for _, piece := range c.from.tail.beyond { // what is older than the rest is not taken again
		c.from.take(piece.frames)
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
	return c.mend(ctx)
}

// page carries what a page holds.
func (c *carrier) page(ctx context.Context, n uint32) {
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
	c.report.Unreadable += c.from.rows(n, page, func(r row) { c.err = errors.Join(c.err, c.take(ctx, n, r)) })
}

// isMap says whether a page is one of those in which SQLite notes what the others are: the second, and those after
// each stretch of which one has room to tell.
func isMap(n uint32) bool { return n >= 2 && (n-2)%(pageSize/5+1) == 0 }

func (c *carrier) prepare(ctx context.Context) error {
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

// take carries a row of page n.
func (c *carrier) take(ctx context.Context, n uint32, r row) error {
	switch shape(r) {
	case ".TIITIB", ".TIITIBI":
		return c.takeEvent(ctx, r)
	case ".TTTTTIIITI", ".TTTTTI.ITI", ".TTTTTIIITII", ".TTTTTI.ITII":
		return c.takeCall(ctx, r)
	case ".TTIITIIITTTB":
		return insert(ctx, c.attempt, append([]any{r.rowid}, r.values[1:]...)...)
	case "iIITTI":
		return c.takeDelivery(ctx, r)
	case "iIII": // events by call, calls by time
		return c.takeTrace(ctx, r.values[2].(int64), r.values[0].(int64), r.values[1].(int64))
	case "iTI": // events by id, among others
		if id := r.values[0].(string); strings.HasPrefix(id, "evt_") {
			return c.takeTrace(ctx, r.values[1].(int64), 0, 0)
		}
	case ".T": // endpoints, or the words of an utterance
		if n <= rootPages {
			c.takeName(n, r)
		}
	case "I": // the retired position
		c.see(r.values[0].(int64))
	case "TTTIT": // the schema
		c.takeTable(r.values[1].(string), r.values[3].(int64))
	}
	return nil
}

// shape is a letter for each value: T text, I integer, B blob, . null, ? something else. An i in front is an index.
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

// see notes a position, and says whether it can be one.
func (c *carrier) see(position int64) bool {
	if position < 1 || position > maxPosition {
		return false
	}
	c.last = max(c.last, position)
	return true
}

// insert runs a statement.
func insert(ctx context.Context, s *sql.Stmt, args ...any) error {
	_, err := s.ExecContext(ctx, args...)
	return err
}

// takeEvent carries an event if its body agrees with the rest: a byte that changed can be anywhere.
func (c *carrier) takeEvent(ctx context.Context, r row) error {
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
	if !whole || string(b.Type) != kind || b.Data.Sequence != sequence || sequence < 1 || id == "" || b.Data.Call.ID == "" || !c.see(r.rowid) {
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
	c.ours = true
	c.report.Events++
	err = c.takeTrace(ctx, r.rowid, key, sequence)
	if b.Type == events.TypeUtteranceFinal {
		err = errors.Join(err, insert(ctx, c.said, r.rowid, b.Data.Utterance.Text))
	}
	return err
}

// key is the row of a call: the one where it was, unless another call is there already. A number that changed must not
// give the events of one call to another.
func (c *carrier) key(id string, was int64) int64 {
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

func (c *carrier) takeCall(ctx context.Context, r row) error {
	args := append([]any{int64(0)}, r.values[1:]...)
	if len(args) == 11 { // of before there was a floor
		args = append(args, int64(0))
	}
	if r.values[1] == "" {
		c.report.Unreadable++
		return nil
	}
	c.ours = true
	args[0] = c.key(r.values[1].(string), r.rowid)
	return insert(ctx, c.call, args...)
}

func (c *carrier) takeDelivery(ctx context.Context, r row) error {
	position, state := r.values[0].(int64), r.values[2].(string)
	if !slices.Contains([]string{"waiting", "delivered", "filtered", "dead"}, state) || !c.see(position) {
		c.report.Unreadable++
		return nil
	}
	return errors.Join(insert(ctx, c.delivery, r.values...), c.takeTrace(ctx, position, 0, 0))
}

// takeTrace notes that there was an event, perhaps with its call and sequence.
func (c *carrier) takeTrace(ctx context.Context, position, call, sequence int64) error {
	if call > maxPosition || !c.see(position) { // a time: it is of another index
		return nil
	}
	return insert(ctx, c.trace, position, call, sequence)
}

func (c *carrier) takeName(page uint32, r row) {
	if c.names[page] == nil {
		c.names[page] = map[int64]string{}
	}
	c.names[page][r.rowid] = r.values[1].(string)
}

// takeTable learns from the schema whose file it is, and where the endpoints are.
func (c *carrier) takeTable(name string, root int64) {
	c.ours = c.ours || name == "deliveries_waiting"
	if name == "endpoints" {
		c.root = uint32(root)
	}
}
