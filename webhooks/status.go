package webhooks

import "time"

// An EndpointState is the delivery state of an endpoint.
type EndpointState string

// The states of an endpoint.
const (
	EndpointOpen     EndpointState = "open"     // events are sent
	EndpointPaused   EndpointState = "paused"   // it asked for a pause
	EndpointFailing  EndpointState = "failing"  // the breaker is open: only probes are sent
	EndpointDisabled EndpointState = "disabled" // it answered that it is gone, or accepted nothing for three days
)

// An EndpointStatus is a snapshot of an endpoint's deliveries.
type EndpointStatus struct {
	Name    string
	State   EndpointState
	Until   time.Time // earliest next attempt, if paused or failing
	Lanes   int       // lanes with queued events
	Waiting int       // queued events
	Sending int       // attempts under way
	Oldest  time.Time // when the oldest queued event was stored; zero if there is none
	Bytes   int       // of event bodies in memory
}

// Status returns the status of each endpoint, in the order of Config. It scans every lane.
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
