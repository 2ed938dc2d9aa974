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

// finish ends the stream in the reader and returns the reason it ended for: the first one wins. After it
// neither timer nor Send touches the socket.
func (st *Stream) finish(reason EndReason) EndReason {
	st.mu.Lock()
	if st.reason == "" {
		st.reason = reason
	}
	reason = st.reason
	if st.over {
		st.mu.Unlock()
		return reason
	}
	st.over = true
	st.tell()
	st.watch.Stop()
	code := st.code
	if code == 0 {
		code = closeCode(reason)
	}
	st.mu.Unlock()

	if err := st.out.close(code); err != nil || reason == EndClosed {
		_ = st.ws.Close()
		return reason
	}
	st.lingers.Go(func() { st.ws.Linger(closeWait) })
	return reason
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
	}
	return websocket.CloseNormalClosure
}
