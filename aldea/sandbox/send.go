package sandbox

import (
	"context"
	"time"
)

// send queues a message and writes the messages that are due. After a failed write it does nothing: the client is gone.
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

// post writes the messages that are due.
func (w *worker) post() {
	for p, ok := w.out.take(); ok && w.writeErr == nil; p, ok = w.out.take() {
		w.record.sent(p.at, p.message)
		w.writeErr = w.write(p.message)
	}
}

// timer fires when a message is due or audio may be processed again. It is nil if neither is pending.
func (w *worker) timer() *time.Timer {
	next := w.out.next()
	if time.Until(w.notBefore) > 0 && (next.IsZero() || w.notBefore.Before(next)) {
		next = w.notBefore
	}
	if next.IsZero() {
		return nil
	}
	return time.NewTimer(time.Until(next))
}

// rings returns the channel of a timer that may be nil.
func timerChan(timer *time.Timer) <-chan time.Time {
	if timer == nil {
		return nil
	}
	return timer.C
}

// drain waits until all messages are sent. For withheld messages it waits only while the client is connected.
func (w *worker) drain(ctx context.Context) {
	limit := time.NewTimer(maxHold)
	defer limit.Stop()
	for len(w.out.queued) > 0 && w.writeErr == nil {
		gone := w.gone
		if !w.out.withheld {
			gone = nil
		}
		if !w.await(ctx, gone, limit.C) {
			return
		}
		w.post()
	}
}

// await waits for the next message to be due, and returns false if no message will be due.
func (w *worker) await(ctx context.Context, gone <-chan struct{}, limit <-chan time.Time) bool {
	timer := w.timer()
	if timer != nil {
		defer timer.Stop()
	}
	select {
	case <-timerChan(timer):
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
