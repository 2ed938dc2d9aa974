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
	// They may come without their bodies.
	Next func(ctx context.Context, after int64, max int) ([]events.Record, error)
}

// RedeliveryStatus tells how a redelivery goes.
type RedeliveryStatus struct {
	ID        string
	Endpoint  string
	What      string
	Started   time.Time
	Delivered int
	Failed    int // given up: they are in the journal as they were before
	Waiting   int // of those that were read so far
}

const (
	// resendPause is the time between two events that are sent again: 50 a second.
	resendPause = time.Second / 50
	// resendWaiting bounds the events that were read and not sent. They are held without their bodies.
	resendWaiting = 1000
)

// ErrNoEndpoint means that no endpoint has this name.
var ErrNoEndpoint = errors.New("webhooks: no such endpoint")

// A redelivery is one under way. Its receiver's lock guards the status.
type redelivery struct {
	id     string
	status RedeliveryStatus
	read   bool // there are no more to read
}

// A resend is what an endpoint is to get again. The receiver's lock guards it.
type resend struct {
	ctx   context.Context
	stop  context.CancelFunc
	lanes map[string]*lane       // by call id
	what  map[string]*redelivery // under way
	room  chan struct{}          // closed when a redelivery has one event less to send
}

// Redeliver sends events again, beside the lanes of their calls and after everything else: with the id and the bytes of
// the first time, signed anew, with the header bridge-redelivery. Events of one call keep their order. Each has the
// attempts of an event whose call is over; one that is accepted is settled as delivered, one that is not
// stays in the journal as it was. It returns the redelivery's id at once. What is left at the end of Run is not
// sent: ask again.
//
// It fails with ErrNoEndpoint, or ErrStopped if Run is not running.
func (d *Dispatcher) Redeliver(w Redelivery) (id string, err error) {
	i := slices.IndexFunc(d.receivers, func(r *receiver) bool { return r.name() == w.Endpoint })
	if i < 0 {
		return "", fmt.Errorf("%w: %q", ErrNoEndpoint, w.Endpoint)
	}
	return d.receivers[i].redeliver(w)
}

// Redeliveries returns those under way, oldest first.
func (d *Dispatcher) Redeliveries() (all []RedeliveryStatus) {
	for _, r := range d.receivers {
		r.mu.Lock()
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
		return one.id, nil
	}
	if r.resend.what == nil {
		r.resend.what, r.resend.lanes = map[string]*redelivery{}, map[string]*lane{}
	}
	now := time.Now()
	one := &redelivery{id: "rdl_" + strings.TrimPrefix(events.NewID(now), "evt_")}
	one.status = RedeliveryStatus{ID: one.id, Endpoint: w.Endpoint, What: w.What, Started: now}
	r.resend.what[w.What] = one
	ctx := r.resend.ctx
	r.running.Go(func() { r.feed(ctx, one, w) })
	r.log.Info("webhook redelivery started", "redelivery", one.id, "what", w.What)
	return one.id, nil
}

// feed reads the events of a redelivery and puts them into its lanes, no faster than they may be sent.
func (r *receiver) feed(ctx context.Context, one *redelivery, w Redelivery) {
	defer func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		one.read = true
		r.finish(one)
	}()
	for position := int64(0); ; {
		records, err := w.Next(ctx, position, readBatch)
		if err != nil {
			if ctx.Err() == nil {
				r.log.Error("webhook redelivery stopped: the journal cannot be read", "redelivery", one.id, "error", err)
			}
			return
		}
		if len(records) == 0 {
			return
		}
		for _, record := range records {
			position = record.Position
			if !r.resendOne(ctx, one, record) {
				return
			}
		}
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
	r.sendAgain(one, record)
	r.mu.Unlock()
	select {
	case <-time.After(resendPause):
		return true
	case <-ctx.Done():
		return false
	}
}

// sendAgain puts an event into its lane, unless it is there.
func (r *receiver) sendAgain(one *redelivery, record events.Record) {
	l := r.resend.lanes[record.CallID]
	if l == nil {
		l = &lane{redelivers: true}
		r.resend.lanes[record.CallID] = l
	}
	if slices.ContainsFunc(l.queue, func(i item) bool { return i.record.Position == record.Position }) {
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
	one := head.redelivery
	if one == nil {
		r.bodies -= len(head.record.Body)
		return
	}
	one.status.Waiting--
	if d.state == StateDelivered {
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

// finish forgets a redelivery that is done.
func (r *receiver) finish(one *redelivery) {
	if s := one.status; one.read && s.Waiting == 0 && r.resend.what[s.What] == one {
		delete(r.resend.what, s.What)
		r.log.Info("webhook redelivery ended", "redelivery", one.id, "what", s.What, "delivered", s.Delivered, "failed", s.Failed)
	}
}
