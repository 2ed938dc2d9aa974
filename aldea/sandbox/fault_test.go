package sandbox_test

import (
	"errors"
	"testing"
	"time"

	"aldeabridge/aldea/sandbox"

	"github.com/gorilla/websocket"
)

func TestAConnectionDropsAfterSoMuchAudio(t *testing.T) {
	srv := serve(t, sandbox.Options{
		Plan:      []sandbox.Fault{{DropAfter: 1230 * time.Millisecond}, {}},
		Fault:     sandbox.Fault{DropAfter: 500 * time.Millisecond},
		KeepAudio: true,
	})
	for i, want := range []time.Duration{1230 * time.Millisecond, 0, 500 * time.Millisecond, 500 * time.Millisecond} {
		c := dial(t, srv, "")
		b := bytes16(silence(3*time.Second, 8000))
		for len(b) > 0 && c.conn.WriteMessage(websocket.BinaryMessage, b[:1000]) == nil {
			b = b[1000:]
		}
		if want == 0 {
			c.bye()
			continue
		}
		all, err := c.rest()
		var closed *websocket.CloseError
		if errors.As(err, &closed) && closed.Code != websocket.CloseAbnormalClosure {
			t.Errorf("stream %d: got close %d, want none", i, closed.Code)
		}
		got := waitFor(t, srv, ended)
		if got.Audio != want || len(got.PCM) != int(want/time.Millisecond)*8 || got.ClosedBy != "server" || got.CloseCode != 1006 {
			t.Errorf("stream %d: got %v of audio, close %d by %s; want %v, 1006 by server", i, got.Audio, got.CloseCode, got.ClosedBy, want)
		}
		_ = all // a reset may overtake what was sent before it
	}
}

func TestWhatWasDueBeforeADropWasSent(t *testing.T) {
	srv := serve(t, sandbox.Options{Fault: sandbox.Fault{DropAfter: 1100 * time.Millisecond}})
	c := dial(t, srv, "")
	c.binary(bytes16(silence(2*time.Second, 8000)))
	got := waitFor(t, srv, ended)
	if n := len(got.Sent); n != 4 { // Metadata, two interims, a final at 1.0 s
		t.Errorf("got %d messages before the drop, want 4: %v", n, got.Sent)
	}
}
