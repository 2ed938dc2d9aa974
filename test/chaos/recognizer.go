package calltest

import (
	"context"
	"io"
	stdlog "log"
	"maps"
	"net"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"time"

	"aldeabridge/aldea/sandbox"
	"aldeabridge/events"
	"aldeabridge/internal/call"
	"aldeabridge/test/faultnet"
)

// Noticed is how long a bridge may take to notice that a connection is half open.
const Noticed = 25 * time.Second

// A recognizer is a sandbox for each connection, and the network in front of them, which fails as the schedule has it.
type recognizer struct {
	world   *simulation
	network faultnet.Network
	server  http.Server
	source  sandbox.Source
	served  sync.WaitGroup

	mu       sync.Mutex
	legs     map[legKey]*leg
	dialled  map[string]*attempt           // by the client's address as the server sees it
	handlers map[*sandbox.Handler]struct{} // of open streams
	closed   bool
	dials    []time.Duration // when each attempt was made
	open     map[*attempt]struct{}
	timers   []*time.Timer
}

type legKey struct {
	call    string
	speaker events.Speaker
}

// A leg is what the world knows of one speaker while the call lasts.
type leg struct {
	plan     *Leg
	length   time.Duration // of the call
	began    time.Time
	attempts int
	frozen   time.Duration   // when a connection froze that has not been replaced; zero if none did
	noticed  time.Duration   // how long it took to notice the one that took longest
	answered []time.Duration // when connections were accepted, since began
}

// An attempt is one connection to the recognizer.
type attempt struct {
	Attempt
	leg  *leg
	link faultnet.Link
}

// startRecognizer serves on l, which network reaches.
func startRecognizer(w *simulation, l net.Listener, network faultnet.Network) *recognizer {
	r := &recognizer{
		world: w, network: network, source: sandbox.Marker(),
		legs: map[legKey]*leg{}, dialled: map[string]*attempt{}, open: map[*attempt]struct{}{}, handlers: map[*sandbox.Handler]struct{}{},
	}
	r.server = http.Server{Handler: r, ErrorLog: stdlog.New(io.Discard, "", 0), ReadHeaderTimeout: time.Minute}
	r.served.Go(func() { _ = r.server.Serve(l) }) // ends with the error of Close
	for _, o := range w.schedule.Outages {
		r.timers = append(r.timers, time.AfterFunc(o.From, r.resetAll))
	}
	return r
}

// legContext carries a leg from the opening of its stream to its dials.
type legContext struct{}

// opener marks every stream with its leg.
type opener struct {
	call.Recognizer
	r *recognizer
}

func (o opener) Open(ctx context.Context, c events.Call, speaker events.Speaker) call.Transcriber {
	return o.Recognizer.Open(context.WithValue(ctx, legContext{}, o.r.begin(legKey{c.ID, speaker})), c, speaker)
}

// begin notes that a leg's stream was opened.
func (r *recognizer) begin(key legKey) *leg {
	l := &leg{began: time.Now()}
	l.plan, l.length = r.world.schedule.leg(key)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.legs[key] = l
	for _, o := range l.plan.Outages {
		r.timers = append(r.timers, time.AfterFunc(o.From, func() { r.resetLeg(l) }))
	}
	return l
}

// dial is one attempt of a leg to connect.
func (r *recognizer) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	l, ok := ctx.Value(legContext{}).(*leg)
	if !ok {
		l = &leg{plan: &Leg{}, began: time.Now()} // a probe, which belongs to no call
	}
	a, refused := r.next(l)
	if refused {
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
	}
	conn, link, err := r.network.Dial(ctx)
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	a.link = link
	r.open[a] = struct{}{}
	r.dialled[link.Client()] = a
	r.breakLater(a)
	return conn, nil
}

