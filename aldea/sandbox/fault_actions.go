package sandbox

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/gorilla/websocket"
)

// maxHold is how long a half-open or stalled connection is kept for a client that may be gone long since.
const maxHold = 10 * time.Minute

var (
	// errDropped is the fault of that name at work.
	errDropped = errors.New("sandbox: connection dropped as planned")
	// errClosed is a close as planned.
	errClosed = errors.New("sandbox: stream closed as planned")
)

// A strike is something a fault does once so much audio was heard.
type strike struct {
	at time.Duration // AtOpen for before any audio
	do func(w *worker, ctx context.Context) error
}

// strikes are those of a fault, earliest first. Of several at one time that which leaves least standing comes first.
func (f *Fault) strikes() []strike {
	all := []strike{
		{f.DropAfter, func(*worker, context.Context) error { return errDropped }},
		{f.HalfOpenAfter, (*worker).freeze},
		{f.CloseAfter, func(*worker, context.Context) error { return errClosed }},
		{f.StallAfter, func(w *worker, _ context.Context) error { w.out.held = true; return nil }},
	}
	all = slices.DeleteFunc(all, func(s strike) bool { return s.at == 0 })
	slices.SortStableFunc(all, func(a, b strike) int { return cmp.Compare(a.at, b.at) })
	return all
}

// strike lets the next strike happen, unless the server was healed meanwhile.
func (w *worker) strike(ctx context.Context) error {
	next := w.strikes[0]
	w.strikes = w.strikes[1:]
	select {
	case <-w.healed:
		w.heal()
		return nil
	default:
	}
	if o := w.fault.Outage; o.For > 0 {
		w.fault.Outage = Outage{} // one is enough
		w.outage(o)
	}
	return next.do(w, ctx)
}

// opening lets those strikes happen that wait for no audio.
func (w *worker) opening(ctx context.Context) error {
	for len(w.strikes) > 0 && w.strikes[0].at < 0 {
		if err := w.strike(ctx); err != nil {
			return err
		}
	}
	return nil
}

// freeze does nothing until Heal: the connection is half-open.
func (w *worker) freeze(ctx context.Context) error {
	defer w.halfOpen()()
	timer := time.NewTimer(maxHold)
	defer timer.Stop()
	select {
	case <-w.healed:
		w.heal()
		return nil
	case <-timer.C:
		return errDropped
	case <-ctx.Done():
		return ctx.Err()
	}
}

// heal ends the misbehavior of a stream that runs.
func (w *worker) heal() {
	w.fault = Fault{Mixed: w.opts.Profile == ProfileMixed}
	w.strikes, w.healed = nil, nil
	w.notBefore = time.Time{}
	w.out.release()
	if w.segmenter != nil {
		w.segmenter.emptyInterims, w.segmenter.emptyFinals = false, w.opts.EmptyFinals
	}
}

// closing is the end of a stream that is closed as planned.
func (f *Fault) closing() ending {
	return ending{code: cmp.Or(f.CloseCode, websocket.CloseInternalServerErr), reason: clip(f.CloseReason, maxReason)}
}
