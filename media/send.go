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
	// writeTimeout bounds the write of one message. A carrier that reads nothing for that long is considered gone.
	writeTimeout = 5 * time.Second
	// pingEvery keeps the connection open in proxies and NATs, which close idle connections after 30 seconds or more.
	// Pongs are not required.
	pingEvery = 15 * time.Second
	// pongRetry is the delay before a control frame is tried again during another write.
	pongRetry = 50 * time.Millisecond
	// maxSend is the most audio in one media message: one second, so that a clear does not wait behind more.
	maxSend = sampleRate
)

// A sender writes all frames to the socket: messages, pings, pongs and the close frame.
type sender struct {
	writeSem chan struct{} // semaphore of one; holds a value during a write
	over     atomic.Bool   // no frame may be sent except the close frame
	timer    *time.Timer   // fires when the next control frame is due
	playout  playout       // estimates when the audio sent so far has been played

	// Guarded by writeSem.
	ws  socket
	sid []byte // stream SID as JSON
	buf []byte

	mu   sync.Mutex // guards pong
	pong []byte     // data of the pong that the timer sends; nil for none
}

// SendMedia plays audio to the caller, after the audio sent before: µ-law, 8000 Hz, mono, no header, any length. More than
// one second is sent as several messages. It blocks on the network for at most 5 seconds a message and returns ErrEnded
// after the end. The carrier ignores audio on a one-way stream.
func (st *Stream) SendMedia(mulaw []byte) error {
	for len(mulaw) > 0 {
		n := min(len(mulaw), maxSend)
		st.out.playout.add(n, time.Now())
		if err := st.out.media(mulaw[:n]); err != nil {
			return err
		}
		mulaw = mulaw[n:]
	}
	return nil
}

// SendMark asks the carrier to echo name when all audio sent before it has been played or cleared. The name must not be
// empty. Use each name once.
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

// SendClear asks the carrier to discard the audio that is not played yet. The carrier then echoes every pending mark.
func (st *Stream) SendClear() error {
	st.out.playout.clear(time.Now())
	return st.out.send(`{"event":"clear","streamSid":`, func(b []byte) []byte { return append(b, '}') })
}

func (o *sender) media(mulaw []byte) error {
	return o.send(`{"event":"media","streamSid":`, func(b []byte) []byte {
		b = append(b, `,"media":{"payload":"`...)
		b = base64.StdEncoding.AppendEncode(b, mulaw)
		return append(b, `"}}`...)
	})
}

// send writes one message: head, the stream SID as JSON, and the bytes that rest appends.
func (o *sender) send(head string, rest func([]byte) []byte) error {
	o.writeSem <- struct{}{}
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

func (o *sender) done() { <-o.writeSem }

// start starts the ping timer, which calls control.
func (o *sender) start(ws socket, control func()) {
	o.writeSem = make(chan struct{}, 1)
	o.writeSem <- struct{}{}
	defer o.done()
	o.ws = ws
	o.timer = time.AfterFunc(pingEvery, control)
}

// setStream sets the stream SID of the messages.
func (o *sender) setStream(sid string) error {
	o.writeSem <- struct{}{}
	defer o.done()
	var err error
	o.sid, err = json.Marshal(sid)
	return err
}

// ping schedules the answer to a ping. The reader must not wait for a write, so the timer sends the pong. Only the last
// ping needs an answer (RFC 6455 section 5.5.3).
func (o *sender) ping(data string) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.pong = append(make([]byte, 0, len(data)), data...)
	o.timer.Reset(0)
	return nil
}

// control runs when the timer fires and writes a pong or a ping. During another write it retries later instead of
// waiting: the other write keeps the connection open as well.
func (o *sender) control() {
	select {
	case o.writeSem <- struct{}{}:
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

// close sends the close frame; no frame is sent after it. If another write does not end within closeWait, no close frame
// is sent.
func (o *sender) close(code int) error {
	o.over.Store(true)
	o.timer.Stop()
	timeout := time.NewTimer(closeWait)
	defer timeout.Stop()
	select {
	case o.writeSem <- struct{}{}:
	case <-timeout.C:
		return ErrEnded
	}
	defer o.done()
	return o.ws.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(code, ""), time.Now().Add(closeWait))
}

// wait waits for a pending write after close. The connection must be closed.
func (o *sender) wait() {
	o.writeSem <- struct{}{}
	o.done()
}
