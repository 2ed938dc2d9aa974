package media_test

import (
	"context"
	"fmt"
	"net"
	"time"

	"aldeabridge/media"
	"aldeabridge/media/mediatest"

	"github.com/gofiber/fiber/v2"
)

// A counter is a Receiver that counts what it hears.
type counter struct{ samples int }

func (c *counter) Audio(_ media.Track, mulaw []byte)  { c.samples += len(mulaw) }
func (c *counter) DTMF(digit string, _ time.Duration) { fmt.Println("key", digit) }
func (c *counter) Mark(name string)                   { fmt.Println("played", name) }
func (c *counter) length() time.Duration              { return time.Duration(c.samples) * time.Second / 8000 }

// A server and a call on one machine: a quarter of a second of audio, ten times faster than real.
func Example() {
	done := make(chan struct{})
	server := &media.Server{Serve: func(ctx context.Context, st *media.Stream) {
		defer close(done)
		var heard counter
		reason := st.Receive(ctx, &heard)
		fmt.Println(st.Start().CallSID, "ended:", reason)
		fmt.Println("all heard:", heard.length() >= 250*time.Millisecond)
	}}
	app := fiber.New(fiber.Config{DisableStartupMessage: true})
	server.Register(app)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Println(err)
		return
	}
	go func() { _ = app.Listener(listener) }()

	call := mediatest.Call{
		URL:     "ws://" + listener.Addr().String() + "/media/twilio",
		CallSID: "CA1",
		Inbound: make([]byte, 2000),
		Speed:   10,
		DTMF:    []mediatest.Digit{{At: 100 * time.Millisecond, Digit: "7"}},
	}
	if _, err := call.Run(context.Background()); err != nil {
		fmt.Println(err)
	}
	<-done
	_ = server.Shutdown(context.Background())
	_ = app.Shutdown()
	// Output:
	// key 7
	// CA1 ended: carrier_stop
	// all heard: true
}
