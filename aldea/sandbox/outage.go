package sandbox

import (
	"context"
	"errors"
	"net/http"
	"time"
)

// errOutage is why a stream ended that an outage cut.
var errOutage = errors.New("sandbox: cut by an outage")

// strike begins the outage of a fault that struck.
func (s *schedule) strike(o Outage) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.begin(o)
}

// begin lets an outage begin; the caller holds the lock. One that begins while another is under way prolongs it.
func (s *schedule) begin(o Outage) {
	if o.For <= 0 {
		return
	}
	s.outage = o
	if until := time.Now().Add(o.For); until.After(s.until) {
		s.until = until
	}
	if o.Drop {
		s.endEra(errOutage)
		s.era, s.endEra = context.WithCancelCause(context.Background())
	}
}

// refusing reports whether an outage is under way, and with which status it refuses.
func (s *schedule) refusing() (status int, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.outage.Status, time.Now().Before(s.until)
}

// unreachable turns a request away because of an outage.
func (h *Handler) unreachable(x *exchange, status int) {
	if status == 0 {
		h.cut(x, "cut by an outage")
		return
	}
	h.refuse(x, status, "OUTAGE", http.StatusText(status)+": outage")
}
