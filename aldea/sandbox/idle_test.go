package sandbox_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"aldeabridge/aldea/sandbox"

	"github.com/gorilla/websocket"
)

// inMemory opens a stream inside a bubble of simulated time.
func inMemory(t *testing.T, opts sandbox.Options, query string) (*sandbox.Server, *client) {
	t.Helper()
	opts.Source = hello()
	srv := sandbox.NewInMemory(opts)
	t.Cleanup(func() { _ = srv.Close() })
	return srv, dial(t, srv, query)
}

// forever reads to the end without a guard of its own: time is simulated.
func forever(c *client) error {
	for {
		if _, _, err := c.conn.ReadMessage(); err != nil {
			return err
		}
	}
}

func TestTheIdleLimitIsTenSecondsAndKeepAliveCountsAfterAudio(t *testing.T) { // S13
	for _, c := range []struct {
		name  string
		opts  sandbox.Options
		audio bool
		alive time.Duration // how long KeepAlive is sent every four seconds
		want  time.Duration
	}{
		{"nothing sent", sandbox.Options{}, false, 0, 10 * time.Second},
		{"audio at once", sandbox.Options{}, true, 0, 10 * time.Second},
		{"KeepAlive after audio", sandbox.Options{}, true, 20 * time.Second, 30 * time.Second},
		{"KeepAlive before audio", sandbox.Options{}, false, 20 * time.Second, 10 * time.Second},
		{"KeepAlive before audio, lenient", sandbox.Options{Lenient: true}, false, 20 * time.Second, 30 * time.Second},
		{"a limit of its own", sandbox.Options{IdleTimeout: time.Minute}, false, 0, time.Minute},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				srv, cl := inMemory(t, c.opts, "")
				begin := time.Now()
				ended := make(chan error, 1)
				var took time.Duration
				go func() {
					err := forever(cl)
					took = time.Since(begin).Truncate(time.Second)
					ended <- err
				}()
				if c.audio {
					cl.silence(100 * time.Millisecond)
				}
				for i := time.Duration(4); i*time.Second <= c.alive; i += 4 {
					time.Sleep(time.Until(begin.Add(i * time.Second)))
					// The server may have closed already; then the write fails, and the time tells.
					_ = cl.conn.WriteMessage(websocket.TextMessage, []byte(`{"type":"KeepAlive"}`))
				}
				reason := wantClose(t, <-ended, websocket.CloseInternalServerErr)
				if !strings.Contains(reason, "net0001") {
					t.Errorf("got reason %q, want net0001 in it", reason)
				}
				if took != c.want {
					t.Errorf("closed after %v, want %v", took, c.want)
				}
				if got := srv.Connections()[0]; got.CloseCode != websocket.CloseInternalServerErr {
					t.Errorf("the server remembers close %d, want 1011", got.CloseCode)
				}
			})
		})
	}
}

func TestTheHandshakeCanBeSlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		srv, c := inMemory(t, sandbox.Options{Plan: []sandbox.Fault{{HandshakeDelay: 3 * time.Second}}}, "")
		if got := time.Since(begin); got != 3*time.Second {
			t.Errorf("got a handshake of %v, want 3 s", got)
		}
		go c.silence(time.Second)
		c.until(func(m message) bool { return m.flag("speech_final") })
		begin = time.Now()
		conn, resp, err := try(srv, "/v1/listen", "", key("org_a"))
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		conn.Close()
		if got := time.Since(begin); got != 0 {
			t.Errorf("got a handshake of %v after the planned one, want 0", got)
		}
	})
}
