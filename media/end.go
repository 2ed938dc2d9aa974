package media

import (
	"time"

	"github.com/gofiber/contrib/websocket"
)

// closeWait is how long the carrier may take to answer a close frame.
const closeWait = time.Second

// end makes the stream end for a reason, from outside the reader: the reader's next read fails.
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
	_ = st.ws.SetReadDeadline(time.Unix(1, 0)) // a read that waits returns at once
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

// finish ends the stream in the reader and returns the reason it ended for: the first one wins. After it
// neither timer nor Send touches the socket.
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

// stop makes the stream be over. It returns why it ends, the code of the close frame, and false if it was over before.
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
		st.tell()
	}
	if code = st.code; code == 0 {
		code = closeCode(st.reason)
	}
	return st.reason, code, true
}

// refuse ends the stream before it began, with a close code of its own.
func (st *Stream) refuse(code int) {
	st.closeWith(code)
	st.finish(EndProtocol)
}

// closeWith sets the code of the close frame, if nothing has ended the stream yet.
func (st *Stream) closeWith(code int) {
	st.mu.Lock()
	defer st.mu.Unlock()
	if st.reason == "" {
		st.code = code
	}
}

// release waits until nothing of the stream touches the socket any more.
func (st *Stream) release() {
	st.finish(EndShutdown)
	st.lingers.Wait()
	st.out.wait()
}

// closeCode is the code of the close frame that goes with a reason (RFC 6455 section 7.4.1).
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
