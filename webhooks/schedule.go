package webhooks

import "time"

// liveDelays are the delays between attempts while the call is up. The last one repeats.
var liveDelays = [...]time.Duration{
	250 * time.Millisecond, 500 * time.Millisecond, time.Second, 2 * time.Second, 4 * time.Second, 5 * time.Second,
}

// lateDelays are the delays after the call has ended: 27 h 42 min 35 s in total. After the last one the event becomes
// a dead letter.
var lateDelays = [...]time.Duration{
	5 * time.Second, 30 * time.Second, 2 * time.Minute, 10 * time.Minute, 30 * time.Minute,
	2 * time.Hour, 5 * time.Hour, 10 * time.Hour, 10 * time.Hour,
}

// rejectedDelays are the delays after an answer that rejects this event. After the third such answer the event
// becomes a dead letter.
var rejectedDelays = [...]time.Duration{2 * time.Second, 10 * time.Second}

// A schedule is the retry state of a lane. The steps count for the lane, not for the event. The zero value is a lane
// that is not failing.
type schedule struct {
	late bool // step is an index into lateDelays
	step int  // index of the next delay
}

// stale reports whether the last delay belongs to the other phase of the call.
func (s schedule) stale(live bool) bool { return s.step == 0 || s.late == live }

// next returns the delay before the next attempt and advances the schedule. It returns false when the schedule is
// exhausted. When the call ends, a failing lane starts at the first of lateDelays.
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
