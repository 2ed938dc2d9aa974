package journal

import (
	"context"
	"database/sql"
	"errors"
	"time"
)

// An op is something to be written. The writer calls its methods, from one goroutine.
type op interface {
	// apply writes it in the open transaction. An error undoes the transaction.
	apply(w *writer) error
	// done is told how the transaction ended.
	done(w *writer, err error)
}

// A writer owns the connection that writes. It puts all that waits into one transaction, and so pays one sync
// for it.
type writer struct {
	store *Store
	conn  *sql.Conn
	ctx   context.Context

	prepared                                                                   []*sql.Stmt // all of the following
	begin, commit, rollback                                                    *sql.Stmt
	insertEvent, insertCall, updateCall, insertDelivery, insertSaid, insertTry *sql.Stmt
	findCall, findEvent, settleWaiting, settleAgain                            *sql.Stmt
	endpoints                                                                  map[string]int64      // keys by name
	calls                                                                      map[string]*callState // what is known of calls, as of this transaction
	last                                                                       int64                 // position of the newest record, as of this transaction
	hungUp                                                                     bool                  // no call of the last process counts as up
	newest                                                                     time.Time             // when the newest event was stored, at Open; if there is none, now
	kept                                                                       int64                 // last, as of the last commit
}

const (
	// maxBatch bounds a transaction, so that who came first does not wait for too many others.
	maxBatch = 1024
	// maxLater bounds what is written beside appends.
	maxLater = 256
	// laterDelay is how long a settled delivery may wait for an append to share a sync with.
	laterDelay = 50 * time.Millisecond
	// callsLimit bounds the calls that are remembered. Others are read when they are needed.
	callsLimit = 20_000
)

// run writes until the store is closed and nothing waits.
func (w *writer) run() {
	defer close(w.store.done)
	s := w.store
	var due <-chan time.Time
	for {
		var batch []op
		select {
		case o := <-s.queue:
			batch = append(batch, o)
		case <-s.nudge:
			if due == nil {
				due = time.After(laterDelay)
			}
			continue
		case <-due:
		case <-s.quit:
			w.finish()
			return
		}
		batch = w.gather(batch)
		var more bool
		batch, more = s.takeLater(batch, maxLater)
		if due = nil; more {
			due = time.After(0)
		}
		w.write(batch)
	}
}

// gather adds what waits in the queue to batch.
func (w *writer) gather(batch []op) []op {
	for len(batch) < maxBatch {
		select {
		case o := <-w.store.queue:
			batch = append(batch, o)
		default:
			return batch
		}
	}
	return batch
}

// finish writes what is left at Close.
func (w *writer) finish() {
	for {
		batch := w.gather(nil)
		batch, _ = w.store.takeLater(batch, maxBatch)
		if len(batch) == 0 {
			break
		}
		w.write(batch)
	}
	if err := w.close(); err != nil {
		w.store.logger.Error("journal connection not closed", "error", err)
	}
}

// close gives the connection back. SQLite lets go of its files only when every statement is closed.
func (w *writer) close() error {
	return errors.Join(closeStatements(w.prepared), w.conn.Close())
}

// write commits a batch and tells everybody. If one op of several is what SQLite cannot take, or goes to a damaged page,
// the others are written without it.
func (w *writer) write(batch []op) {
	if len(batch) == 0 {
		return
	}
	began := time.Now()
	err := w.transact(batch)
	if c := code(err); len(batch) > 1 && (c == codeConstraint || c == codeCorrupt) {
		for _, o := range batch {
			w.write([]op{o})
		}
		return
	}
	w.store.committed(len(batch), time.Since(began), err)
	w.store.mark(err)
	for _, o := range batch {
		o.done(w, err)
	}
}

// transact runs a batch in one transaction.
func (w *writer) transact(batch []op) error {
	if _, err := w.begin.ExecContext(w.ctx); err != nil {
		return explain("begin", err)
	}
	if !w.hungUp {
		if err := w.hangUp(); err != nil {
			w.undo()
			return err
		}
	}
	for _, o := range batch {
		if err := o.apply(w); err != nil {
			w.undo()
			return explain("write", err)
		}
	}
	if _, err := w.commit.ExecContext(w.ctx); err != nil {
		w.undo()
		return explain("commit", err)
	}
	w.kept, w.hungUp = w.last, true
	if len(w.calls) > callsLimit {
		clear(w.calls)
	}
	return nil
}

// undo rolls back, and forgets what was known of the rolled back.
func (w *writer) undo() {
	if _, err := w.rollback.ExecContext(w.ctx); err != nil {
		w.store.logger.Debug("journal rollback", "error", err) // SQLite has done it by itself after some errors
	}
	clear(w.calls)
	w.last = w.kept
}
