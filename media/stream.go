package media

import (
	"context"
	"errors"
	"io"
	"sync"
	"time"
)

// EndReason says what ended a stream.
type EndReason string

// What can end a stream.
const (
	EndStop     EndReason = "carrier_stop"   // the carrier's stop message
	EndClosed   EndReason = "carrier_closed" // the carrier's socket closed or broke
	EndIdle     EndReason = "idle_timeout"   // nothing came from the carrier for Server.IdleTimeout
	EndTooLong  EndReason = "max_duration"   // the stream lasted Server.MaxDuration
	EndHangUp   EndReason = "hang_up"        // Stream.HangUp
	EndShutdown EndReason = "shutdown"       // the context given to Receive ended
	EndProtocol EndReason = "protocol_error" // the carrier broke RFC 6455 or sent a monstrous message
	EndInternal EndReason = "internal_error" // Stream.Abort
)

// ErrEnded means that the stream has ended and nothing can be sent any more.
var ErrEnded = errors.New("media: stream has ended")

// A Receiver is told what comes in on a stream. Its methods are never called concurrently, and no more
// after Receive has returned. They run on the frame path: they must not block, and must not call Receive.
type Receiver interface {
	// Audio continues the time line of a track: every call's samples follow those of the call before.
	// What the carrier left out is there as silence. mulaw is valid during the call only and must not be
	// written to.
	Audio(t Track, mulaw []byte)
	// DTMF is a key the caller pressed: 0-9, *, # or A-D. at is the end of the track's time line then.
	DTMF(digit string, at time.Duration)
	// Mark is the carrier's echo of a mark: everything sent before it has been played, or was cleared.
	Mark(name string)
}

// A Stream is one media stream of a call: one WebSocket, from its start message on. Receive may be called
// once; the other methods at any time and concurrently.
type Stream struct {
	ws     socket
	start  Start
	limits limits
	n      counters

	// The reader's own.
	buf     []byte
	lent    *[readSize]byte // which buf is a part of
	spare   *sync.Pool      // of such; nil for none
	msg     message
	useless useless
	keys    allowance

	out sender

	onHangUp     func()        // makes the server remember that the call is to end
	onNoAudio    func()        // logs that nothing of what comes is audio; called by the reader, once at most
	onKeyDropped func(n int64) // counts and logs that n keys were dropped so far; mu is held
	onPanic      func(p any)   // logs and counts a panic of a goroutine that works for the stream
	mu           sync.Mutex    // held during calls of the Receiver
	to           Receiver
	ticks        bool             // the stream is read at ticks
	held         [trackCount]held // audio that the Receiver will be told of before the reader waits
	line         *timeline
	opened       time.Time // when the socket was accepted
	last         time.Time // when the last readable message came
	audioAt      time.Time // when the last audio came
	reason       EndReason // why the stream ends; set once
	code         int       // of the close frame; 0 means the one that goes with the reason
	over         bool      // the socket must not be touched any more
	received     bool      // Receive was called
	panicked     bool      // a goroutine that works for the stream panicked: the Receiver is not called any more
	watchdog     *time.Timer // calls checkTimeouts
	lingers      sync.WaitGroup
}

// limits are a stream's share of the Server's settings.
type limits struct {
	message                        int
	start, idle, maxDuration, tick time.Duration
}

// socket is what a stream needs of a WebSocket connection.
type socket interface {
	NextReader() (messageType int, r io.Reader, err error)
	WriteMessage(messageType int, data []byte) error
	WriteControl(messageType int, data []byte, deadline time.Time) error
	SetReadDeadline(t time.Time) error
	SetWriteDeadline(t time.Time) error
	SetReadLimit(limit int64)
	SetPingHandler(h func(data string) error)
	// Linger gives the carrier time to read our close frame and close the connection; then it closes.
	Linger(atMost time.Duration)
	// Close closes the connection at once: a read or write that is under way fails.
	Close() error
}

// Start says which call the stream belongs to. It is the same at all times.
func (st *Stream) Start() Start { return st.start }

