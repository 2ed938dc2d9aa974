package webhooks

import "time"

const (
	// The breaker opens after so many failures in a row, from so many lanes at least, over so long at least: one
	// stuck call, or one bad second, is not a broken endpoint.
	breakerFailures = 20
	breakerLanes    = 2
	breakerSpan     = 10 * time.Second
	// probeLive is how often an open breaker tries the endpoint while a call is up. Else it is as lateDelays say.
	probeLive = 5 * time.Second
	// maxWait is how old an event can become while its lane is held back, counted from our start if it is older: what
	// nobody could send was not held back.
	maxWait = 72 * time.Hour
	// An endpoint that failed for disableAfter and disableAttempts and accepted nothing meanwhile is disabled.
	disableAfter    = 72 * time.Hour
	disableAttempts = 20
	// expireEvery is how often somebody looks for events that are too old, while lanes are held back.
	expireEvery = time.Hour
)

// A breaker keeps attempts from an endpoint that accepts none. It is not guarded.
type breaker struct {
	open    bool
	probe   *lane     // that has an attempt under way while open
	next    time.Time // of the next probe
	step    int       // in lateDelays
	expired time.Time // when somebody last looked for events that are too old

	failures int // in a row
	from     time.Time
	first    *lane // the first that failed
	several  bool  // another failed too

	attempts int       // since the last that was accepted
	since    time.Time // when the first of them began
}

// counts says whether an outcome is a failure of the endpoint as a whole.
func (o outcome) counts() bool {
	return o.verdict == failed && (o.status >= 500 || o.status == 0)
}

// saw takes an outcome into account. It says whether the breaker has opened or closed by that.
func (b *breaker) saw(l *lane, o outcome) (opened, closed bool) {
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
	case o.counts():
		if b.failures++; b.failures == 1 {
			b.from, b.first = o.end, l
		}
		b.several = b.several || l != b.first
		opened = !b.open && b.failures >= breakerFailures && b.several && o.end.Sub(b.from) >= breakerSpan
	}
	b.open = b.open || opened
	return opened, closed
}

// later sets the next probe, after one that failed at now or the opening.
func (b *breaker) later(now time.Time, live bool, jitter func() float64) {
	d := probeLive
	if !live {
		d = lateDelays[min(b.step, len(lateDelays)-1)]
		b.step++
	} else {
		b.step = 0
	}
	b.next = now.Add(time.Duration(float64(d) * jitter()))
}

// hopeless says whether the endpoint is to be disabled.
func (b *breaker) hopeless(now time.Time) bool {
	return b.attempts >= disableAttempts && now.Sub(b.since) >= disableAfter
}

// A rise lets more and more lanes through after the breaker has closed. The zero value lets all through.
type rise struct{ began time.Time }

// riseFirst is how many lanes may pass at first. Their number doubles each second.
const riseFirst = 10

// limit is how many lanes may send at now, of at most all.
func (r *rise) limit(all int, now time.Time) int {
	if r.began.IsZero() {
		return all
	}
	n := riseFirst << min(int(now.Sub(r.began)/time.Second), 30)
	if n >= all {
		r.began = time.Time{}
	}
	return min(n, all)
}
