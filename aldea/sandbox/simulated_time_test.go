package sandbox_test

import (
	"testing"
	"testing/synctest"
	"time"

	"aldeabridge/aldea/sandbox"

	"github.com/gorilla/websocket"
)

// bubble runs a test with a server in memory and in simulated time.
func bubble(t *testing.T, opts sandbox.Options, test func(t *testing.T, srv *sandbox.Server)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		if opts.Source == nil {
			opts.Source = hello()
		}
		srv := sandbox.NewInMemory(opts)
		defer func() { _ = srv.Close() }()
		test(t, srv)
	})
}

// An arrival is a message with the time it took since the stream was opened.
type arrival struct {
	text string
	at   time.Duration
}

// hearing reads in the background until the connection ends; what it returns waits for that.
func (c *client) hearing() func() ([]arrival, error) {
	var all []arrival
	var end error
	begin, done := time.Now(), make(chan struct{})
	go func() {
		defer close(done)
		for {
			_, b, err := c.conn.ReadMessage()
			if err != nil {
				end = err
				return
			}
			all = append(all, arrival{string(b), time.Since(begin)})
		}
	}()
	return func() ([]arrival, error) { <-done; return all, end }
}

func textsOf(all []arrival) []string {
	texts := make([]string, len(all))
	for i, a := range all {
		texts[i] = a.text
	}
	return texts
}

// converse sends so much silence and CloseStream, and returns all messages. The end must be in order.
func converse(t *testing.T, srv *sandbox.Server, query string, audio time.Duration) []string {
	t.Helper()
	c := dial(t, srv, query)
	wait := c.hearing()
	for b := bytes16(silence(audio, c.rate)); len(b) > 0; b = b[min(len(b), 3210):] { // 200.6 ms
		c.binary(b[:min(len(b), 3210)])
	}
	c.control("CloseStream")
	all, err := wait()
	wantClose(t, err, websocket.CloseNormalClosure)
	return textsOf(all)
}

// live sends so much silence as it would be spoken.
func (c *client) live(d time.Duration) {
	c.t.Helper()
	for ; d > 0; d -= 20 * time.Millisecond {
		time.Sleep(20 * time.Millisecond)
		c.silence(20 * time.Millisecond)
	}
}
