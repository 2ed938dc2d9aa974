package journal

import "time"

const (
	// doubtTenth is the part of MaxAge by which a clock may jump ahead: calls go a tenth of their time too early at worst.
	doubtTenth = 10
	// doubtFor is how long a clock that jumped further is not believed, or MaxAge if that is less: somebody can set it right.
	doubtFor = 24 * time.Hour
)

// A watch decides whether the wall clock is believed when calls are deleted by their age. One that jumps ahead makes all of
// them too old at once: if it is wrong, they would be gone although they are new; if it was wrong before, they only look old.
type watch struct {
	maxAge time.Duration
	seen   time.Time     // on the wall clock, at the last look
	doubt  time.Duration // that is left
}

// look compares the wall clock with the time that has passed since the last look, and returns how far it has jumped ahead if
// that is too far.
func (w *watch) look(wall time.Time, passed time.Duration) (jump time.Duration) {
	wall = wall.Round(0) // without the monotonic clock
	jump = wall.Sub(w.seen) - passed
	w.seen = wall
	w.doubt = max(0, w.doubt-passed)
	if jump <= w.maxAge/doubtTenth {
		return 0
	}
	w.doubt = min(doubtFor, w.maxAge)
	return jump
}
