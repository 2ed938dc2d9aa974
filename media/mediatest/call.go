package mediatest

import (
	"context"
	"net"
	"net/http"
	"time"
)

// A Track is the carrier's name of a direction.
type Track string

// The tracks of a call.
const (
	Inbound  Track = "inbound"  // from the caller
	Outbound Track = "outbound" // what the caller hears
)

// A HangUp is a way a call ends.
type HangUp int

// The ways a call ends.
const (
	Stop   HangUp = iota // stop message, then close frame: what Twilio does
	Close                // close frame without a stop message
	Cut                  // the connection breaks without a close frame
	Silent               // nothing more comes, and the connection stays until the server closes it
)

// A Digit is a key the caller presses.
type Digit struct {
	At    time.Duration // on the time line of the audio
	Digit string        // one of 0-9, *, #, A-D
}

// A Span is a stretch of the time line of the audio.
type Span struct {
	From, To time.Duration
}

// A Call is one call a carrier makes. Only URL is needed. A Call may Run again and again, also concurrently,
// as long as its fields do not change and its functions allow that.
type Call struct {
	// URL is where the stream goes: ws:// or wss://, with path.
	URL string
	// Header is added to the upgrade.
	Header http.Header
	// AuthToken, when set, signs the upgrade with X-Twilio-Signature, as if the carrier had called PublicURL
	// (scheme, host and a path to put in front) with the path of URL. PublicURL defaults to URL's scheme and host.
	AuthToken, PublicURL string
	// Dial makes the connection. Nil means TCP.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)

	// CallSID, StreamSID and AccountSID default to "CA", "MZ" and "AC" and 32 hexadecimal digits, made anew
	// for each Run.
	CallSID, StreamSID, AccountSID string
	// From and To, when set, are custom parameters "from" and "to".
	From, To string
	// Params are the custom parameters.
	Params map[string]string

	// Inbound and Outbound are the audio: µ-law, 8000 Hz, mono. A nil track does not exist; with both nil there is an
	// inbound track without audio. The shorter track goes on with silence.
	Inbound, Outbound []byte
	// Hold is how long the call goes on with silence when the audio is over.
	Hold time.Duration
	// Live, when set, is asked for each frame of Hold when its time has come: a caller who answers what he hears. It returns
	// at most n bytes, valid until the next call; silence fills up the frame. It must not block.
	Live func(n int) []byte
	// Frame is the length of a media message. It defaults to 20 ms.
	Frame time.Duration
	// Clock is the first media timestamp.
	Clock time.Duration
	// Speed is how many times faster than real time all goes: 10 plays ten seconds a second. 0 means 1.
	Speed float64

	// Seed decides the faults below.
	Seed uint64
	// Loss, Duplicate and Reorder are the shares, 0 to 1, of frames that are not sent, sent twice, or swapped with
	// the next one.
	Loss, Duplicate, Reorder float64
	// Jitter delays every message by a random time up to this. Messages keep their order.
	Jitter time.Duration
	// Stalls are times when the network carries nothing; afterwards all that was due comes at once.
	Stalls []Span
	// Quiet are stretches whose frames are not sent at all: the carrier leaves silence out.
	Quiet []Span

	// Faults are what goes wrong with what the server wants to be played. Seed decides it too.
	Faults Faults
	// Record keeps what the caller hears for Result.Heard: 8000 bytes a second.
	Record bool

	// DTMF are the keys pressed, in order of time.
	DTMF []Digit
	// HangUp is how the call ends when the audio and Hold are over. The default is Stop.
	HangUp HangUp

	// Sent, when set, is called after each frame has left, with where its audio begins and when it left.
	Sent func(track Track, offset time.Duration, at time.Time)
	// Burst, when set, is called after the first frame of the caller's speech has left, or of whatever is louder than
	// -40 dB of full scale after 200 ms that were not, with where its audio begins and when it left.
	Burst func(offset time.Duration, at time.Time)
	// Progress, when set, is called about every 100 ms of audio, and at the end.
	Progress func(sent, total time.Duration)
	// Received, when set, is called for each message of the server, from a goroutine of its own, in order.
	Received func(Message)
}

// A Result tells how a call went.
type Result struct {
	CallSID, StreamSID string

	Frames int // media messages sent, duplicates included
	Lost   int // frames not sent because of Loss or Quiet
	Digits int // keys pressed
	Echoed int // marks sent back

	MediaMessages int // from the server
	MediaBytes    int // of µ-law in them
	Marks         int // asked for by the server
	Clears        int
	Unreadable    int // messages of the server that are not Twilio's

	// ClearedAt is when the clears came, up to the first 10000.
	ClearedAt []time.Time
	// Heard is what the caller heard from Began to HungUp if Call.Record wanted it: µ-law, 8000 Hz, mono, silence where
	// nothing was played. What a clear took away is not in it. At other speeds than real time it has the length of the
	// call's audio all the same.
	Heard []byte

	// Opened is when the upgrade was answered, Began when the audio began, HungUp when it was over.
	Opened, Began, HungUp time.Time
	// ByServer tells that the server ended the stream before the carrier hung up.
	ByServer bool
	// CloseCode and CloseReason are the server's close frame (RFC 6455 section 7.4). CloseCode is 0 when there was none.
	CloseCode   int
	CloseReason string
}

// A Message is one message of the server.
type Message struct {
	Event     string // media, mark or clear
	StreamSID string
	Media     []byte // µ-law
	Mark      string
	At        time.Time // when it came
}

// Run makes the call and returns when it is over: nil after our hanging up or the server's, a
// *HandshakeError when the server refused the upgrade, the context's error when ctx ended (the caller then
// hangs up at once). All goroutines have ended when it returns.
func (c *Call) Run(ctx context.Context) (Result, error) {
	conn, err := c.dial(ctx)
	if err != nil {
		return Result{}, err
	}
	l := newLine(c, conn)
	l.reading.Go(l.read)
	err = l.talk(ctx)
	l.hangUp(ctx, err)
	_ = conn.Close()
	l.reading.Wait()
	return l.finish(), err
}
