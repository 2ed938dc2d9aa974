package journal

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// deadPrefix begins the states of dead deliveries: "dead:" and the reason.
const deadPrefix = "dead:"

// A settleOp says what became of a delivery.
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
		w.store.again(o)
		return
	}
	if o.waited {
		w.store.mu.Lock()
		w.store.stats.Waiting--
		w.store.stats.Settled++
		w.store.mu.Unlock()
	}
}

// Settle tells that the record at position needs no more attempts at endpoint. state says how that came:
// delivered, filtered, or dead: and a reason. A dead delivery can become delivered later, by a redelivery;
// otherwise the first state stays. A record that was deleted needs nothing, and that is no error.
//
// It does not wait for the disk: a state that a crash forgets is a delivery made twice. It fails with ErrNoEndpoint,
// ErrNoRecord or ErrClosed. Like Memory's it does not look at ctx.
func (s *Store) Settle(_ context.Context, position int64, endpoint, state string) error {
	if !s.known(endpoint) {
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
	s.tail.settle(position, endpoint)
	s.defers(&settleOp{position: position, endpoint: endpoint, state: state, at: time.Now()})
	return nil
}

// defers puts an op where the next commit finds it. The lock is held.
func (s *Store) defers(o op) {
	s.later = append(s.later, o)
	select {
	case s.nudge <- struct{}{}:
	default:
	}
}

// again keeps an op whose transaction failed. It is tried with the next one that somebody needs.
func (s *Store) again(o op) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.later = append(s.later, o)
}

// takeLater moves up to limit deferred ops to batch, and says whether there are more.
func (s *Store) takeLater(batch []op, limit int) (_ []op, more bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := min(len(s.later), limit)
	batch = append(batch, s.later[:n]...)
	clear(s.later[:n])
	if s.later = s.later[n:]; len(s.later) == 0 {
		s.later = nil
	}
	return batch, len(s.later) > 0
}
