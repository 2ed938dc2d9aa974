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

// A receiver delivers events to one endpoint: it has the lanes, and the gate that limits their attempts.
type receiver struct {
	config  Config
	sender  sender
	wanted  map[events.Type]bool // nil: all types
	log     *slog.Logger
	settled func() // called after an event was settled

	running sync.WaitGroup // attempts and redeliveries under way

	mu             sync.Mutex // guards the fields below
	ctx            context.Context
	began          time.Time
	lanes          map[string]*lane // by call id
	maxLanes       int              // number of lanes at which unused ones are removed
	gate           gate
	breaker        breaker
	gateTimer      *time.Timer // starts attempts at the next time at which the gate may open
	earlyTimer     *time.Timer // starts early attempts of lanes that back off
	bodies         int         // total bytes of the bodies in the lanes
	maxBodies      int         // bound for bodies
	redeliveries   redeliveries
	backedOff      map[*lane]bool // lanes that wait by their schedules
	requestedLanes map[*lane]bool // lanes with items whose requester is set
	accepted       int64          // position of the newest event
	disabled       bool           // the endpoint answered 410, or accepted nothing for too long
	goneAt         int64          // value of accepted at the 410 answer
	failureLog     failureLog
}

// newReceiver returns the receiver of an endpoint that has been validated.
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
		lanes: make(map[string]*lane), backedOff: make(map[*lane]bool), requestedLanes: make(map[*lane]bool),
		gate:      gate{limit: e.concurrency()},
		maxBodies: maxBodies,
	}
	for _, t := range e.Types {
		if r.wanted == nil {
			r.wanted = make(map[events.Type]bool)
		}
		r.wanted[t] = true
	}
	return r, nil
}

func (r *receiver) name() string { return r.sender.endpoint.Name }

// start allows attempts. They are canceled when ctx ends.
func (r *receiver) start(ctx context.Context) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ctx, r.began = ctx, time.Now()
	r.redeliveries.ctx, r.redeliveries.stop = context.WithCancel(ctx)
}

// stop prevents further attempts and waits for those under way. It returns the number of events that are not settled.
func (r *receiver) stop() (unsettled int) {
	r.mu.Lock()
	if r.ctx = nil; r.redeliveries.stop != nil {
		r.redeliveries.stop()
	}
	for _, t := range []*time.Timer{r.gateTimer, r.earlyTimer} {
		if t != nil {
			t.Stop()
		}
	}
	for _, lanes := range []map[string]*lane{r.lanes, r.redeliveries.lanes} {
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

// accept enqueues an event in the lane of its call.
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
		r.removeUnusedLanes(now)
		l = &lane{}
		r.lanes[record.CallID] = l
	}
	before := l.up(now)
	l.countStreams(record.Type)
	l.newest = record.Stored
	if l.newest.IsZero() {
		l.newest = now
	}
	if up := l.up(now); up != before {
		r.phaseChanged(l, up, now)
	}
	l.queue = append(l.queue, r.newItem(record, l.up(now)))
	if l.state == idle {
		r.ready(l, now)
		r.startAttempts()
	}
}

// maxBodies bounds the bytes of the bodies in the lanes of an endpoint. Bodies beyond it are loaded when they are
// sent.
const maxBodies = 16 << 20

// newItem makes the item of a record. Beyond the bound of the bodies it drops the body. The bound is doubled for calls
// that are up, so that an old backlog does not slow them down.
func (r *receiver) newItem(record events.Record, live bool) item {
	most := r.maxBodies
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

// phaseChanged adjusts a lane when its call starts or ends: a failing lane gets the delays of the new phase.
func (r *receiver) phaseChanged(l *lane, up bool, now time.Time) {
	if up {
		l.exhausted = false
		if r.gate.shorten(maxLivePause); now.Before(r.gate.until) {
			r.armGateTimer()
		}
		if b := &r.breaker; b.open && b.probe == nil && b.next.After(now.Add(probeLive)) {
			b.scheduleProbe(now, true, r.config.Jitter)
			r.armGateTimer()
		}
	}
	if l.state != waiting || !l.backoff || !l.schedule.stale(up) {
		return
	}
	d, _ := l.schedule.next(up)
	r.backOff(l, l.ended.Add(r.jittered(d)))
}

// jittered returns d multiplied by the jitter factor.
func (r *receiver) jittered(d time.Duration) time.Duration {
	return time.Duration(float64(d) * r.config.Jitter())
}

// ready queues a lane at the gate.
func (r *receiver) ready(l *lane, now time.Time) {
	l.state, l.since = ready, now
	delete(r.backedOff, l)
	r.gate.push(l, l.priority(now))
}

// backOff makes a lane wait until due, by its schedule.
func (r *receiver) backOff(l *lane, due time.Time) {
	l.state, l.due, l.early = waiting, due, false
	if delete(r.backedOff, l); l.backoff {
		r.backedOff[l] = true
	}
	r.setTimer(l, due)
}

// setTimer starts the timer that makes a waiting lane ready.
func (r *receiver) setTimer(l *lane, until time.Time) {
	l.wake = until
	if l.timer != nil {
		l.timer.Stop()
	}
	if r.ctx == nil {
		return // stopped
	}
	var t *time.Timer
	t = time.AfterFunc(time.Until(until), func() {
		_ = r.locked("retry timer", func() {
			if l.state == waiting && l.timer == t && r.ctx != nil {
				r.ready(l, time.Now())
			}
		})
		_ = r.locked("retry timer", r.startAttempts)
	})
	l.timer = t
}

// startAttempts starts attempts for as many ready lanes as the gate admits.
func (r *receiver) startAttempts() {
	if r.ctx == nil {
		return
	}
	now := time.Now()
	for l := r.nextLane(now); l != nil; l = r.nextLane(now) {
		l.state = sending
		r.running.Add(1)
		go r.attempt(r.ctx, l)
	}
}

// removeUnusedLanes removes unused lanes. It scans all lanes only when their number has doubled.
func (r *receiver) removeUnusedLanes(now time.Time) {
	if len(r.lanes) < r.maxLanes {
		return
	}
	for call, l := range r.lanes {
		if l.removable(now) {
			delete(r.lanes, call)
		}
	}
	const least = 1024
	r.maxLanes = max(least, 2*len(r.lanes))
}

// anyUp reports whether any call is up.
func (r *receiver) anyUp(now time.Time) bool {
	for _, l := range r.lanes {
		if l.up(now) {
			return true
		}
	}
	return false
}

// settledTo reports whether every accepted event up to a position is settled.
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
