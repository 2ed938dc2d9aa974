package media

import "time"

// A rateLimit allows a burst of events, and then events at a rate. The zero value is ready for use.
type rateLimit struct{ paid time.Time } // the time up to which the rate is used up

// allow reports whether an event may happen now: burst events at once, then one per every.
func (a *rateLimit) allow(now time.Time, burst int, every time.Duration) bool {
	paid := later(a.paid, now.Add(-time.Duration(burst)*every)).Add(every)
	if paid.After(now) {
		return false
	}
	a.paid = paid
	return true
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
