package webhooks

import "time"

// liveDelays are the waits between attempts while the call is up. The last one repeats.
var liveDelays = [...]time.Duration{
	250 * time.Millisecond, 500 * time.Millisecond, time.Second, 2 * time.Second, 4 * time.Second, 5 * time.Second,
}

// lateDelays are the waits once the call is over: 27 h 42 min 35 s in all. After the last, the event is dead.
var lateDelays = [...]time.Duration{
	5 * time.Second, 30 * time.Second, 2 * time.Minute, 10 * time.Minute, 30 * time.Minute,
	2 * time.Hour, 5 * time.Hour, 10 * time.Hour, 10 * time.Hour,
}

// rejectedDelays are the waits after an answer that says that this event will not be liked later either. A
// third such answer kills it.
var rejectedDelays = [...]time.Duration{2 * time.Second, 10 * time.Second}

// A schedule is where a lane stands in its retries. The step counts for the lane, not for the event. The zero
// value is a lane that is not failing.
type schedule struct {
	late bool // step counts in lateDelays
	step int  // the next delay
}

// stale says whether the last delay was not one of the phase that the call is in.
func (s schedule) stale(live bool) bool { return s.step == 0 || s.late == live }

// next returns the wait before the next attempt and takes a step; false when there shall be none. The end of
// a call puts a failing lane on the first late step.
func (s *schedule) next(live bool) (time.Duration, bool) {
	if s.late == live {
		*s = schedule{late: !live}
	}
	if live {
		d := liveDelays[min(s.step, len(liveDelays)-1)]
		s.step++
		return d, true
	}
	if s.step == len(lateDelays) {
		return 0, false
	}
	d := lateDelays[s.step]
	s.step++
	return d, true
}
