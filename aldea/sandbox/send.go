package sandbox

import (
	"context"
	"time"
)

// send writes a message and remembers it, now or when it is due. After a failed write the client is taken for gone.
func (w *worker) send(message string) {
	if w.writeErr != nil {
		return
	}
	at := time.Duration(0)
	if w.segmenter != nil {
		at = w.segmenter.now()
	}
	if w.writeErr = w.out.add(at, message); w.writeErr == nil {
		w.post()
	}
}

// post writes what is due.
func (w *worker) post() {
	for p, ok := w.out.take(); ok && w.writeErr == nil; p, ok = w.out.take() {
		w.record.sent(p.at, p.message)
		w.writeErr = w.write(p.message)
	}
}

// alarm rings when the clock gives the worker something to do; it is nil if nothing waits for the clock.
func (w *worker) alarm() *time.Timer {
	next := w.out.next()
	if time.Until(w.notBefore) > 0 && (next.IsZero() || w.notBefore.Before(next)) {
		next = w.notBefore
	}
	if next.IsZero() {
		return nil
	}
	return time.NewTimer(time.Until(next))
}

// rings is the channel of an alarm that may be nil.
func rings(alarm *time.Timer) <-chan time.Time {
	if alarm == nil {
		return nil
	}
	return alarm.C
}

// drain waits until all messages are sent. Those that are withheld are waited for only while the client is there.
func (w *worker) drain(ctx context.Context) {
	limit := time.NewTimer(maxHold)
	defer limit.Stop()
	for len(w.out.parcels) > 0 && w.writeErr == nil {
		gone := w.gone
		if !w.out.held {
			gone = nil
		}
		if !w.await(ctx, gone, limit.C) {
			return
		}
		w.post()
	}
}

// await waits for the next message to be due, and reports false when there is no more point in waiting.
func (w *worker) await(ctx context.Context, gone <-chan struct{}, limit <-chan time.Time) bool {
	alarm := w.alarm()
	if alarm != nil {
		defer alarm.Stop()
	}
	select {
	case <-rings(alarm):
		return true
	case <-w.healed:
		w.heal()
		return true
	case <-gone:
	case <-limit:
	case <-ctx.Done():
	}
	return false
}
