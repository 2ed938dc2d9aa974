package webhooks

import "time"

// EndpointState says whether events go to an endpoint.
type EndpointState string

// The states of an endpoint.
const (
	EndpointOpen     EndpointState = "open"     // they do
	EndpointPaused   EndpointState = "paused"   // it asked to be left alone for a while
	EndpointFailing  EndpointState = "failing"  // it accepts nothing: the breaker is open, and one attempt now and then is made
	EndpointDisabled EndpointState = "disabled" // it said that it is gone, or accepted nothing for three days
)

// EndpointStatus tells how an endpoint does.
type EndpointStatus struct {
	Name    string
	State   EndpointState
	Until   time.Time // the next attempt at the earliest, if paused or failing
	Lanes   int       // with something to send
	Waiting int       // events
	Sending int       // attempts under way
	Oldest  time.Time // when the oldest waiting event was stored; zero without any
	Bytes   int       // of the bodies held in memory
}

// Status returns how each endpoint does, in the order of Config. It looks at every lane.
func (d *Dispatcher) Status() []EndpointStatus {
	all := make([]EndpointStatus, 0, len(d.receivers))
	for _, r := range d.receivers {
		all = append(all, r.status(time.Now()))
	}
	return all
}

func (r *receiver) status(now time.Time) EndpointStatus {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := EndpointStatus{Name: r.name(), State: EndpointOpen, Bytes: r.bodies}
	switch {
	case r.disabled:
		s.State = EndpointDisabled
	case r.breaker.open:
		s.State, s.Until = EndpointFailing, r.breaker.next
	case now.Before(r.gate.until):
		s.State, s.Until = EndpointPaused, r.gate.until
	}
	for _, busy := range r.gate.busy {
		s.Sending += busy
	}
	for _, l := range r.lanes {
		if len(l.queue) == 0 {
			continue
		}
		s.Lanes++
		s.Waiting += len(l.queue)
		if oldest := l.queue[0].record.Stored; s.Oldest.IsZero() || oldest.Before(s.Oldest) {
			s.Oldest = oldest
		}
	}
	return s
}
