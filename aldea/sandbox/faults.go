package sandbox

import (
	"context"
	"slices"
	"sync"
	"time"
)

// Faults are the faults of connections from now on. The zero value is a healthy server.
type Faults struct {
	// Plan holds the faults of the next connections, in the order of their handshakes.
	Plan []Fault
	// Fault is the fault of every connection after them.
	Fault Fault
	// Outage is the current outage; For is the time that is left.
	Outage Outage
}

// SetFaults replaces the faults of connections to come, and Options.Next with them. Streams that run keep
// theirs, unless Outage.Drop cuts them. An Outage begins now; none ends the one under way. It may be called at any time.
func (h *Handler) SetFaults(f Faults) { h.faults.set(f) }

// Faults returns the current faults: the rest of the plan, the fault after it, and the current outage. It does not include
// the faults of Options.Next.
func (h *Handler) Faults() Faults { return h.faults.present() }

// Heal ends all misbehavior. New and running connections are healthy from now on: hanging handshakes are answered,
// half-open connections continue, withheld messages are sent.
func (h *Handler) Heal() { h.faults.heal() }

// A schedule assigns faults to handshakes.
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

// A turn is the fault that one handshake gets.
type turn struct {
	handshake int
	fault     Fault
	healed    <-chan struct{} // closed by Heal
	era       context.Context // ends with cause errOutage when an outage cuts the stream
}

// turn returns the fault of the next handshake.
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
	if len(t.fault.actions()) == 0 {
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
