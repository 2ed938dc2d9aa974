package media_test

import (
	"bytes"
	"context"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"aldeabridge/media"
	"aldeabridge/media/mediatest"

	"github.com/gofiber/fiber/v2"
)

// simulate runs one call in simulated time over a connection in memory: no machine is slow there. Before the
// stream is received, each of first is called with it.
func simulate(t *testing.T, s *media.Server, call *mediatest.Call, first ...func(*media.Stream)) (d done, result mediatest.Result) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s.Insecure = true // such a connection has no address
		s.Serve = func(ctx context.Context, st *media.Stream) {
			for _, f := range first {
				f(st)
			}
			e := newEarful()
			d.reason = st.Receive(ctx, e)
			d.start, d.stats, d.heard = st.Start(), st.Stats(), e
		}
		call.URL = "ws://bridge.example/media/twilio"
		call.Dial = inMemory(s)
		var err error
		if result, err = call.Run(t.Context()); err != nil {
			t.Error(err)
		}
		synctest.Wait() // the server may still be reading
		if err := s.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
	})
	return d, result
}

// inMemory returns what dials s over connections in memory.
func inMemory(s *media.Server) func(context.Context, string, string) (net.Conn, error) {
	app := fiber.New(fiber.Config{DisableStartupMessage: true, DisableDefaultDate: true})
	s.Register(app)
	_ = app.Handler() // prepares the routes
	return func(context.Context, string, string) (net.Conn, error) {
		ours, theirs := net.Pipe()
		go func() { _ = app.Server().ServeConn(ours) }()
		return theirs, nil
	}
}

func TestACallArrivesWhole(t *testing.T) {
	in, out := ramp(8000), ramp(8000)[80:]
	d, result := simulate(t, &media.Server{}, &mediatest.Call{
		From: "+15550001", To: "+15550002", Params: map[string]string{"tenant": "t1"},
		Inbound: in, Outbound: out,
		DTMF: []mediatest.Digit{{At: 500 * time.Millisecond, Digit: "5"}},
	})
	if d.reason != media.EndStop {
		t.Errorf("reason: got %q, want %q", d.reason, media.EndStop)
	}
	if got := d.heard.of(media.TrackInbound); !bytes.Equal(got, in) {
		t.Errorf("inbound: got %d samples, want these %d", len(got), len(in))
	}
	if got := d.heard.of(media.TrackOutbound); !bytes.HasPrefix(got, out) || len(got) != len(in) {
		t.Errorf("outbound: got %d samples, want %d and silence up to %d", len(got), len(out), len(in))
	}
	if got := d.heard.digits; len(got) != 1 || got[0] != "5" || d.heard.at[0] != 500*time.Millisecond {
		t.Errorf("digits: got %q at %v, want 5 at 500ms", got, d.heard.at)
	}
	if d.start.From != "+15550001" || d.start.To != "+15550002" || len(d.start.Params) != 1 || d.start.Params["tenant"] != "t1" {
		t.Errorf("start: got %+v", d.start)
	}
	if result.Frames != 100 || result.CloseCode != 1000 || result.ByServer {
		t.Errorf("result: got %+v, want 100 frames and the server's close with 1000", result)
	}
	if d.stats.Frames != 100 || d.stats.Silence != 0 {
		t.Errorf("stats: got %+v, want 100 frames and no silence", d.stats)
	}
}

func TestTheReasonOfTheEndIsTheCarriers(t *testing.T) {
	for _, c := range []struct {
		name   string
		hangUp mediatest.HangUp
		want   media.EndReason
		code   int
	}{
		{"stop", mediatest.Stop, media.EndStop, 1000},
		{"close without stop", mediatest.Close, media.EndClosed, 1000},
		{"cut", mediatest.Cut, media.EndClosed, 0},
		{"silent", mediatest.Silent, media.EndIdle, 1000},
	} {
		t.Run(c.name, func(t *testing.T) {
			d, result := simulate(t, &media.Server{}, &mediatest.Call{Inbound: ramp(1600), HangUp: c.hangUp})
			if d.reason != c.want || result.CloseCode != c.code {
				t.Errorf("got %q and %d, want %q and %d", d.reason, result.CloseCode, c.want, c.code)
			}
			if !bytes.HasPrefix(d.heard.of(media.TrackInbound), ramp(1600)) {
				t.Error("the audio did not arrive")
			}
		})
	}
}

