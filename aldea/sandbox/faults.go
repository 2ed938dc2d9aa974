package sandbox

import (
	"context"
	"slices"
	"sync"
	"time"
)

// Faults is how a server misbehaves from now on. The zero value is a healthy server.
type Faults struct {
	// Plan is how the next connections misbehave, in the order of their handshakes.
	Plan []Fault
	// Fault is how every connection after them misbehaves.
	Fault Fault
	// Outage is the one under way, For being what is left of it.
	Outage Outage
}

// SetFaults replaces the faults of connections to come, and Options.Next with them. Streams that run keep
// theirs, unless Outage.Drop cuts them. An Outage begins now; none ends the one under way. It may be called at any time.
func (h *Handler) SetFaults(f Faults) { h.faults.set(f) }

// Faults returns the present faults: what is left of the plan, what follows it, and the outage under way. What
// Options.Next will say it can not know.
func (h *Handler) Faults() Faults { return h.faults.present() }

// Heal ends all misbehavior. Connections to come are healthy, and so are those that run from now on: what hangs is
// answered, what was half-open goes on, what was withheld is sent.
func (h *Handler) Heal() { h.faults.heal() }

// A schedule deals out faults to handshakes.
type schedule struct {
	mu         sync.Mutex // guards the rest
	plan       []Fault
	next       func(int, Params) Fault
	fault      Fault
	handshakes int
	outage     Outage
	until      time.Time // end of the outage
	healed     chan struct{}
	era        context.Context // of the streams; ends when an outage drops them
	endEra     context.CancelCauseFunc
}

func newSchedule(o *Options) *schedule {
	s := &schedule{plan: slices.Clone(o.Plan), next: o.Next, fault: o.Fault, healed: make(chan struct{})}
	s.era, s.endEra = context.WithCancelCause(context.Background())
	s.begin(o.Outage)
	return s
}

// A turn is what one handshake was dealt.
type turn struct {
	handshake int
	fault     Fault
	healed    <-chan struct{} // closed by Heal
	era       context.Context // ends with cause errOutage when an outage cuts the stream
}

// turn deals with the next handshake.
func (s *schedule) turn(p Params) turn {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := turn{handshake: s.handshakes, fault: s.fault, healed: s.healed}
	s.handshakes++
	switch {
	case len(s.plan) > 0:
		t.fault = s.plan[0]
		s.plan = s.plan[1:]
	case s.next != nil:
		t.fault = s.next(t.handshake, p)
	}
	if len(t.fault.strikes()) == 0 {
		s.begin(t.fault.Outage)
	}
	t.era = s.era // after begin: an outage of its own refuses this handshake rather than to cut it
	return t
}

func (s *schedule) set(f Faults) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.plan, s.next, s.fault = slices.Clone(f.Plan), nil, f.Fault
	s.until = time.Time{}
	s.begin(f.Outage)
}

func (s *schedule) heal() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.plan, s.next, s.fault = nil, nil, Fault{}
	s.until = time.Time{}
	close(s.healed)
	s.healed = make(chan struct{})
}

func (s *schedule) present() Faults {
	s.mu.Lock()
	defer s.mu.Unlock()
	f := Faults{Plan: slices.Clone(s.plan), Fault: s.fault}
	if left := time.Until(s.until); left > 0 {
		f.Outage = s.outage
		f.Outage.For = left
	}
	return f
}