// next decides about the next attempt of a leg.
func (r *recognizer) next(l *leg) (a *attempt, refused bool) {
	now := time.Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.dials = append(r.dials, now.Sub(r.world.began))
	a = &attempt{leg: l}
	since := now.Sub(l.began)
	if l.frozen > 0 {
		l.noticed, l.frozen = max(l.noticed, since-l.frozen), 0
	}
	if inside(l.plan.Outages, since) || inside(r.world.schedule.Outages, now.Sub(r.world.began)) {
		r.world.tally.fault("outage")
		return nil, true
	}
	if n := l.attempts; n < len(l.plan.Attempts) && since < l.length {
		a.Attempt = l.plan.Attempts[n]
	}
	l.attempts++
	if left := l.length - since; a.Hang && left < 15*time.Second {
		a.Hang, a.Status = false, http.StatusServiceUnavailable
	} else if a.Freeze > left-Noticed {
		a.Freeze = 0
	}
	if a.Refuse {
		r.world.tally.fault("refused")
	}
	return a, a.Refuse
}

func inside(spans []Span, t time.Duration) bool {
	for _, s := range spans {
		if t >= s.From && t < s.To {
			return true
		}
	}
	return false
}

// breakLater sets the timers of an attempt. The caller holds mu.
func (r *recognizer) breakLater(a *attempt) {
	if a.Reset > 0 {
		r.timers = append(r.timers, time.AfterFunc(a.Reset, func() { r.reset(a, "reset") }))
	}
	if a.Freeze > 0 {
		r.timers = append(r.timers, time.AfterFunc(a.Freeze, func() {
			r.freeze(a)
		}))
	}
}

// reset breaks a connection, if it still stands.
func (r *recognizer) reset(a *attempt, kind string) {
	r.mu.Lock()
	_, open := r.open[a]
	delete(r.open, a)
	r.mu.Unlock()
	if open {
		r.world.tally.fault(kind)
	}
	a.link.Reset()
}

// freeze makes a connection half open, if it still stands.
func (r *recognizer) freeze(a *attempt) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, open := r.open[a]; open {
		r.world.tally.fault("half-open")
		a.leg.frozen = time.Since(a.leg.began)
		a.link.Freeze()
	}
}

func (r *recognizer) resetLeg(l *leg) {
	for _, a := range r.standing() {
		if a.leg == l {
			r.reset(a, "outage reset")
		}
	}
}

func (r *recognizer) resetAll() {
	for _, a := range r.standing() {
		r.reset(a, "outage reset")
	}
}

func (r *recognizer) standing() []*attempt {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Collect(maps.Keys(r.open))
}

// ServeHTTP is the recognizer's side of an attempt.
func (r *recognizer) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	r.mu.Lock()
	a := r.dialled[req.RemoteAddr]
	r.mu.Unlock()
	if a == nil {
		http.Error(w, "nobody dialled this", http.StatusTeapot)
		return
	}
	defer func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		delete(r.open, a)
		delete(r.dialled, req.RemoteAddr)
	}()
	switch {
	case a.Hang:
		r.world.tally.fault("hang")
		r.hang(w)
	case a.Status != 0:
		r.world.tally.fault("status " + strconv.Itoa(a.Status))
		if a.RetryAfter > 0 {
			w.Header().Set("Retry-After", strconv.Itoa(int(a.RetryAfter.Seconds())))
		}
		http.Error(w, "as the schedule has it", a.Status)
	default:
		if h := r.fresh(a); h != nil {
			h.ServeHTTP(w, req)
			r.mu.Lock()
			delete(r.handlers, h)
			r.mu.Unlock()
		}
	}
}

// hang lets the client wait until it goes.
func (r *recognizer) hang(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	defer conn.Close()
	_, _ = io.Copy(io.Discard, conn)
}

// fresh is a new sandbox for an attempt, or nil when the world is over.
func (r *recognizer) fresh(a *attempt) *sandbox.Handler {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return nil
	}
	o := r.world.schedule.Recognizer
	o.Source = r.source
	if a.Fault != (sandbox.Fault{}) {
		o.Fault = a.Fault
	}
	a.leg.answered = append(a.leg.answered, time.Since(a.leg.began))
	h := sandbox.NewHandler(o)
	r.handlers[h] = struct{}{}
	return h
}

// close ends everything and waits for it.
func (r *recognizer) close() {
	r.mu.Lock()
	r.closed = true
	for _, t := range r.timers {
		t.Stop()
	}
	handlers := slices.Collect(maps.Keys(r.handlers))
	r.mu.Unlock()
	for _, a := range r.standing() {
		a.link.Reset()
	}
	_ = r.server.Close()
	for _, h := range handlers {
		_ = h.Close()
	}
	r.served.Wait()
}
