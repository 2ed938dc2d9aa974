package webhooks

import (
	"context"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"time"

	"aldeabridge/events"
)

// A receiver is an endpoint at work: its lanes, and the gate they pass to send.
type receiver struct {
	config  Config
	sender  sender
	wanted  map[events.Type]bool // nil: all
	log     *slog.Logger
	settled func() // called when an event was settled

	running sync.WaitGroup // the attempts under way

	mu        sync.Mutex // guards what follows
	ctx       context.Context
	began     time.Time
	lanes     map[string]*lane // by call id
	sweepAt   int              // forget unused lanes when there are so many
	gate      gate
	breaker   breaker
	reopen    *time.Timer // when time alone lets lanes pass
	revival   *time.Timer // when lanes that wait are tried early
	bodies    int         // bytes of the bodies that the lanes hold
	most      int         // of them
	resend    resend
	backedOff map[*lane]bool // that wait as their schedules say
	asked     map[*lane]bool // with events that a redelivery has asked for
	accepted  int64          // position of the newest event
	disabled  bool           // the endpoint said 410, or accepted nothing for too long
	goneAt    int64          // accepted when it said 410
	trouble   trouble
}

// newReceiver returns the receiver of an endpoint that has been checked.
func newReceiver(c Config, e Endpoint) (*receiver, error) {
	t, err := newTarget(c.guard(e), e.URL)
	if err != nil {
		return nil, err
	}
	s, err := newSigner(e.Secrets)
	if err != nil {
		return nil, err
	}
	transport := c.Transport
	if transport == nil {
		transport = newTransport(c, e)
	}
	r := &receiver{
		config: c,
		sender: sender{
			endpoint: e, target: t, signer: s, transport: transport,
			agent: "bridge/" + c.Version, actions: c.Actions != nil,
		},
		log:   c.Logger.With("endpoint", e.Name),
		lanes: make(map[string]*lane), backedOff: make(map[*lane]bool), asked: make(map[*lane]bool),
		gate: gate{limit: e.concurrency()},
		most: maxBodies,
	}
	for _, t := range e.Types {
		if r.wanted == nil {
			r.wanted = make(map[events.Type]bool)
		}
		r.wanted[t] = true
	}
	return r, nil
}

// name is the endpoint's name.
func (r *receiver) name() string { return r.sender.endpoint.Name }

// start lets attempts begin. They are cut short when ctx ends.
func (r *receiver) start(ctx context.Context) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ctx, r.began = ctx, time.Now()
	r.resend.ctx, r.resend.stop = context.WithCancel(ctx)
}

// stop lets no further attempt begin and waits for those under way. It returns how many events are not settled.
func (r *receiver) stop() (unsettled int) {
	r.mu.Lock()
	if r.ctx = nil; r.resend.stop != nil {
		r.resend.stop()
	}
	for _, t := range []*time.Timer{r.reopen, r.revival} {
		if t != nil {
			t.Stop()
		}
	}
	for _, lanes := range []map[string]*lane{r.lanes, r.resend.lanes} {
		for _, l := range lanes {
			if l.timer != nil {
				l.timer.Stop()
			}
		}
	}
	r.mu.Unlock()
	r.running.Wait()
	if t, ok := r.sender.transport.(*http.Transport); ok {
		t.CloseIdleConnections()
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, l := range r.lanes {
		unsettled += len(l.queue)
	}
	return unsettled
}

// accept takes an event into its lane.
func (r *receiver) accept(record events.Record) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := time.Now()
	r.accepted = record.Position
	if record.Owed != nil && !slices.Contains(record.Owed, r.name()) {
		return
	}
	l := r.lanes[record.CallID]
	if l == nil {
		r.sweep(now)
		l = &lane{}
		r.lanes[record.CallID] = l
	}
	before := l.up(now)
	l.hear(record.Type)
	l.newest = record.Stored
	if l.newest.IsZero() {
		l.newest = now
	}
	if up := l.up(now); up != before {
		r.turn(l, up, now)
	}
	l.queue = append(l.queue, r.hold(record, l.up(now)))
	if l.state == idle {
		r.ready(l, now)
		r.pump()
	}
}

