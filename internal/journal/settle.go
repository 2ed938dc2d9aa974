package journal

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// deadPrefix is the prefix of the states of dead deliveries: "dead:" and the reason.
const deadPrefix = "dead:"

// A settleOp sets the final state of a delivery.
type settleOp struct {
	position int64
	endpoint string
	state    string
	at       time.Time
	waited   bool
}

func (o *settleOp) apply(w *writer) error {
	state, reason := o.state, ""
	if r, dead := strings.CutPrefix(o.state, deadPrefix); dead {
		state, reason = "dead", r
	}
	key, at := w.endpoints[o.endpoint], o.at.UnixNano()
	result, err := w.settleWaiting.ExecContext(w.ctx, o.position, key, state, reason, at)
	if err != nil {
		return err
	}
	n, err := result.RowsAffected()
	if o.waited = n > 0; err != nil || o.waited || state != "delivered" {
		return err
	}
	_, err = w.settleAgain.ExecContext(w.ctx, o.position, key, at)
	return err
}

func (o *settleOp) done(w *writer, err error) {
	if err != nil {
		w.store.retryLater(o)
		return
	}
	if o.waited {
		w.store.mu.Lock()
		w.store.stats.Waiting--
		w.store.stats.Settled++
		w.store.mu.Unlock()
	}
}

// Settle records that the record at position needs no more attempts at endpoint. state is delivered, filtered, or
// "dead:" and a reason. A redelivery can change a dead delivery to delivered; otherwise the first state stays.
// Settling a deleted record is not an error.
//
// Settle does not wait for the disk: if a crash loses a state, the event is delivered twice. It fails with
// ErrNoEndpoint, ErrNoRecord or ErrClosed. Like Memory's it ignores ctx.
func (s *Store) Settle(_ context.Context, position int64, endpoint, state string) error {
	if !s.isEndpoint(endpoint) {
		return fmt.Errorf("%w: %q", ErrNoEndpoint, endpoint)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return ErrClosed
	}
	if position < 1 || position > s.last {
		return fmt.Errorf("%w: position %d", ErrNoRecord, position)
	}
	s.recent.settle(position, endpoint)
	s.deferOp(&settleOp{position: position, endpoint: endpoint, state: state, at: time.Now()})
	return nil
}

// deferOp queues an operation for the next commit. The caller holds mu.
func (s *Store) deferOp(o op) {
	s.deferred = append(s.deferred, o)
	select {
	case s.deferredSignal <- struct{}{}:
	default:
	}
}

// retryLater queues an operation whose transaction failed, for the next commit that another operation triggers.
func (s *Store) retryLater(o op) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.deferred = append(s.deferred, o)
}

// takeDeferred moves up to limit deferred operations to batch, and reports whether there are more.
func (s *Store) takeDeferred(batch []op, limit int) (_ []op, more bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := min(len(s.deferred), limit)
	batch = append(batch, s.deferred[:n]...)
	clear(s.deferred[:n])
	if s.deferred = s.deferred[n:]; len(s.deferred) == 0 {
		s.deferred = nil
	}
	return batch, len(s.deferred) > 0
}
