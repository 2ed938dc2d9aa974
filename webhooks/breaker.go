package webhooks

import "time"

const (
	// The breaker opens after breakerFailures failures in a row, from at least breakerLanes lanes and over at least
	// breakerSpan: one failing call, or one bad second, does not mean that the endpoint is down.
	breakerFailures = 20
	breakerLanes    = 2
	breakerSpan     = 10 * time.Second
	// probeLive is the time between probes while a call is up. Otherwise lateDelays applies.
	probeLive = 5 * time.Second
	// maxWait is the age at which an event held back expires. It is counted from the start of Run if the event is
	// older, because it could not be sent before.
	maxWait = 72 * time.Hour
	// An endpoint is disabled after failing for disableAfter and disableAttempts without accepting an event.
	disableAfter    = 72 * time.Hour
	disableAttempts = 20
	// expireEvery is the time between scans for expired events while lanes are held back.
	expireEvery = time.Hour
)

// A breaker holds back attempts at an endpoint that accepts none. The receiver's mutex guards it.
type breaker struct {
	open           bool
	probe          *lane     // the lane whose attempt is the probe, or nil
	next           time.Time // time of the next probe
	step           int       // index into lateDelays
	lastExpiryScan time.Time // time of the last scan for expired events

	failures int // in a row
	from     time.Time
	first    *lane // the first lane that failed
	several  bool  // another lane failed too

	attempts int       // since the last accepted event
	since    time.Time // start of the first of those attempts
}

// isEndpointFailure reports whether the outcome is a failure of the endpoint as a whole.
func (o outcome) isEndpointFailure() bool {
	return o.verdict == failed && (o.status >= 500 || o.status == 0)
}

// record updates the breaker, and reports whether it opened or closed.
func (b *breaker) record(l *lane, o outcome) (opened, closed bool) {
	b.attempts++
	if b.since.IsZero() {
		b.since = o.start
	}
	switch {
	case o.verdict == delivered:
		closed = b.open
		*b = breaker{}
	case o.verdict == refused:
		opened = !b.open
	case o.isEndpointFailure():
		if b.failures++; b.failures == 1 {
			b.from, b.first = o.end, l
		}
		b.several = b.several || l != b.first
		opened = !b.open && b.failures >= breakerFailures && b.several && o.end.Sub(b.from) >= breakerSpan
	}
	b.open = b.open || opened
	return opened, closed
}

// scheduleProbe sets the time of the next probe.
func (b *breaker) scheduleProbe(now time.Time, live bool, jitter func() float64) {
	d := probeLive
	if !live {
		d = lateDelays[min(b.step, len(lateDelays)-1)]
		b.step++
	} else {
		b.step = 0
	}
	b.next = now.Add(time.Duration(float64(d) * jitter()))
}

// shouldDisable reports whether the endpoint should be disabled.
func (b *breaker) shouldDisable(now time.Time) bool {
	return b.attempts >= disableAttempts && now.Sub(b.since) >= disableAfter
}

// A slowStart increases the number of admitted lanes step by step after the breaker has closed. The zero value does not
// limit them.
type slowStart struct{ began time.Time }

// slowStartLanes is the number of lanes admitted at first. It doubles each second.
const slowStartLanes = 10

// limit returns how many of at most all lanes may send at now.
func (r *slowStart) limit(all int, now time.Time) int {
	if r.began.IsZero() {
		return all
	}
	n := slowStartLanes << min(int(now.Sub(r.began)/time.Second), 30)
	if n >= all {
		r.began = time.Time{}
	}
	return min(n, all)
}