func TestABadLineIsHeardAsWellAsItCanBe(t *testing.T) {
	said := ramp(80000)
	d, result := simulate(t, &media.Server{}, &mediatest.Call{
		Inbound: said, Seed: 1, Loss: 0.05, Duplicate: 0.1, Reorder: 0.05, Jitter: 150 * time.Millisecond,
		Quiet: []mediatest.Span{{From: 5 * time.Second, To: 7 * time.Second}},
	})
	got := d.heard.of(media.TrackInbound)
	silent, wrong := 0, 0
	for i, b := range got {
		switch {
		case b == 0xFF:
			silent++
		case i >= len(said) || b != said[i]:
			wrong++
		}
	}
	if wrong != 0 {
		t.Errorf("%d samples are in the wrong place", wrong)
	}
	if result.Lost < 100 || d.stats.Duplicate == 0 || d.stats.Late == 0 {
		t.Errorf("got %d lost, %+v, want some of everything", result.Lost, d.stats)
	}
	if most := 160 * (result.Lost + int(d.stats.Late)); silent > most || len(got) > len(said) {
		t.Errorf("silence: got %d samples in %d, want at most %d in %d", silent, len(got), most, len(said))
	}
}

func TestAStalledNetworkLosesNoWord(t *testing.T) {
	said := ramp(80000)
	d, _ := simulate(t, &media.Server{}, &mediatest.Call{
		Inbound: said, Stalls: []mediatest.Span{{From: 2 * time.Second, To: 6 * time.Second}},
	})
	got := d.heard.of(media.TrackInbound)
	if words := withoutSilence(got); !bytes.Equal(words, said) {
		t.Errorf("got %d samples without the silence, want %d", len(words), len(said))
	}
	// Silence flowed during the stall, up to 1.4 s before its end.
	if silent := len(got) - len(said); silent < 2*8000 || silent > 3*8000 {
		t.Errorf("silence: got %d samples, want between 2 and 3 seconds", silent)
	}
	if d.stats.Late != 0 || d.stats.Duplicate != 0 {
		t.Errorf("stats: got %+v, want nothing dropped", d.stats)
	}
}

func TestWhatWeSendIsPlayedMarkedAndCleared(t *testing.T) {
	var events []string
	var audio []byte
	var began time.Time
	var last time.Duration
	call := mediatest.Call{Hold: 20 * time.Second, Received: func(m mediatest.Message) {
		events, audio = append(events, m.Event), append(audio, m.Media...)
		last = m.At.Sub(began)
	}}
	d, result := simulate(t, &media.Server{}, &call, func(st *media.Stream) {
		began = time.Now()
		for _, err := range []error{
			st.SendMedia(ramp(20000)), // two seconds and a half, in three messages
			st.SendMark(`a "quoted" mark`),
			st.SendMedia(nil),
			st.SendMedia(ramp(80000)),
			st.SendMark("b"),
		} {
			if err != nil {
				t.Error(err)
			}
		}
		time.AfterFunc(5*time.Second, func() {
			for _, err := range []error{st.SendClear(), st.SendMark("c")} {
				if err != nil {
					t.Error(err)
				}
			}
		})
	})
	if !bytes.Equal(audio, append(ramp(20000), ramp(80000)...)) {
		t.Errorf("played: got %d samples, want what was sent", len(audio))
	}
	want := "media media media mark media media media media media media media media media media mark clear mark"
	if got := strings.Join(events, " "); got != want || last != 5*time.Second {
		t.Errorf("sent: got %s, the last after %v, want %s after 5s", got, last, want)
	}
	if result.Marks != 3 || result.Echoed != 3 || result.Clears != 1 || result.Unreadable != 0 {
		t.Errorf("result: got %+v, want three marks, all echoed, and one clear", result)
	}
	if got := strings.Join(d.heard.marks, ", "); got != `a "quoted" mark, b, c` {
		t.Errorf("marks: got %s", got)
	}
}
