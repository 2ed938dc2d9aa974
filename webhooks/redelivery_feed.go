package webhooks

import (
	"context"
	"slices"
	"time"

	"aldeabridge/events"
)

const (
	// resendPause is the time between two events that are sent again: 50 a second.
	resendPause = time.Second / 50
	// resendWaiting bounds the events that were read and not sent. They are held without their bodies.
	resendWaiting = 1000
	// finishedKept is how many finished redeliveries of an endpoint can still be looked at.
	finishedKept = 100
)

// A redelivery is one under way. Its receiver's lock guards the status.
type redelivery struct {
	id     string
	status RedeliveryStatus
	read   bool             // there are no more to read
	heads  map[string]int64 // positions of the oldest events that waited when it was asked for, by call
	failed map[*lane]bool   // whose events it asked for, and whose attempt failed
}

// waited says whether an event waited in its lane when the redelivery was asked for. What has become of it since then is the lane's doing.
func (one *redelivery) waited(record events.Record) bool {
	head, waited := one.heads[record.CallID]
	return record.Owed != nil || waited && record.Position >= head
}

// A resend is what an endpoint is to get again. The receiver's lock guards it.
type resend struct {
	ctx   context.Context
	stop  context.CancelFunc
	lanes map[string]*lane       // by call id
	what  map[string]*redelivery // under way
	room  chan struct{}          // closed when a redelivery has one event less to send
	due   time.Time              // when the next event may be read into a lane
	done  []RedeliveryStatus     // the last that finished
}

// feed puts the events of a redelivery into its lanes and sees to its end.
func (r *receiver) feed(ctx context.Context, one *redelivery, w Redelivery) {
	err := r.resendAll(ctx, one, w)
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

// resendAll reads the events of a redelivery and puts them into its lanes, no faster than they may be sent.
func (r *receiver) resendAll(ctx context.Context, one *redelivery, w Redelivery) error {
	for position := int64(0); ; {
		records, err := w.Next(ctx, position, readBatch)
		r.askAll(one, records)
		if position == 0 {
			r.tryNow()
		}
		if err != nil || len(records) == 0 {
			return err
		}
		for _, record := range records {
			if position = record.Position; one.waited(record) {
				continue
			}
			if !r.turnOf(ctx) || !r.resendOne(ctx, one, record) {
				return ctx.Err()
			}
		}
	}
}

// turnOf waits until one more event may be sent again, at whichever redelivery's wish. It returns false if ctx ended
// first.
func (r *receiver) turnOf(ctx context.Context) bool {
	r.mu.Lock()
	now := time.Now()
	due := now
	if r.resend.due.After(now) {
		due = r.resend.due
	}
	r.resend.due = due.Add(resendPause)
	r.mu.Unlock()
	select {
	case <-time.After(due.Sub(now)):
		return true
	case <-ctx.Done():
		return false
	}
}

// resendOne puts an event into its lane when there is room. It returns false if ctx ended first.
func (r *receiver) resendOne(ctx context.Context, one *redelivery, record events.Record) bool {
	r.mu.Lock()
	for one.status.Waiting >= resendWaiting {
		if r.resend.room == nil {
			r.resend.room = make(chan struct{})
		}
		room := r.resend.room
		r.mu.Unlock()
		select {
		case <-room:
		case <-ctx.Done():
			return false
		}
		r.mu.Lock()
	}
	defer r.mu.Unlock()
	r.sendAgain(one, record)
	return true
}

// sendAgain puts an event into its lane. If it is there, it is tried at once.
func (r *receiver) sendAgain(one *redelivery, record events.Record) {
	l := r.resend.lanes[record.CallID]
	if l == nil {
		l = &lane{redelivers: true}
		r.resend.lanes[record.CallID] = l
	}
	if slices.ContainsFunc(l.queue, func(i item) bool { return i.record.Position == record.Position }) {
		r.ask(l, one, record)
		r.hurry(l, time.Now())
		r.pump()
		return
	}
	record.Body, record.Owed = nil, nil
	one.status.Waiting++
	l.queue = append(l.queue, item{record: record, redelivery: one})
	if l.state == idle {
		r.ready(l, time.Now())
		r.pump()
	}
}

// drop takes the head off a lane, and off what its endpoint holds.
func (r *receiver) drop(l *lane, d decision) {
	head := l.queue[0]
	l.pop()
	if len(l.queue) == 0 {
		delete(r.asked, l)
	}
	if head.asked != nil {
		r.tally(head.asked, d.state == StateDelivered)
	}
	if head.redelivery == nil {
		r.bodies -= len(head.record.Body)
		return
	}
	r.tally(head.redelivery, d.state == StateDelivered)
}

// tally counts what became of an event of a redelivery.
func (r *receiver) tally(one *redelivery, delivered bool) {
	one.status.Waiting--
	if delivered {
		one.status.Delivered++
	} else {
		one.status.Failed++
	}
	if r.resend.room != nil {
		close(r.resend.room)
		r.resend.room = nil
	}
	r.finish(one)
}

// finish puts a redelivery that is done among the finished.
func (r *receiver) finish(one *redelivery) {
	s := &one.status
	if !one.read || s.Waiting > 0 || r.resend.what[s.What] != one {
		return
	}
	delete(r.resend.what, s.What)
	s.Finished = time.Now()
	r.resend.done = append(r.resend.done, *s)
	r.resend.done = r.resend.done[max(0, len(r.resend.done)-finishedKept):]
	r.log.Info("webhook redelivery ended", "redelivery", one.id, "delivered", s.Delivered, "failed", s.Failed)
}
