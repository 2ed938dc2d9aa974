package media

import (
	"context"
	"errors"
	"io"
	"sync"
	"time"
)

// EndReason is the reason why a stream ended.
type EndReason string

// The reasons why a stream ends.
const (
	EndStop     EndReason = "carrier_stop"   // the carrier's stop message
	EndClosed   EndReason = "carrier_closed" // the carrier's socket closed or broke
	EndIdle     EndReason = "idle_timeout"   // no readable message arrived for Server.IdleTimeout
	EndTooLong  EndReason = "max_duration"   // the stream lasted Server.MaxDuration
	EndHangUp   EndReason = "hang_up"        // Stream.HangUp
	EndShutdown EndReason = "shutdown"       // the context given to Receive ended
	EndProtocol EndReason = "protocol_error" // the carrier violated RFC 6455 or sent a message far above Server.MaxMessage
	EndInternal EndReason = "internal_error" // Stream.Abort
)

// ErrEnded means that the stream has ended and no message can be sent.
var ErrEnded = errors.New("media: stream has ended")

// A Receiver receives the audio, keys and marks of a stream. Its methods are never called concurrently, and not
// after Receive has returned. They run on the frame path: they must not block, and must not call Receive.
type Receiver interface {
	// Audio continues the time line of a track: the samples follow those of the previous call. Audio that the carrier
	// left out is replaced by silence. mulaw is read-only and valid during the call only.
	Audio(t Track, mulaw []byte)
	// DTMF is a key that the caller pressed: 0-9, *, # or A-D. at is the end of the track's time line at that time.
	DTMF(digit string, at time.Duration)
	// Mark is the carrier's echo of a mark: all audio sent before it has been played or cleared.
	Mark(name string)
}

// A Stream is one media stream of a call: one WebSocket, from its start message on. Receive may be called
// once. The other methods may be called at any time and concurrently.
type Stream struct {
	ws     socket
	start  Start
	limits limits
	n      counters

	// The fields up to out are used by the goroutine that reads the stream only.
	buf      []byte
	borrowed *[readSize]byte // the pooled array that buf is a part of
	spare    *sync.Pool      // of read buffers; nil: the stream has its own buffer
	msg      message
	unusable unusableMessages
	keys     rateLimit

	out sender

	onHangUp     func()        // tells the server to end the call when the carrier asks about it
	onNoAudio    func()        // logs that no message is usable audio; called by the reader, at most once
	onKeyDropped func(n int64) // counts and logs dropped keys, n so far; called with mu held
	onPanic      func(p any)   // logs and counts a panic of a goroutine that works for the stream
	mu           sync.Mutex    // held during calls of the Receiver
	to           Receiver
	ticks        bool                     // the stream is read at ticks
	pending      [trackCount]pendingAudio // audio that the Receiver gets before the reader waits again
	line         *timeline
	opened       time.Time   // when the socket was accepted
	last         time.Time   // arrival of the last readable message
	audioAt      time.Time   // arrival of the last audio
	reason       EndReason   // set once, when the stream ends
	code         int         // close code; 0 means the code of the reason
	over         bool        // the socket must not be used any more
	received     bool        // Receive was called
	panicked     bool        // a goroutine that works for the stream panicked: the Receiver is not called any more
	watchdog     *time.Timer // calls checkTimeouts
	lingers      sync.WaitGroup
}

// limits are the settings of the Server that apply to one stream.
type limits struct {
	message                        int
	start, idle, maxDuration, tick time.Duration
}

// socket is the part of a WebSocket connection that a stream uses.
type socket interface {
	NextReader() (messageType int, r io.Reader, err error)
	WriteMessage(messageType int, data []byte) error
	WriteControl(messageType int, data []byte, deadline time.Time) error
	SetReadDeadline(t time.Time) error
	SetWriteDeadline(t time.Time) error
	SetReadLimit(limit int64)
	SetPingHandler(h func(data string) error)
	// Linger waits until the carrier closes the connection, for at most atMost, and closes it.
	Linger(atMost time.Duration)
	// Close closes the connection at once: a pending read or write fails.
	Close() error
}

// Start returns the start message, which names the call of the stream. It does not change.
func (st *Stream) Start() Start { return st.start }

// Stats returns the counters of the stream.
func (st *Stream) Stats() Stats { return st.n.stats() }

// HangUp ends the stream and, if possible, the call. If the call's TwiML came from POST /voice/twilio, the carrier
// requests it again and gets a hang-up. Otherwise the call continues with the verbs after the stream, and ends if there
// are none. HangUp returns at once; Receive returns EndHangUp.
func (st *Stream) HangUp() {
	st.onHangUp()
	st.end(EndHangUp)
}

// Abort ends the stream because of a fault in this program, such as a panic in a goroutine that works for it. It returns
// at once; Receive returns EndInternal.
func (st *Stream) Abort() { st.end(EndInternal) }

// Receive reads the stream until it ends and returns the reason, which is the first of: the carrier's stop message, a
// closed or broken socket, a timeout, the end of ctx (EndShutdown). When Receive returns, to is not called any more and the
// close frame has been sent; the carrier has one second to answer it before the socket is closed. A second call returns
// the same reason at once.
func (st *Stream) Receive(ctx context.Context, to Receiver) EndReason {
	if !st.beginReceive(to) {
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
		st.reportNoAudio(maxUnusable)
	}
}

// beginReceive sets the receiver and starts the time line. It returns false if the stream is over or has a receiver.
func (st *Stream) beginReceive(to Receiver) bool {
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

// dispatch passes a message to the receiver. It returns true for the carrier's stop message.
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
		st.flushAudio()
		st.to.Mark(msg.text)
	case kindStop:
		return true
	default:
		st.skip(errUnexpected)
	}
	return false
}

// Each key becomes an event that is stored and sent, so keys are limited: keyBurst at once, more than a listen action may
// gather, and then one every keyEvery, as fast as a person presses them.
const (
	keyBurst = 100
	keyEvery = time.Second / 5
)

// key passes a key to the receiver, or drops it if keys come too fast.
func (st *Stream) key(msg *message, now time.Time) {
	if !st.keys.allow(now, keyBurst, keyEvery) {
		st.onKeyDropped(st.n.keys.Add(1))
		return
	}
	if msg.badTrack || !st.line.has(msg.track) {
		msg.track = st.start.Tracks[0]
	}
	st.flushAudio()
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
		st.unusable.note(errEmpty)
	} else {
		st.audioAt = now
	}
	st.line.frame(msg.track, msg.timestamp, msg.hasTimestamp, msg.payload[:n], now)
}
