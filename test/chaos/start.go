package calltest

import (
	"context"
	"net"
	"time"

	"aldeabridge/internal/call"
)

// A Network is the environment of the program under test.
type Network struct {
	// Listener is where the carriers call, at the path /media/twilio.
	Listener net.Listener
	// Recognizer is the recognizer, and Webhook the receiver of events. Their dialers must be used.
	Recognizer, Webhook Peer
	// Open must be around what opens a recognizer's stream: the world has to know whose it is.
	Open func(call.Recognizer) call.Recognizer
	// Buffer is how much audio to keep for a recognizer that does not answer. Zero means the usual.
	Buffer time.Duration
	// ReplaySpeed is how fast to catch up. Zero means as fast as possible.
	ReplaySpeed float64
	// SampleRate is what to send to the recognizer, in Hz.
	SampleRate int
	// Random returns a number from 0 up to, but not including, 1, that depends on the seed and the present time only,
	// and so not on the order in which goroutines run. It must decide all that is left to chance. It may be called
	// concurrently.
	Random func() float64
}

// A Peer is a server that the program under test connects to.
type Peer struct {
	URL    string // ws:// or http://, without a path
	Secret string // the recognizer's key, or what signs webhooks
	Dial   func(ctx context.Context, network, addr string) (net.Conn, error)
}

// A Start starts the program under test. What it returns stops the program in order, as a deployment would, and
// returns when nothing of it is left running.
type Start func(Network) (stop func() error, err error)
