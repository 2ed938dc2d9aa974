package media

import (
	"encoding/base64"
	"encoding/json"
	"sync"
	"time"

	"github.com/gofiber/contrib/websocket"
)

const (
	// writeTimeout is how long one message may take to leave. A carrier that reads nothing for so long is gone.
	writeTimeout = 5 * time.Second
	// pingEvery keeps the connection open in proxies and address translators, which close what they take
	// for idle after 30 seconds or more. Whether a pong comes back does not matter.
	pingEvery = 15 * time.Second
	// maxSend is the most audio in one media message: one second, so that a clear need not wait behind more.
	maxSend = sampleRate
)

// A sender is the one place where frames are written to the socket: messages, pings, pongs and the close.
type sender struct {
	mu    sync.Mutex // one writer at a time
	ws    socket
	over  bool // the close frame was sent, or nothing can be sent
	sid   []byte
	buf   []byte
	timer *time.Timer // the next ping

	pongMu sync.Mutex
	pong   []byte // answer to a ping of the carrier, to be sent by the timer
}

// SendMedia plays audio to the caller, behind what was sent before: µ-law, 8000 Hz, mono, no header, any
// length. More than a second goes out in several messages. It waits for the network for at most 5 seconds
// a message and returns ErrEnded after the end. The carrier ignores it on a stream that only listens.
func (st *Stream) SendMedia(mulaw []byte) error {
	for len(mulaw) > 0 {
		n := min(len(mulaw), maxSend)
		if err := st.out.media(mulaw[:n]); err != nil {
			return err
		}
		mulaw = mulaw[n:]
	}
	return nil
}

// SendMark asks the carrier to echo name when everything sent before it has been played, or when it is
// cleared. The name must not be empty. Use each name once.
func (st *Stream) SendMark(name string) error {
	quoted, err := json.Marshal(name)
	if err != nil {
		return err
	}
	return st.out.send(`{"event":"mark","streamSid":`, func(b []byte) []byte {
		b = append(b, `,"mark":{"name":`...)
		return append(append(b, quoted...), `}}`...)
	})
}

// SendClear asks the carrier to forget all audio that is not played yet. It then echoes every pending mark.
func (st *Stream) SendClear() error {
	return st.out.send(`{"event":"clear","streamSid":`, func(b []byte) []byte { return append(b, '}') })
}

func (o *sender) media(mulaw []byte) error {
	return o.send(`{"event":"media","streamSid":`, func(b []byte) []byte {
		b = append(b, `,"media":{"payload":"`...)
		b = base64.StdEncoding.AppendEncode(b, mulaw)
		return append(b, `"}}`...)
	})
}

// send writes one message: head, the quoted stream id, and what rest appends.
func (o *sender) send(head string, rest func([]byte) []byte) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.over {
		return ErrEnded
	}
	o.buf = rest(append(append(o.buf[:0], head...), o.sid...))
	if err := o.ws.SetWriteDeadline(time.Now().Add(writeTimeout)); err != nil {
		return err
	}
	return o.ws.WriteMessage(websocket.TextMessage, o.buf)
}

// start begins to ping.
func (o *sender) start(ws socket) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.ws = ws
	o.timer = time.AfterFunc(pingEvery, o.control)
}

// ping takes a ping of the carrier. The reader must not wait for a write, so the timer answers. Only the last
// ping needs an answer (RFC 6455 section 5.5.3).
func (o *sender) ping(data string) error {
	o.pongMu.Lock()
	defer o.pongMu.Unlock()
	o.pong = append(o.pong[:0], data...)
	if o.pong == nil {
		o.pong = []byte{}
	}
	o.timer.Reset(0)
	return nil
}

// control writes the control frame that is due, from the timer.
func (o *sender) control() {
	o.pongMu.Lock()
	pong := o.pong
	o.pong = nil
	o.pongMu.Unlock()

	o.mu.Lock()
	defer o.mu.Unlock()
	if o.over {
		return
	}
	kind := websocket.PingMessage
	if pong != nil {
		kind = websocket.PongMessage
	}
	if err := o.ws.WriteControl(kind, pong, time.Now().Add(writeTimeout)); err == nil {
		o.timer.Reset(pingEvery)
	}
}

// close sends the close frame and forbids everything after it.
func (o *sender) close(code int) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.over {
		return ErrEnded
	}
	o.over = true
	o.timer.Stop()
	return o.ws.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(code, ""), time.Now().Add(closeWait))
}
