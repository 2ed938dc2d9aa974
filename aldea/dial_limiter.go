package aldea

import (
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// A guard decides when the streams of a client may connect, and to which host. An outage hits all of them at
// once; without it they would return all at once, too, and bring down what has just come up.
//
// It has no goroutine of its own: every state change grants the dial slots it frees, and a
// timer does while streams wait for time to pass.
type guard struct {
	limit    int // connections at once; 0 is no limit
	probe    prober
	messages messageCounts

	mu      sync.Mutex // guards what follows, and the hosts
	hosts   []*host
	waiting []*waiter
	timer   *time.Timer // nil before anybody had to wait
	streams int
	open    int // connections
	places  int // taken, of limit
	refused int // streams that all hosts refuse
	causes  map[Cause]int64
}

// messageCounts counts the messages of all streams that were not as they should be; see Health.
type messageCounts struct {
	malformed, unknown, odd, slowed atomic.Int64
}

func newGuard(hosts []*host, limit int, dial dialFunc) *guard {
	g := &guard{limit: limit, hosts: hosts, causes: map[Cause]int64{}}
	g.probe = prober{guard: g, dial: dial}
	return g
}

// join announces a stream.
func (g *guard) join(now time.Time) *waiter {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.streams++
	return &waiter{
		since:  now,
		barred: make([]bool, len(g.hosts)),
		tried:  make([]bool, len(g.hosts)),
		turn:   make(chan *host, 1),
	}
}

// leave ends what join began. Nothing that the last stream needed is left running.
func (g *guard) leave(w *waiter) {
	g.mu.Lock()
	g.streams--
	g.setRefused(w, false)
	if w.placed {
		w.placed = false
		g.places--
	}
	g.dispatch(time.Now())
	last := g.streams == 0
	g.mu.Unlock()
	if last {
		g.probe.stop()
	}
}

// dialled ends a turn. A nil error is a connection; parted ends it.
func (g *guard) dialled(w *waiter, h *host, err error, now time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if err == nil {
		h.open++
		g.open++
		clear(w.tried)
		g.setRefused(w, false)
	}
	g.note(h, err, w.particular, now)
	g.dispatch(now)
}

// canceled ends a turn that says nothing about the host.
func (g *guard) canceled(h *host, now time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	h.dialing--
	g.dispatch(now)
}

// note learns from an attempt. A host that refuses particular settings works for all who have others.
func (g *guard) note(h *host, err error, particular bool, now time.Time) {
	h.dialing--
	if err == nil {
		h.succeed(now)
		return
	}
	h.failed++
	if status := (*StatusError)(nil); particular && errors.As(err, &status) && status.aboutSettings() {
		h.succeed(now)
		return
	}
	if judge(err) != verdictRetry {
		h.refuse(now)
		return
	}
	h.fail(now)
	// A wait that is asked of one stream while others are let in is that stream's, unless it has somewhere
	// else to go.
	asked := retryAfterOf(err)
	if asked > 0 && (len(g.hosts) > 1 || now.Sub(h.tookAt) >= time.Second) {
		h.hold(min(asked, longestHold), now)
	}
}

// A parting says how a connection ended.
type parting int

const (
	partingEnd   parting = iota // by the stream, which needs it no more
	partingLoss                 // by the other side, or the network
	partingEarly                // so soon that it was worth no more than a failed attempt
	partingStall                // it was open, but did not work
)

// parted notes the end of a connection.
func (g *guard) parted(h *host, how parting, now time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	h.open--
	g.open--
	switch how {
	case partingLoss:
		h.drop(now)
	case partingEarly:
		h.drop(now)
		h.fail(now)
	case partingStall:
		h.drop(now)
		h.fail(now)
		if len(g.hosts) > 1 {
			h.leftUntil = now.Add(awayTime)
		}
	}
	g.dispatch(now)
}

// bar notes that a host refuses the stream, and with everybody that it will refuse the others, too. It reports
// whether there is another host.
func (g *guard) bar(w *waiter, h *host, everybody bool, now time.Time) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	w.barred[h.index] = true
	if everybody && len(g.hosts) > 1 {
		h.leftUntil = now.Add(awayTime)
	}
	return slices.Contains(w.barred, false)
}

// refuse notes that all hosts refuse a stream. It may be worth trying all of them again.
func (g *guard) refuse(w *waiter) {
	g.mu.Lock()
	defer g.mu.Unlock()
	clear(w.barred)
	clear(w.tried)
	g.setRefused(w, true)
}

// revert notes that a stream goes on with other settings, which no host has refused yet.
func (g *guard) revert(w *waiter, particular bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	clear(w.barred)
	clear(w.tried)
	w.particular = particular
}

// setRefused counts the streams that all hosts refuse. The caller holds mu.
func (g *guard) setRefused(w *waiter, refused bool) {
	if w.refused == refused {
		return
	}
	w.refused = refused
	if refused {
		g.refused++
	} else {
		g.refused--
	}
}

// setback counts a cause of trouble.
func (g *guard) setback(cause Cause) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.causes[cause]++
}

// resetFailures clears the count of refusals, because the stream has been served since.
func (g *guard) resetFailures(w *waiter) {
	g.mu.Lock()
	defer g.mu.Unlock()
	clear(w.barred)
	clear(w.tried)
}

// another notes that a host did not work, and reports whether there is one that may work better right now.
// If not, all are worth trying again after a wait.
func (g *guard) another(w *waiter, h *host, now time.Time) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	w.tried[h.index] = true
	for _, h := range g.hosts {
		if !w.barred[h.index] && !w.tried[h.index] && h.trusted(now) {
			return true
		}
	}
	clear(w.tried)
	clear(w.barred) // one that refused the stream may take it by then
	return false
}

// mayMove reports whether a stream that is served by a host should change to a better one now. Moves are
// spaced like other attempts after an outage, and come after the streams that wait.
func (g *guard) mayMove(w *waiter, from *host, now time.Time) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.waiting) > 0 {
		return false
	}
	for _, h := range g.hosts[:from.index] {
		if h.proven(now) && h.free(now) && !w.barred[h.index] && !now.Before(h.moveAt) {
			h.moveAt = now.Add(time.Second / recoveryRate)
			w.tried[from.index] = true // while it asks for its turn
			return true
		}
	}
	return false
}
