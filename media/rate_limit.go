package media

import "time"

// An allowance lets something happen some times at once, and then at a rate. Its zero value has not been used.
type allowance struct{ paid time.Time } // up to when the time was used up

// take tells whether it may happen now, when it may happen burst times at once and one in every.
func (a *allowance) take(now time.Time, burst int, every time.Duration) bool {
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
