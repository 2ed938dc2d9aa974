package sandbox

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/gorilla/websocket"
)

// maxHold bounds how long a half-open or stalled connection is kept.
const maxHold = 10 * time.Minute

var (
	// errDropped means that a fault dropped the connection.
	errDropped = errors.New("sandbox: connection dropped as planned")
	// errClosed means that a fault closed the stream.
	errClosed = errors.New("sandbox: stream closed as planned")
)

// A faultAction is an action of a fault that runs once after a given amount of audio.
type faultAction struct {
	at time.Duration // amount of audio; AtOpen: before any audio
	do func(w *worker, ctx context.Context) error
}

// actions returns the actions of a fault, earliest first. Of several at the same time the most destructive comes first.
func (f *Fault) actions() []faultAction {
	all := []faultAction{
		{f.DropAfter, func(*worker, context.Context) error { return errDropped }},
		{f.HalfOpenAfter, (*worker).freeze},
		{f.CloseAfter, func(*worker, context.Context) error { return errClosed }},
		{f.StallAfter, func(w *worker, _ context.Context) error { w.out.withheld = true; return nil }},
	}
	all = slices.DeleteFunc(all, func(a faultAction) bool { return a.at == 0 })
	slices.SortStableFunc(all, func(a, b faultAction) int { return cmp.Compare(a.at, b.at) })
	return all
}

// runAction runs the next action, unless Heal was called.
func (w *worker) runAction(ctx context.Context) error {
	next := w.actions[0]
	w.actions = w.actions[1:]
	select {
	case <-w.healed:
		w.heal()
		return nil
	default:
	}
	if o := w.fault.Outage; o.For > 0 {
		w.fault.Outage = Outage{} // an outage begins only once
		w.outage(o)
	}
	return next.do(w, ctx)
}

// opening runs the actions that precede any audio.
func (w *worker) opening(ctx context.Context) error {
	for len(w.actions) > 0 && w.actions[0].at < 0 {
		if err := w.runAction(ctx); err != nil {
			return err
		}
	}
	return nil
}

// freeze blocks until Heal: the connection is half-open.
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

// heal removes the faults of a running stream.
func (w *worker) heal() {
	w.fault = Fault{Mixed: w.opts.Profile == ProfileMixed}
	w.actions, w.healed = nil, nil
	w.notBefore = time.Time{}
	w.out.release()
	if w.segmenter != nil {
		w.segmenter.emptyInterims, w.segmenter.emptyFinals = false, w.opts.EmptyFinals
	}
}

// closing returns the ending of a stream that a fault closes.
func (f *Fault) closing() ending {
	return ending{code: cmp.Or(f.CloseCode, websocket.CloseInternalServerErr), reason: clip(f.CloseReason, maxReason)}
}
