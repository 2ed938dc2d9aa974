package media

import (
	"encoding/base64"
	"encoding/json"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gofiber/contrib/websocket"
)

const (
	// writeTimeout is how long one message may take to leave. A carrier that reads nothing for so long is gone.
	writeTimeout = 5 * time.Second
	// pingEvery keeps the connection open in proxies and address translators, which close what they take
	// for idle after 30 seconds or more. Whether a pong comes back does not matter.
	pingEvery = 15 * time.Second
	// pongRetry is how long a pong waits for another write.
	pongRetry = 50 * time.Millisecond
	// maxSend is the most audio in one media message: one second, so that a clear need not wait behind more.
	maxSend = sampleRate
)

// A sender is the one place where frames are written to the socket: messages, pings, pongs and the close.
type sender struct {
	turn  chan struct{} // holds a value while somebody writes
	over  atomic.Bool   // nothing may be sent any more
	timer *time.Timer   // the next ping
	heard playout       // when the caller has heard what was sent

	// Whoever has the turn.
	ws  socket
	sid []byte // the stream's id as JSON
	buf []byte

	mu   sync.Mutex // guards pong
	pong []byte     // answer to a ping of the carrier, to be sent by the timer; nil for none
}

// SendMedia plays audio to the caller, behind what was sent before: µ-law, 8000 Hz, mono, no header, any
// length. More than a second goes out in several messages. It waits for the network for at most 5 seconds
// a message and returns ErrEnded after the end. The carrier ignores it on a stream that only listens.
func (st *Stream) SendMedia(mulaw []byte) error {
	for len(mulaw) > 0 {
		n := min(len(mulaw), maxSend)
		st.out.heard.add(n, time.Now())
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
	st.out.heard.clear(time.Now())
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
	o.turn <- struct{}{}
	defer o.done()
	if o.over.Load() {
		return ErrEnded
	}
	o.buf = rest(append(append(o.buf[:0], head...), o.sid...))
	if err := o.ws.SetWriteDeadline(time.Now().Add(writeTimeout)); err != nil {
		return err
	}
	return o.ws.WriteMessage(websocket.TextMessage, o.buf)
}

func (o *sender) done() { <-o.turn }

// start starts the ping timer, which calls control.
func (o *sender) start(ws socket, control func()) {
	o.turn = make(chan struct{}, 1)
	o.turn <- struct{}{}
	defer o.done()
	o.ws = ws
	o.timer = time.AfterFunc(pingEvery, control)
}

// setStream says which stream the messages belong to.
func (o *sender) setStream(sid string) error {
	o.turn <- struct{}{}
	defer o.done()
	var err error
	o.sid, err = json.Marshal(sid)
	return err
}

// ping takes a ping of the carrier. The reader must not wait for a write, so the timer answers. Only the last
// ping needs an answer (RFC 6455 section 5.5.3).
func (o *sender) ping(data string) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.pong = append(make([]byte, 0, len(data)), data...)
	o.timer.Reset(0)
	return nil
}

// control writes the control frame that is due, from the timer. While somebody else writes it does not
// wait but comes again: what is written keeps the connection open as well.
func (o *sender) control() {
	select {
	case o.turn <- struct{}{}:
	default:
		o.timer.Reset(pongRetry)
		return
	}
	defer o.done()
	if o.over.Load() {
		return
	}
	o.mu.Lock()
	pong := o.pong
	o.pong = nil
	o.mu.Unlock()
	kind := websocket.PingMessage
	if pong != nil {
		kind = websocket.PongMessage
	}
	if err := o.ws.WriteControl(kind, pong, time.Now().Add(writeTimeout)); err == nil {
		o.timer.Reset(pingEvery)
	}
}

// close sends the close frame and forbids everything after it. When another write does not end in time, there
// is no close frame.
func (o *sender) close(code int) error {
	o.over.Store(true)
	o.timer.Stop()
	timeout := time.NewTimer(closeWait)
	defer timeout.Stop()
	select {
	case o.turn <- struct{}{}:
	case <-timeout.C:
		return ErrEnded
	}
	defer o.done()
	return o.ws.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(code, ""), time.Now().Add(closeWait))
}

// wait waits for a write that is under way after close. The connection must be closed.
func (o *sender) wait() {
	o.turn <- struct{}{}
	o.done()
}