// maxBodies bounds the bodies that the lanes of an endpoint hold. The others are loaded when they are sent.
const maxBodies = 16 << 20

// hold makes an item of a record. If the lanes hold too much, it is without a body. Calls that are up may have twice
// as much, so that an old backlog does not slow them down.
func (r *receiver) hold(record events.Record, live bool) item {
	most := r.most
	if live {
		most *= 2
	}
	filtered := r.wanted != nil && !r.wanted[record.Type]
	if filtered || r.bodies+len(record.Body) > most {
		record.Body = nil
	}
	record.Owed = nil
	r.bodies += len(record.Body)
	return item{record: record, filtered: filtered}
}

// turn gives a lane whose call has begun or ended what that means: other delays, if it is failing.
func (r *receiver) turn(l *lane, up bool, now time.Time) {
	if up {
		l.exhausted = false
		if r.gate.shorten(maxLivePause); now.Before(r.gate.until) {
			r.arrange()
		}
		if b := &r.breaker; b.open && b.probe == nil && b.next.After(now.Add(probeLive)) {
			b.later(now, true, r.config.Jitter)
			r.arrange()
		}
	}
	if l.state != waiting || !l.backoff || !l.schedule.stale(up) {
		return
	}
	d, _ := l.schedule.next(up)
	r.wait(l, l.ended.Add(r.jittered(d)))
}

// jittered is d with its random factor.
func (r *receiver) jittered(d time.Duration) time.Duration {
	return time.Duration(float64(d) * r.config.Jitter())
}

// ready queues a lane at the gate.
func (r *receiver) ready(l *lane, now time.Time) {
	l.state, l.since = ready, now
	delete(r.backedOff, l)
	r.gate.push(l, l.at(now))
}

// wait makes a lane ready at due.
func (r *receiver) wait(l *lane, due time.Time) {
	l.state, l.due, l.hurried = waiting, due, false
	if delete(r.backedOff, l); l.backoff {
		r.backedOff[l] = true
	}
	r.sleep(l, due)
}

// sleep makes a lane that waits ready at a time.
func (r *receiver) sleep(l *lane, until time.Time) {
	l.wake = until
	if l.timer != nil {
		l.timer.Stop()
	}
	if r.ctx == nil {
		return // stopped meanwhile
	}
	var t *time.Timer
	t = time.AfterFunc(time.Until(until), func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		if l.state == waiting && l.timer == t && r.ctx != nil {
			r.ready(l, time.Now())
			r.pump()
		}
	})
	l.timer = t
}

// pump starts attempts for as many ready lanes as the gate lets through.
func (r *receiver) pump() {
	if r.ctx == nil {
		return
	}
	now := time.Now()
	for l := r.pass(now); l != nil; l = r.pass(now) {
		l.state = sending
		r.running.Add(1)
		go r.attempt(r.ctx, l)
	}
}

// sweep forgets lanes that nobody needs. It looks at all of them only when their number has doubled.
func (r *receiver) sweep(now time.Time) {
	if len(r.lanes) < r.sweepAt {
		return
	}
	for call, l := range r.lanes {
		if l.unused(now) {
			delete(r.lanes, call)
		}
	}
	const least = 1024
	r.sweepAt = max(least, 2*len(r.lanes))
}

// anyUp says whether any call is up.
func (r *receiver) anyUp(now time.Time) bool {
	for _, l := range r.lanes {
		if l.up(now) {
			return true
		}
	}
	return false
}

// settledTo says whether every accepted event up to a position is settled.
func (r *receiver) settledTo(position int64) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, l := range r.lanes {
		if len(l.queue) > 0 && l.queue[0].record.Position <= position {
			return false
		}
	}
	return true
}
