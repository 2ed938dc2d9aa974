package journal

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// DeleteCall deletes all data of a call that has ended. When it returns nil, nothing of the call is left in the
// files: neither in the full-text index, nor in the WAL, nor in freed pages. Backups and damaged journals that were
// set aside keep their copies, and a delivery under way may still arrive. Events not yet delivered are never sent.
//
// It fails with ErrNoCall or ErrCallUp. If ctx ends while a reader still uses an old snapshot, the call is deleted,
// but the WAL may contain some of its data until the next truncation; the error is that of ctx.
func (s *Store) DeleteCall(ctx context.Context, id string) error {
	if err := s.flush(ctx); err != nil {
		return err
	}
	var gone deletion
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
	s.applyDeletion(gone)
	return s.truncateWAL(ctx)
}

// deletion counts what a transaction deletes.
type deletion struct {
	calls     int64
	waiting   int64
	positions []int64
	err       error
}

// call deletes a call.
func (f *deletion) call(w *writer, key int64, id string) error {
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

// applyDeletion removes what a committed transaction deleted from the in-memory state.
func (s *Store) applyDeletion(f deletion) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stats.DeletedCalls += f.calls
	s.stats.Waiting -= f.waiting
	for _, position := range f.positions {
		for _, endpoint := range s.options.Endpoints {
			s.recent.settle(position, endpoint)
		}
	}
}

// truncateWAL checkpoints and truncates the WAL. While a reader uses it that is not possible; it is retried until ctx
// ends.
func (s *Store) truncateWAL(ctx context.Context) error {
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

var errBusy = errors.New("journal: the WAL is in use by a reader")

// checkpoint truncates the WAL, or returns errBusy if a reader uses it.
func checkpoint(w *writer) error {
	// Waiting for readers here would block appends.
	if _, err := w.conn.ExecContext(w.ctx, `PRAGMA busy_timeout = 0`); err != nil {
		return wrapSQLite("checkpoint", err)
	}
	var busy, frames, moved int
	err := w.conn.QueryRowContext(w.ctx, `PRAGMA wal_checkpoint(TRUNCATE)`).Scan(&busy, &frames, &moved)
	_, reset := w.conn.ExecContext(w.ctx, `PRAGMA busy_timeout = 10000`)
	if err := errors.Join(err, reset); err != nil {
		return wrapSQLite("checkpoint", err)
	}
	if busy != 0 {
		return errBusy
	}
	return nil
}
