package media

import (
	"time"

	"github.com/gofiber/contrib/websocket"
)

// closeWait is how long the carrier may take to close the connection after the close frame.
const closeWait = time.Second

// end ends the stream from outside the reader: the reader's next read fails. The first reason wins.
func (st *Stream) end(reason EndReason) {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.endLocked(reason)
}

func (st *Stream) endLocked(reason EndReason) {
	if st.reason != "" || st.over {
		return
	}
	st.reason = reason
	_ = st.ws.SetReadDeadline(time.Unix(1, 0)) // a blocked read returns at once
}

// recoverPanic is deferred by every goroutine that works for the stream. It logs a panic and ends the stream with
// EndInternal.
func (st *Stream) recoverPanic() {
	p := recover()
	if p == nil {
		return
	}
	st.onPanic(p)
	st.mu.Lock()
	defer st.mu.Unlock()
	st.panicked = true
	st.endLocked(EndInternal)
}

// shutDown ends the stream when its context has ended.
func (st *Stream) shutDown() {
	defer st.recoverPanic()
	st.end(EndShutdown)
}

// linger waits until the carrier closes the connection, for at most closeWait, and closes it.
func (st *Stream) linger() {
	defer st.recoverPanic()
	st.ws.Linger(closeWait)
}

// writeControl runs when the ping timer fires.
func (st *Stream) writeControl() {
	defer st.recoverPanic()
	st.out.control()
}

// finish ends the stream in the reader and returns the reason; the first one wins. After it neither the timers nor the Send
// methods use the socket.
func (st *Stream) finish(reason EndReason) EndReason {
	reason, code, first := st.stop(reason)
	if !first {
		return reason
	}
	if err := st.out.close(code); err != nil || reason == EndClosed {
		_ = st.ws.Close()
		return reason
	}
	st.lingers.Go(st.linger)
	return reason
}

// stop marks the stream as over. It returns the reason, the close code, and false if the stream was over before.
func (st *Stream) stop(reason EndReason) (_ EndReason, code int, first bool) {
	st.mu.Lock()
	defer st.mu.Unlock()
	if st.reason == "" {
		st.reason = reason
	}
	if st.over {
		return st.reason, 0, false
	}
	st.over = true
	st.watchdog.Stop()
	if st.line != nil && !st.panicked {
		st.line.finish(time.Now())
		st.flushAudio()
	}
	if code = st.code; code == 0 {
		code = closeCode(st.reason)
	}
	return st.reason, code, true
}

// refuse ends a stream that was not admitted, with the given close code.
func (st *Stream) refuse(code int) {
	st.closeWith(code)
	st.finish(EndProtocol)
}

// closeWith sets the close code unless the stream has a reason to end already.
func (st *Stream) closeWith(code int) {
	st.mu.Lock()
	defer st.mu.Unlock()
	if st.reason == "" {
		st.code = code
	}
}

// release ends the stream and waits until no goroutine uses its socket.
func (st *Stream) release() {
	st.finish(EndShutdown)
	st.lingers.Wait()
	st.out.wait()
}

// closeCode returns the close code of a reason (RFC 6455 section 7.4.1).
func closeCode(reason EndReason) int {
	switch reason {
	case EndShutdown:
		return websocket.CloseGoingAway
	case EndProtocol:
		return websocket.CloseProtocolError
	case EndInternal:
		return websocket.CloseInternalServerErr
	}
	return websocket.CloseNormalClosure
}
