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

// A Redelivery is a request to send stored events again.
type Redelivery struct {
	// Endpoint is the name of the endpoint that gets them.
	Endpoint string
	// What describes the events in a word or two, such as "call CA42". A request with the same What for the same
	// endpoint returns the redelivery that is under way.
	What string
	// Next returns up to max of the records after a position, oldest first, and none when there are no more. Bodies
	// may be nil. A record that is still waiting for the endpoint has the endpoint in Owed: it is not sent twice, but
	// tried at once in the lane of its call.
	Next func(ctx context.Context, after int64, max int) ([]events.Record, error)
}

// RedeliveryStatus is the progress of a redelivery.
type RedeliveryStatus struct {
	ID        string
	Endpoint  string
	What      string
	Started   time.Time
	Finished  time.Time // zero while it is under way
	Delivered int
	Failed    int // dead or still waiting; their state in the journal is unchanged
	Waiting   int // read and not settled yet
	// Err is the reason why not all requested events were read, or nil: the journal's error, or ErrStopped.
	Err error
}

// ErrNoEndpoint means that no endpoint has this name.
var ErrNoEndpoint = errors.New("webhooks: no such endpoint")

// Redeliver sends events again, in lanes beside those of their calls and at the lowest priority: with the original id
// and bytes, a new signature and the header bridge-redelivery. Events of one call keep their order. Each event has
// the attempts of an event whose call is over. An event that is accepted is settled as delivered; the state of one
// that is not stays unchanged in the journal.
//
// An event that still waits in the lane of its call is not sent twice: that lane is tried at once, oldest event
// first. If the attempt fails, the events go on waiting and count as failed here.
//
// Redeliver returns the redelivery's id without waiting. Events not yet sent when Run ends are dropped: request them
// again. A repeated request, and events that another redelivery is sending, are tried at once. An endpoint whose
// breaker is open is probed at once; a pause that the endpoint asked for is respected.
//
// Redeliver fails with ErrNoEndpoint, or with ErrStopped if Run is not running.
func (d *Dispatcher) Redeliver(w Redelivery) (id string, err error) {
	i := slices.IndexFunc(d.receivers, func(r *receiver) bool { return r.name() == w.Endpoint })
	if i < 0 {
		return "", fmt.Errorf("%w: %q", ErrNoEndpoint, w.Endpoint)
	}
	return d.receivers[i].redeliver(w)
}

// Redeliveries returns the redeliveries under way and the last hundred finished ones of each endpoint, oldest first.
func (d *Dispatcher) Redeliveries() (all []RedeliveryStatus) {
	for _, r := range d.receivers {
		r.mu.Lock()
		all = append(all, r.redeliveries.done...)
		for _, one := range r.redeliveries.active {
			all = append(all, one.status)
		}
		r.mu.Unlock()
	}
	slices.SortFunc(all, func(a, b RedeliveryStatus) int { return strings.Compare(a.ID, b.ID) })
	return all
}

// redeliver starts a redelivery, or returns the id of the one under way for the same What.
func (r *receiver) redeliver(w Redelivery) (id string, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ctx == nil {
		return "", ErrStopped
	}
	if one := r.redeliveries.active[w.What]; one != nil {
		r.wakeRedelivery(one, time.Now())
		return one.id, nil
	}
	if r.redeliveries.active == nil {
		r.redeliveries.active, r.redeliveries.lanes = map[string]*redelivery{}, map[string]*lane{}
	}
	now := time.Now()
	one := &redelivery{id: "rdl_" + strings.TrimPrefix(events.NewID(now), "evt_"), heads: r.heads(), failed: make(map[*lane]bool)}
	one.status = RedeliveryStatus{ID: one.id, Endpoint: w.Endpoint, What: w.What, Started: now}
	r.redeliveries.active[w.What] = one
	ctx := r.redeliveries.ctx
	r.running.Go(func() { r.runRedelivery(ctx, one, w) })
	r.log.Info("webhook redelivery started", "redelivery", one.id)
	return one.id, nil
}

// heads returns the positions of the oldest waiting events, by call.
func (r *receiver) heads() map[string]int64 {
	heads := make(map[string]int64)
	for call, l := range r.lanes {
		if len(l.queue) > 0 {
			heads[call] = l.queue[0].record.Position
		}
	}
	return heads
}
