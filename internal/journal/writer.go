package journal

import (
	"context"
	"database/sql"
	"errors"
	"time"
)

// An op is a write operation. The writer calls its methods, from one goroutine.
type op interface {
	// apply executes the operation in the open transaction. An error rolls the transaction back.
	apply(w *writer) error
	// done receives the transaction's result.
	done(w *writer, err error)
}

// A writer owns the writing connection. It puts all queued operations into one transaction, so that they share one
// sync.
type writer struct {
	store *Store
	conn  *sql.Conn
	ctx   context.Context

	prepared                                                                   []*sql.Stmt // all statements below
	begin, commit, rollback                                                    *sql.Stmt
	insertEvent, insertCall, updateCall, insertDelivery, insertSaid, insertTry *sql.Stmt
	findCall, findEvent, settleWaiting, settleAgain                            *sql.Stmt
	endpoints                                                                  map[string]int64      // keys by name
	calls                                                                      map[string]*callState // cached states, as of this transaction
	last                                                                       int64                 // position of the newest record, as of this transaction
	callsEnded                                                                 bool                  // markAllCallsEnded has succeeded
	newest                                                                     time.Time             // when the newest event was stored, at Open; the current time if there is none
	committedLast                                                              int64                 // last, as of the last commit
}

const (
	// maxBatch bounds a transaction, which bounds the delay of its first operation.
	maxBatch = 1024
	// maxDeferred bounds the deferred operations in a transaction.
	maxDeferred = 256
	// deferDelay is how long a deferred operation may wait for an append to share a sync with.
	deferDelay = 50 * time.Millisecond
	// callsLimit bounds the cached call states. Others are read when they are needed.
	callsLimit = 20_000
)

// run writes until the store is closed and no operation waits.
func (w *writer) run() {
	defer close(w.store.done)
	s := w.store
	var due <-chan time.Time
	for {
		var batch []op
		select {
		case o := <-s.queue:
			batch = append(batch, o)
		case <-s.deferredSignal:
			if due == nil {
				due = time.After(deferDelay)
			}
			continue
		case <-due:
		case <-s.quit:
			w.finish()
			return
		}
		batch = w.gather(batch)
		var more bool
		batch, more = s.takeDeferred(batch, maxDeferred)
		if due = nil; more {
			due = time.After(0)
		}
		w.write(batch)
	}
}

// gather adds the queued operations to batch.
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

// finish writes the remaining operations at Close.
func (w *writer) finish() {
	for {
		batch := w.gather(nil)
		batch, _ = w.store.takeDeferred(batch, maxBatch)
		if len(batch) == 0 {
			break
		}
		w.write(batch)
	}
	if err := w.close(); err != nil {
		w.store.logger.Error("journal connection not closed", "error", err)
	}
}

// close returns the connection. SQLite closes its files only when every statement is closed.
func (w *writer) close() error {
	return errors.Join(closeStatements(w.prepared), w.conn.Close())
}

// write commits a batch and passes the result to its operations. If one of several violates a constraint or reaches a
// damaged page, each is written in a transaction of its own.
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
	w.store.markDamaged(err)
	for _, o := range batch {
		o.done(w, err)
	}
}

// transact runs a batch in one transaction.
func (w *writer) transact(batch []op) error {
	if _, err := w.begin.ExecContext(w.ctx); err != nil {
		return wrapSQLite("begin", err)
	}
	if !w.callsEnded {
		if err := w.markAllCallsEnded(); err != nil {
			w.undo()
			return err
		}
	}
	for _, o := range batch {
		if err := o.apply(w); err != nil {
			w.undo()
			return wrapSQLite("write", err)
		}
	}
	if _, err := w.commit.ExecContext(w.ctx); err != nil {
		w.undo()
		return wrapSQLite("commit", err)
	}
	w.committedLast, w.callsEnded = w.last, true
	if len(w.calls) > callsLimit {
		clear(w.calls)
	}
	return nil
}

// undo rolls back and drops the cached state of the transaction.
func (w *writer) undo() {
	if _, err := w.rollback.ExecContext(w.ctx); err != nil {
		w.store.logger.Debug("journal rollback", "error", err) // SQLite has done it by itself after some errors
	}
	clear(w.calls)
	w.last = w.committedLast
}
