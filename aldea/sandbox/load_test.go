package sandbox_test

import (
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"aldeabridge/aldea/sandbox"

	"github.com/gorilla/websocket"
)

// anyFault deals faults of every kind, by the seed and the number of the handshake.
func anyFault(seed uint64) func(int, sandbox.Params) sandbox.Fault {
	return func(n int, _ sandbox.Params) sandbox.Fault {
		r := rand.New(rand.NewPCG(seed, uint64(n)))
		after := time.Duration(1+r.IntN(3000)) * time.Millisecond
		f := []sandbox.Fault{
			{}, {Hang: true}, {Reset: true}, {Status: 503, RetryAfter: time.Second}, {HandshakeDelay: after},
			{DropAfter: after}, {CloseAfter: after, CloseCode: 1012}, {HalfOpenAfter: after}, {StallAfter: after},
			{DropAfter: after, Outage: sandbox.Outage{For: after, Drop: r.IntN(2) == 0}}, {Speed: sandbox.SpeedDelay}, {Speed: sandbox.SpeedClose},
			{Latency: after, Jitter: after, Burst: after}, {Duplicate: true, Overlap: after, InvalidJSON: true, UnknownType: true, LateInterim: true},
		}[r.IntN(14)]
		f.Mixed, f.Seed = r.IntN(2) == 0, 1+uint64(n)
		return f
	}
}

// crowd lets many clients talk at once, whatever happens to them, and closes the server while some still do.
func crowd(srv *sandbox.Server, clients, streams int, patience time.Duration) {
	d := websocket.Dialer{NetDialContext: srv.Dial, HandshakeTimeout: patience}
	var all sync.WaitGroup
	for range clients {
		all.Go(func() {
			for range streams {
				conn, resp, err := d.Dial(srv.URL+"/v1/listen?encoding=linear16&sample_rate=8000", key("org_a"))
				if resp != nil {
					resp.Body.Close()
				}
				if err != nil {
					continue
				}
				talk(conn, patience)
			}
		})
	}
	all.Wait()
}

// talk sends three seconds of audio in pieces of half a second, reads what comes, and leaves when nothing does.
func talk(conn *websocket.Conn, patience time.Duration) {
	read := make(chan struct{})
	go func() {
		defer close(read)
		for {
			_ = conn.SetReadDeadline(time.Now().Add(patience))
			if _, _, err := conn.ReadMessage(); err != nil {
				conn.Close()
				return
			}
		}
	}()
	for range 6 {
		_ = conn.SetWriteDeadline(time.Now().Add(patience))
		if conn.WriteMessage(websocket.BinaryMessage, make([]byte, 8000)) != nil {
			break
		}
	}
	_ = conn.WriteMessage(websocket.TextMessage, []byte(`{"type":"CloseStream"}`)) // the reader learns if it fails
	<-read
}

func TestACrowdOfFaultyStreamsEndsWithItsServer(t *testing.T) {
	t.Run("in memory", func(t *testing.T) {
		for seed := range uint64(5) {
			synctest.Test(t, func(t *testing.T) {
				srv := sandbox.NewInMemory(sandbox.Options{Source: hello(), Next: anyFault(seed)})
				defer func() { _ = srv.Close() }()
				time.AfterFunc(90*time.Second, func() { _ = srv.Close() })
				crowd(srv, 20, 10, 10*time.Second)
			})
		}
	})
	t.Run("over TCP", func(t *testing.T) {
		srv := serve(t, sandbox.Options{Next: anyFault(5)})
		crowd(srv, 8, 3, 200*time.Millisecond)
		srv.Heal()
		dial(t, srv, "").bye()
		if err := srv.Close(); err != nil {
			t.Error(err)
		}
		for _, c := range srv.Connections() {
			if c.Open {
				t.Errorf("connection %d with %v is open after Close", c.Number, c.Fault)
			}
		}
	})
}
