package media

import "time"

// checkTimeouts runs when the watchdog timer fires. It ends a stream that exceeded MaxDuration or IdleTimeout, inserts
// silence that is due, and resets the timer. One timer serves all three: it is not reset for each frame and fires about
// three times a second while frames arrive.
func (st *Stream) checkTimeouts() {
	defer st.recoverPanic()
	st.mu.Lock()
	defer st.mu.Unlock()
	if st.over || st.reason != "" {
		return
	}
	now := time.Now()
	if st.line == nil {
		st.checkStart(now)
		return
	}
	tooLong, idle := st.opened.Add(st.limits.maxDuration), st.last.Add(st.limits.idle)
	switch {
	case !now.Before(tooLong):
		st.endLocked(EndTooLong)
	case !now.Before(idle):
		st.endLocked(EndIdle)
	default:
		next := earlier(st.line.fillQuiet(now), earlier(tooLong, idle))
		st.flushAudio()
		st.watchdog.Reset(next.Sub(now))
	}
}

// checkStart ends a stream whose start message did not arrive in time. After the start message, Receive resets the
// watchdog timer.
func (st *Stream) checkStart(now time.Time) {
	if st.start.CallSID == "" && !now.Before(st.opened.Add(st.limits.start)) {
		st.endLocked(EndIdle)
	}
}
