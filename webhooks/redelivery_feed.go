package webhooks

import (
	"context"
	"slices"
	"time"

	"aldeabridge/events"
)

const (
	// redeliveryInterval is the time between two events that an endpoint gets again: 50 events a second.
	redeliveryInterval = time.Second / 50
	// maxRedeliveryQueue bounds the events of a redelivery that were read and not sent. They are held without their
	// bodies.
	maxRedeliveryQueue = 1000
	// finishedKept is the number of finished redeliveries of an endpoint that Redeliveries returns.
	finishedKept = 100
)

// A redelivery is a Redelivery under way. The receiver's mutex guards it.
type redelivery struct {
	id     string
	status RedeliveryStatus
	read   bool             // all its records were read
	heads  map[string]int64 // positions of the oldest waiting events when it was requested, by call
	failed map[*lane]bool   // lanes in which the immediate attempt failed
}

// wasWaiting reports whether an event was waiting in the lane of its call when the redelivery was requested. Such an
// event is left to that lane.
func (one *redelivery) wasWaiting(record events.Record) bool {
	head, waited := one.heads[record.CallID]
	return record.Owed != nil || waited && record.Position >= head
}

// redeliveries holds the redeliveries of an endpoint. The receiver's mutex guards it.
type redeliveries struct {
	ctx    context.Context
	stop   context.CancelFunc
	lanes  map[string]*lane       // by call id
	active map[string]*redelivery // under way, by Redelivery.What
	room   chan struct{}          // closed when an event of a redelivery was settled; nil while no goroutine waits
	due    time.Time              // when the next event may be enqueued
	done   []RedeliveryStatus     // finished, oldest first
}

// runRedelivery enqueues the events of a redelivery and records its end.
func (r *receiver) runRedelivery(ctx context.Context, one *redelivery, w Redelivery) {
	err := catch(r.log, "redelivery", func() error { return r.enqueueAll(ctx, one, w) })
	switch {
	case ctx.Err() != nil:
		err = ErrStopped
	case err != nil:
		r.log.Error("webhook redelivery stopped: the journal cannot be read", "redelivery", one.id, "error", err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	one.read, one.status.Err = true, err
	r.finish(one)
}

// enqueueAll reads the events of a redelivery and enqueues them, limited in rate and number.
func (r *receiver) enqueueAll(ctx context.Context, one *redelivery, w Redelivery) error {
	for position := int64(0); ; {
		records, err := w.Next(ctx, position, readBatch)
		r.requestAttempts(one, records)
		if position == 0 {
			r.probeNow()
		}
		if err != nil || len(records) == 0 {
			return err
		}
		for _, record := range records {
			if position = record.Position; one.wasWaiting(record) {
				continue
			}
			if !r.waitForRate(ctx) || !r.enqueueWhenRoom(ctx, one, record) {
				return ctx.Err()
			}
		}
	}
}

// waitForRate waits until the rate limit, which all redeliveries of the endpoint share, allows one more event. It returns
// false if ctx ended first.
func (r *receiver) waitForRate(ctx context.Context) bool {
	r.mu.Lock()
	now := time.Now()
	due := now
	if r.redeliveries.due.After(now) {
		due = r.redeliveries.due
	}
	r.redeliveries.due = due.Add(redeliveryInterval)
	r.mu.Unlock()
	select {
	case <-time.After(due.Sub(now)):
		return true
	case <-ctx.Done():
		return false
	}
}

// enqueueWhenRoom enqueues an event when fewer than maxRedeliveryQueue wait. It returns false if ctx ended first.
func (r *receiver) enqueueWhenRoom(ctx context.Context, one *redelivery, record events.Record) bool {
	r.mu.Lock()
	for one.status.Waiting >= maxRedeliveryQueue {
		if r.redeliveries.room == nil {
			r.redeliveries.room = make(chan struct{})
		}
		room := r.redeliveries.room
		r.mu.Unlock()
		select {
		case <-room:
		case <-ctx.Done():
			return false
		}
		r.mu.Lock()
	}
	defer r.mu.Unlock()
	r.enqueueAgain(one, record)
	return true
}

// enqueueAgain enqueues an event in the redelivery lane of its call. If it is already queued there, the lane is tried at
// once.
func (r *receiver) enqueueAgain(one *redelivery, record events.Record) {
	l := r.redeliveries.lanes[record.CallID]
	if l == nil {
		l = &lane{redelivers: true}
		r.redeliveries.lanes[record.CallID] = l
	}
	if slices.ContainsFunc(l.queue, func(i item) bool { return i.record.Position == record.Position }) {
		r.requestAttempt(l, one, record)
		r.wakeLane(l, time.Now())
		r.startAttempts()
		return
	}
	record.Body, record.Owed = nil, nil
	one.status.Waiting++
	l.queue = append(l.queue, item{record: record, redelivery: one})
	if l.state == idle {
		r.ready(l, time.Now())
		r.startAttempts()
	}
}

// removeHead removes the head of a lane and counts its result.
func (r *receiver) removeHead(l *lane, d decision) {
	head := l.queue[0]
	l.pop()
	if len(l.queue) == 0 {
		delete(r.requestedLanes, l)
	}
	if head.requester != nil {
		r.countResult(head.requester, d.state == StateDelivered)
	}
	if head.redelivery == nil {
		r.bodies -= len(head.record.Body)
		return
	}
	r.countResult(head.redelivery, d.state == StateDelivered)
}

// countResult counts the result of an event of a redelivery.
func (r *receiver) countResult(one *redelivery, delivered bool) {
	one.status.Waiting--
	if delivered {
		one.status.Delivered++
	} else {
		one.status.Failed++
	}
	if r.redeliveries.room != nil {
		close(r.redeliveries.room)
		r.redeliveries.room = nil
	}
	r.finish(one)
}

// finish moves a redelivery whose events are all settled to the finished ones.
func (r *receiver) finish(one *redelivery) {
	s := &one.status
	if !one.read || s.Waiting > 0 || r.redeliveries.active[s.What] != one {
		return
	}
	delete(r.redeliveries.active, s.What)
	s.Finished = time.Now()
	r.redeliveries.done = append(r.redeliveries.done, *s)
	r.redeliveries.done = r.redeliveries.done[max(0, len(r.redeliveries.done)-finishedKept):]
	r.log.Info("webhook redelivery ended", "redelivery", one.id, "delivered", s.Delivered, "failed", s.Failed)
}
