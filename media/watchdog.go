package media

import "time"

// tick is what the stream's watch does when it goes off: it ends a stream that lasted too long or was quiet
// too long, lets silence flow, and winds the watch up again. One lazy timer serves all of that: it is not
// touched per frame and goes off about three times a second while frames come.
func (st *Stream) tick() {
	st.mu.Lock()
	defer st.mu.Unlock()
	if st.over || st.reason != "" {
		return
	}
	now := time.Now()
	if st.line == nil {
		st.tickStart(now)
		return
	}
	tooLong, idle := st.opened.Add(st.limits.maxDuration), st.last.Add(st.limits.idle)
	switch {
	case !now.Before(tooLong):
		st.endLocked(EndTooLong)
	case !now.Before(idle):
		st.endLocked(EndIdle)
	default:
		next := earlier(st.line.quiet(now), earlier(tooLong, idle))
		st.tell()
		st.watch.Reset(next.Sub(now))
	}
}

// tickStart ends a socket whose start message did not come in time. After the start the watch waits for
// Receive.
func (st *Stream) tickStart(now time.Time) {
	if st.start.CallSID == "" && !now.Before(st.opened.Add(st.limits.start)) {
		st.endLocked(EndIdle)
	}
}
