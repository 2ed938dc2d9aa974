package media

import "time"

// newStream returns a stream on an accepted socket. The caller must call release.
func newStream(ws socket, limits limits) *Stream {
	st := &Stream{ws: ws, limits: limits, opened: time.Now(), onHangUp: func() {}, onNoAudio: func() {}, onKeyDropped: func(int64) {}, onPanic: func(any) {}}
	ws.SetReadLimit(int64(maxMessageFactor * limits.message))
	st.out.start(ws, st.writeControl)
	ws.SetPingHandler(st.out.ping)
	st.mu.Lock()
	st.watchdog = time.AfterFunc(limits.start, st.checkTimeouts)
	st.mu.Unlock()
	return st
}

// awaitStart reads up to the start message. It returns false if the stream ended before.
func (st *Stream) awaitStart() bool {
	for {
		msg, err := st.read()
		switch {
		case err != nil:
			st.finish(st.readFailed(err))
			return false
		case msg == nil || msg.kind == kindConnected:
		case msg.kind == kindStop:
			st.finish(EndStop)
			return false
		case msg.kind == kindStart:
			return st.setStart(msg.start)
		default:
			st.skip(errUnexpected) // media and other messages have no meaning before the start
		}
	}
}

// setStart stores the start message. It returns false if the stream has ended.
func (st *Stream) setStart(start *Start) bool {
	if err := st.out.setStream(start.StreamSID); err != nil {
		return false
	}
	st.mu.Lock()
	defer st.mu.Unlock()
	st.start = *start
	return st.reason == ""
}
