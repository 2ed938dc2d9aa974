package sandbox_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"aldeabridge/aldea/sandbox"

	"github.com/gorilla/websocket"
)

// hurry sends audio in frames of 100 ms, one every so often, until the end or until it is closed.
func hurry(c *client, audio, every time.Duration) {
	for ; audio > 0; audio -= 100 * time.Millisecond {
		if c.conn.WriteMessage(websocket.BinaryMessage, make([]byte, 1600)) != nil {
			return
		}
		time.Sleep(every)
	}
}

func TestAudioThatHurriesIsClosed(t *testing.T) {
	for _, c := range []struct {
		name  string
		every time.Duration // one frame of 100 ms
		burst time.Duration // at once, before
		want  time.Duration // of audio when it is closed; zero for never
	}{
		{"real time", 100 * time.Millisecond, 0, 0},
		{"the limit itself", 80 * time.Millisecond, 0, 0},
		{"the limit after a burst", 80 * time.Millisecond, 400 * time.Millisecond, 0},
		{"a burst too long", 80 * time.Millisecond, 600 * time.Millisecond, 500 * time.Millisecond},
		{"twice as fast", 50 * time.Millisecond, 0, 1100 * time.Millisecond},
	} {
		t.Run(c.name, func(t *testing.T) {
			bubble(t, sandbox.Options{Fault: sandbox.Fault{Speed: sandbox.SpeedClose}}, func(t *testing.T, srv *sandbox.Server) {
				cl := dial(t, srv, "")
				wait := cl.hearing()
				hurry(cl, c.burst, 0)
				hurry(cl, 20*time.Second, c.every)
				if c.want == 0 {
					cl.control("CloseStream")
					_, err := wait()
					wantClose(t, err, websocket.CloseNormalClosure)
					return
				}
				_, err := wait()
				if reason := wantClose(t, err, websocket.ClosePolicyViolation); !strings.Contains(reason, "1.25") {
					t.Errorf("got reason %q, want the limit in it", reason)
				}
				if got := srv.Connections()[0].Audio; got != c.want {
					t.Errorf("closed after %v, want %v", got, c.want)
				}
			})
		})
	}
}

func TestAudioThatHurriesIsHeardLate(t *testing.T) {
	bubble(t, sandbox.Options{Fault: sandbox.Fault{Speed: sandbox.SpeedDelay}}, func(t *testing.T, srv *sandbox.Server) {
		c := dial(t, srv, "interim_results=false")
		wait := c.hearing()
		hurry(c, 10*time.Second, 0)
		c.control("CloseStream")
		all, err := wait()
		wantClose(t, err, websocket.CloseNormalClosure)
		if got := utterances(textsOf(all)); !slices.Equal(got, []string{"hello world", "good bye"}) {
			t.Errorf("got %q", got)
		}
		// The finals are due at 1.0 s and 2.9 s of audio. Half a second may come early, and the frame of 100 ms that
		// goes beyond is heard, too; the rest takes its time at 1.25 times real time.
		if first, second := all[1].at, all[2].at; first != 320*time.Millisecond || second != 1840*time.Millisecond {
			t.Errorf("got finals at %v and %v, want 320 ms and 1.84 s", first, second)
		}
	})
}

func TestNobodyIsTooFastWithoutALimit(t *testing.T) {
	bubble(t, sandbox.Options{}, func(t *testing.T, srv *sandbox.Server) {
		begin := time.Now()
		if got := utterances(converse(t, srv, "", time.Minute)); len(got) != 2 || time.Since(begin) != 0 {
			t.Errorf("got %q after %v, want both at once", got, time.Since(begin))
		}
	})
}
