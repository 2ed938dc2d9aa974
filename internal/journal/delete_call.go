package journal

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// DeleteCall deletes everything about a call that has ended. When it returns nil, nothing that was said on it is in
// the files any more: not in the index of words, not in the log, not in what SQLite has freed. Copies made by Backup
// keep it, and so does a damaged journal that was put aside; a delivery under way may still arrive. What endpoints have not got yet they never will.
//
// It fails with ErrNoCall or ErrCallUp. If ctx ends while somebody still reads an old state of the file, the
// call is deleted but the log may hold some of it until it is next emptied; the error is that of ctx.
func (s *Store) DeleteCall(ctx context.Context, id string) error {
	if err := s.flush(ctx); err != nil {
		return err
	}
	var gone forgotten
	err := s.change(ctx, func(w *writer) error {
		var key, streams int64
		err := w.conn.QueryRowContext(w.ctx, `SELECT key, streams FROM calls WHERE id = ?`, id).Scan(&key, &streams)
		switch {
		case errors.Is(err, sql.ErrNoRows):
			gone.err = ErrNoCall
		case err != nil:
			return err
		case streams > 0:
			gone.err = ErrCallUp
		default:
			return gone.call(w, key, id)
		}
		return nil
	})
	if err := errors.Join(err, gone.err); err != nil {
		return err
	}
	s.forgot(gone)
	return s.emptyLog(ctx)
}

// forgotten counts what is deleted in a transaction.
type forgotten struct {
	calls     int64
	waiting   int64
	positions []int64
	err       error
}

// call deletes a call.
func (f *forgotten) call(w *writer, key int64, id string) error {
	rows, err := w.conn.QueryContext(w.ctx, `SELECT e.position, (SELECT count(*) FROM deliveries d WHERE d.position = e.position AND d.state = 'waiting')
		FROM events e WHERE e.call = ?`, key)
	if err != nil {
		return err
	}
	for rows.Next() {
		var position, waiting int64
		if err := rows.Scan(&position, &waiting); err != nil {
			return errors.Join(err, rows.Close())
		}
		f.positions = append(f.positions, position)
		f.waiting += waiting
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return err
	}
	for _, statement := range []string{
		`DELETE FROM said WHERE rowid IN (SELECT position FROM events WHERE call = ? AND type = 'utterance.final')`,
		`DELETE FROM attempts WHERE event IN (SELECT id FROM events WHERE call = ?)`,
		`DELETE FROM deliveries WHERE position IN (SELECT position FROM events WHERE call = ?)`,
		`UPDATE retired SET position = max(position, coalesce((SELECT max(position) FROM events WHERE call = ?), 0))`,
		`DELETE FROM events WHERE call = ?`,
		`DELETE FROM calls WHERE key = ?`,
	} {
		if _, err := w.conn.ExecContext(w.ctx, statement, key); err != nil {
			return err
		}
	}
	delete(w.calls, id)
	f.calls++
	return nil
}

// forgot takes what a committed transaction deleted out of memory.
func (s *Store) forgot(f forgotten) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stats.DeletedCalls += f.calls
	s.stats.Waiting -= f.waiting
	for _, position := range f.positions {
		for _, endpoint := range s.options.Endpoints {
			s.tail.settle(position, endpoint)
		}
	}
}

// emptyLog moves what is in SQLite's log to the file and cuts the log to nothing. That cannot be done while
// somebody reads; then it is tried again until ctx ends.
func (s *Store) emptyLog(ctx context.Context) error {
	for {
		done := make(chan error, 1)
		if err := s.submit(ctx, &task{do: checkpoint, result: done}); err != nil {
			return err
		}
		err := s.await(ctx, done)
		if !errors.Is(err, errBusy) {
			return err
		}
		select {
		case <-time.After(20 * time.Millisecond):
		case <-ctx.Done():
			return fmt.Errorf("journal: empty the log: %w", ctx.Err())
		}
	}
}

var errBusy = errors.New("journal: somebody reads")

// checkpoint empties the log if nobody reads.
func checkpoint(w *writer) error {
	// It must not make those wait who append.
	if _, err := w.conn.ExecContext(w.ctx, `PRAGMA busy_timeout = 0`); err != nil {
		return explain("checkpoint", err)
	}
	var busy, frames, moved int
	err := w.conn.QueryRowContext(w.ctx, `PRAGMA wal_checkpoint(TRUNCATE)`).Scan(&busy, &frames, &moved)
	_, reset := w.conn.ExecContext(w.ctx, `PRAGMA busy_timeout = 10000`)
	if err := errors.Join(err, reset); err != nil {
		return explain("checkpoint", err)
	}
	if busy != 0 {
		return errBusy
	}
	return nil
}