// Stats tells how the stream went so far, or went.
func (st *Stream) Stats() Stats { return st.n.stats() }

// HangUp ends the stream and, as far as that is up to us, the call: where its instructions came from POST /voice/twilio
// the carrier asks again, and is told to hang up. Where they did not, the call goes on with what they say behind
// the stream, and ends if that is nothing. It returns at once; Receive returns EndHangUp.
func (st *Stream) HangUp() {
	st.onHangUp()
	st.end(EndHangUp)
}

// Abort ends the stream because of a fault in this program, such as a panic in a goroutine that works for it. It returns
// at once; Receive returns EndInternal.
func (st *Stream) Abort() { st.end(EndInternal) }

// Receive reads the stream until its one end and returns what ended it. The first of these wins: the
// carrier's stop, its closing or losing the socket, a time-out, the end of ctx (EndShutdown). When Receive
// returns, to is not called any more, and the close frame has been sent; the carrier has a second to
// answer it before the socket is closed. A second call returns the same reason at once.
func (st *Stream) Receive(ctx context.Context, to Receiver) EndReason {
	if !st.begin(to) {
		return st.endReason()
	}
	stop := context.AfterFunc(ctx, st.shutDown)
	defer stop()
	st.startTicks()
	for {
		msg, err := st.read()
		if err != nil {
			return st.finish(st.readFailed(err))
		}
		if msg != nil && st.dispatch(msg, time.Now()) {
			return st.finish(EndStop)
		}
		st.judge(manyUseless)
	}
}

// begin makes to the receiver, once.
func (st *Stream) begin(to Receiver) bool {
	st.mu.Lock()
	defer st.mu.Unlock()
	if st.received || st.over {
		return false
	}
	st.received = true
	st.to = to
	now := time.Now()
	st.last = now
	st.line = newTimeline(st.start.Tracks, now, &st.n, st.audio)
	st.watchdog.Reset(quietAfter)
	return true
}

func (st *Stream) endReason() EndReason {
	st.mu.Lock()
	defer st.mu.Unlock()
	return st.reason
}

// dispatch tells the receiver what a message says. It answers true at the carrier's stop.
func (st *Stream) dispatch(msg *message, now time.Time) (stopped bool) {
	st.mu.Lock()
	defer st.mu.Unlock()
	if st.reason != "" {
		return false // ending: the next read fails
	}
	st.last = now
	if msg.streamSID != nil && string(msg.streamSID) != st.start.StreamSID {
		st.skip(errOtherStream)
		return false
	}
	switch msg.kind {
	case kindMedia:
		st.media(msg, now)
	case kindDTMF:
		st.key(msg, now)
	case kindMark:
		st.tell()
		st.to.Mark(msg.text)
	case kindStop:
		return true
	default:
		st.skip(errUnexpected)
	}
	return false
}

// A key makes an event that is stored and sent, so keys are bounded: more at once than a listen may gather, and then as fast
// as fingers are.
const (
	keyBurst = 100
	keyEvery = time.Second / 5
)

// key tells the receiver of a key.
func (st *Stream) key(msg *message, now time.Time) {
	if !st.keys.take(now, keyBurst, keyEvery) {
		st.onKeyDropped(st.n.keys.Add(1))
		return
	}
	if msg.badTrack || !st.line.has(msg.track) {
		msg.track = st.start.Tracks[0]
	}
	st.tell()
	st.to.DTMF(msg.text, st.line.at(msg.track))
}

// media places the audio of a media message.
func (st *Stream) media(msg *message, now time.Time) {
	switch {
	case msg.badTrack || !st.line.has(msg.track):
		st.skip(errOtherTrack)
		return
	case !msg.hasPayload:
		st.bad(errNoPayload)
		return
	}
	n, ok := decodeBase64(msg.payload, msg.payload)
	if !ok {
		st.bad(errNotBase64)
		return
	}
	if n == 0 {
		st.useless.note(errEmpty)
	} else {
		st.audioAt = now
	}
	st.line.frame(msg.track, msg.timestamp, msg.hasTimestamp, msg.payload[:n], now)
}
