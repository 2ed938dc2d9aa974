package journal

import "time"

const (
	// maxJumpFraction is the fraction of MaxAge (one tenth) by which the clock may jump ahead. In the worst case calls are
	// deleted earlier by that much.
	maxJumpFraction = 10
	// maxDoubt is how long deletion by age stops after a larger jump, or MaxAge if that is less. It leaves time to
	// correct the clock.
	maxDoubt = 24 * time.Hour
)

// A clockMonitor detects jumps of the wall clock, and suspends deletion by age after one. When the clock jumps ahead,
// all calls seem too old at once. If the new time is wrong, calls that are new would be deleted.
type clockMonitor struct {
	maxAge time.Duration
	seen   time.Time     // wall-clock time of the last check
	doubt  time.Duration // remaining time without deletion by age
}

// check compares the wall clock with the time that passed since the last check. It returns by how much the clock
// jumped ahead, or 0 if the jump is within bounds.
func (w *clockMonitor) check(wall time.Time, passed time.Duration) (jump time.Duration) {
	wall = wall.Round(0) // without the monotonic clock
	jump = wall.Sub(w.seen) - passed
	w.seen = wall
	w.doubt = max(0, w.doubt-passed)
	if jump <= w.maxAge/maxJumpFraction {
		return 0
	}
	w.doubt = min(maxDoubt, w.maxAge)
	return jump
}
