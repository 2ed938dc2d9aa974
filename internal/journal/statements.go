package journal

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// newWriter returns the writer with its connection and prepared statements.
func newWriter(ctx context.Context, s *Store) (*writer, error) {
	conn, err := s.write.Conn(ctx)
	if err != nil {
		return nil, wrapSQLite("open", err)
	}
	w := &writer{store: s, conn: conn, ctx: ctx, endpoints: map[string]int64{}, calls: map[string]*callState{}}
	if err := errors.Join(w.prepare(), w.load()); err != nil {
		return nil, errors.Join(err, w.close())
	}
	return w, nil
}

// prepare compiles the statements.
func (w *writer) prepare() error {
	for _, p := range []struct {
		to    **sql.Stmt
		query string
	}{
		{&w.begin, `BEGIN IMMEDIATE`},
		{&w.commit, `COMMIT`},
		{&w.rollback, `ROLLBACK`},
		{&w.findCall, `SELECT c.key, c.streams, c.ended IS NOT NULL, max(c.floor, coalesce((SELECT max(sequence) FROM events WHERE call = c.key), 0)) FROM calls c WHERE c.id = ?`},
		{&w.insertCall, `INSERT INTO calls (id, carrier, from_number, to_number, direction, started, streams) VALUES (?, ?, ?, ?, ?, ?, 0)`},
		{&w.updateCall, `UPDATE calls SET streams = ?, ended = ?, reason = ?, duration_ms = ? WHERE key = ?`},
		{&w.insertEvent, `INSERT INTO events (position, id, call, sequence, type, stored, body, sum) VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING`},
		{&w.findEvent, `SELECT e.position, c.id, e.sequence, e.type, e.stored, e.body FROM events e JOIN calls c ON c.key = e.call WHERE e.id = ?`},
		{&w.insertDelivery, `INSERT INTO deliveries (position, endpoint, state) VALUES (?, ?, 'waiting')`},
		{&w.insertSaid, `INSERT INTO said (rowid, text) VALUES (?, ?)`},
		{&w.settleWaiting, `UPDATE deliveries SET state = ?3, reason = ?4, settled = ?5 WHERE position = ?1 AND endpoint = ?2 AND state = 'waiting'`},
		{&w.settleAgain, `INSERT INTO deliveries (position, endpoint, state, settled)
			SELECT position, ?2, 'delivered', ?3 FROM events WHERE position = ?1
			ON CONFLICT (position, endpoint) DO UPDATE SET state = 'delivered', reason = '', settled = excluded.settled WHERE state = 'dead'`},
		{&w.insertTry, `INSERT INTO attempts (event, endpoint, number, live, redelivery, started, latency_us, status, class, error, remote, answer)
			SELECT ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ? WHERE EXISTS (SELECT 1 FROM events WHERE id = ?1)`},
	} {
		var err error
		if *p.to, err = w.conn.PrepareContext(w.ctx, p.query); err != nil {
			if code(err) == codeError { // the tables were changed
				return fmt.Errorf("%w: %w", ErrDamaged, err)
			}
			return wrapSQLite("prepare", err)
		}
		w.prepared = append(w.prepared, *p.to)
	}
	return nil
}

func closeStatements(all []*sql.Stmt) error {
	var errs []error
	for _, s := range all {
		errs = append(errs, s.Close())
	}
	return errors.Join(errs...)
}

// load reads the state of the journal. Calls that were up when the last process ended are marked as ended.
func (w *writer) load() error {
	for _, name := range w.store.options.Endpoints {
		if _, err := w.conn.ExecContext(w.ctx, `INSERT INTO endpoints (name) VALUES (?) ON CONFLICT DO NOTHING`, name); err != nil {
			return wrapSQLite("endpoints", err)
		}
		var key int64
		if err := w.conn.QueryRowContext(w.ctx, `SELECT key FROM endpoints WHERE name = ?`, name).Scan(&key); err != nil {
			return wrapSQLite("endpoints", err)
		}
		w.endpoints[name] = key
	}
	err := w.markAllCallsEnded()
	if w.callsEnded = err == nil; err != nil {
		if !errors.Is(err, ErrDisk) {
			return err
		}
		w.store.committed(0, 0, err)
	}
	row := w.conn.QueryRowContext(w.ctx, `SELECT max(coalesce((SELECT max(position) FROM events), 0), (SELECT position FROM retired))`)
	if err := row.Scan(&w.last); err != nil {
		return wrapSQLite("read", err)
	}
	w.committedLast = w.last
	var waiting int64
	if err := w.conn.QueryRowContext(w.ctx, `SELECT count(*) FROM deliveries WHERE state = 'waiting'`).Scan(&waiting); err != nil {
		return wrapSQLite("read", err)
	}
	w.store.stats.Waiting = waiting
	if err := w.store.checkWaiting(w.ctx); err != nil {
		return err
	}
	var stored sql.NullInt64
	if err := w.conn.QueryRowContext(w.ctx, `SELECT stored FROM events ORDER BY position DESC LIMIT 1`).Scan(&stored); err != nil && !errors.Is(err, sql.ErrNoRows) {
		return wrapSQLite("read", err)
	}
	if w.newest = time.Now().Round(0); stored.Valid {
		w.newest = time.Unix(0, stored.Int64)
	}
	return nil
}

// maxCheckedEvents bounds the events that Open reads.
const maxCheckedEvents = 100_000

// checkWaiting reads the undelivered events, so that damage in them is detected and repaired at Open.
func (s *Store) checkWaiting(ctx context.Context) error {
	return s.each(ctx, func(rows *sql.Rows) error {
		_, err := scanRecord(rows)
		return err
	}, `SELECT `+recordColumns+fromDeliveries+` WHERE d.state = 'waiting' ORDER BY d.position LIMIT ?`, maxCheckedEvents)
}

// markAllCallsEnded marks all calls as not up: they ended with the last process. If the disk is full, the first
// transaction that succeeds does it.
func (w *writer) markAllCallsEnded() error {
	if _, err := w.conn.ExecContext(w.ctx, `UPDATE calls SET streams = 0 WHERE streams > 0`); err != nil {
		return wrapSQLite("calls", err)
	}
	return nil
}
