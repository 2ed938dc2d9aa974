package webhooks

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"aldeabridge/events"
)

// A Redelivery is a wish to send events again.
type Redelivery struct {
	// Endpoint is the name of who gets them.
	Endpoint string
	// What says in a word or two what is sent, such as "call CA42". Who wishes for the same at the same endpoint
	// while it is being done gets the redelivery that is under way.
	What string
	// Next returns up to max of the records after a position, oldest first, and none when there are no more.
	// They may come without their bodies. Those that still wait for the endpoint have it as their Owed: they are not sent beside
	// their lane, but tried in it at once.
	Next func(ctx context.Context, after int64, max int) ([]events.Record, error)
}

// RedeliveryStatus tells how a redelivery goes.
type RedeliveryStatus struct {
	ID        string
	Endpoint  string
	What      string
	Started   time.Time
	Finished  time.Time // zero while it is under way
	Delivered int
	Failed    int // given up, or still waiting: they are in the journal as they were before
	Waiting   int // of those that were read so far
	// Err says why not everything that was asked for was read, if so: the journal's error, or ErrStopped.
	Err error
}

// ErrNoEndpoint means that no endpoint has this name.
var ErrNoEndpoint = errors.New("webhooks: no such endpoint")

// Redeliver sends events again, beside the lanes of their calls and after everything else: with the id and the bytes of
// the first time, signed anew, with the header bridge-redelivery. Events of one call keep their order. Each has the
// attempts of an event whose call is over; one that is accepted is settled as delivered, one that is not stays in the journal as
// it was.
//
// Events that wait are not sent beside their lane: it is tried at once, whatever its schedule says, the oldest event first. If
// that attempt fails they go on waiting, and count as failed here.
//
// It returns the redelivery's id at once. What is left at the end of Run is not sent: ask again. The same wish while it is being
// fulfilled, and events that another redelivery is sending at that time, are tried at once. So is an endpoint whose breaker is
// open: who asks believes that it is well. One that asked for a pause gets it.
//
// It fails with ErrNoEndpoint, or ErrStopped if Run is not running.
func (d *Dispatcher) Redeliver(w Redelivery) (id string, err error) {
	i := slices.IndexFunc(d.receivers, func(r *receiver) bool { return r.name() == w.Endpoint })
	if i < 0 {
		return "", fmt.Errorf("%w: %q", ErrNoEndpoint, w.Endpoint)
	}
	return d.receivers[i].redeliver(w)
}

// Redeliveries returns those under way and the last hundred of each endpoint that are finished, oldest first.
func (d *Dispatcher) Redeliveries() (all []RedeliveryStatus) {
	for _, r := range d.receivers {
		r.mu.Lock()
		all = append(all, r.resend.done...)
		for _, one := range r.resend.what {
			all = append(all, one.status)
		}
		r.mu.Unlock()
	}
	slices.SortFunc(all, func(a, b RedeliveryStatus) int { return strings.Compare(a.ID, b.ID) })
	return all
}

// redeliver starts a redelivery, or finds the one under way.
func (r *receiver) redeliver(w Redelivery) (id string, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ctx == nil {
		return "", ErrStopped
	}
	if one := r.resend.what[w.What]; one != nil {
		r.hurryAll(one, time.Now())
		return one.id, nil
	}
	if r.resend.what == nil {
		r.resend.what, r.resend.lanes = map[string]*redelivery{}, map[string]*lane{}
	}
	now := time.Now()
	one := &redelivery{id: "rdl_" + strings.TrimPrefix(events.NewID(now), "evt_"), heads: r.heads(), failed: make(map[*lane]bool)}
	one.status = RedeliveryStatus{ID: one.id, Endpoint: w.Endpoint, What: w.What, Started: now}
	r.resend.what[w.What] = one
	ctx := r.resend.ctx
	r.running.Go(func() { r.feed(ctx, one, w) })
	r.log.Info("webhook redelivery started", "redelivery", one.id)
	return one.id, nil
}

// heads returns the positions of the oldest events that wait, by call.
func (r *receiver) heads() map[string]int64 {
	heads := make(map[string]int64)
	for call, l := range r.lanes {
		if len(l.queue) > 0 {
			heads[call] = l.queue[0].record.Position
		}
	}
	return heads
}
