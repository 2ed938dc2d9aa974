package media_test

import (
	"bytes"
	"context"
	"errors"
	"testing"
	"time"

	"aldeabridge/media"
	"aldeabridge/media/mediatest"
)

func TestACallArrivesWhole(t *testing.T) {
	srv := serve(t, &media.Server{})
	in, out := ramp(8000), ramp(8000)[80:]
	call := mediatest.Call{
		URL: srv.url(), From: "+15550001", To: "+15550002", Params: map[string]string{"tenant": "t1"},
		Inbound: in, Outbound: out, Speed: 20,
		DTMF: []mediatest.Digit{{At: 500 * time.Millisecond, Digit: "5"}},
	}
	result, err := call.Run(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	d := srv.next(t)
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
			srv := serve(t, &media.Server{IdleTimeout: 500 * time.Millisecond})
			call := mediatest.Call{URL: srv.url(), Inbound: ramp(1600), Speed: 10, HangUp: c.hangUp}
			result, err := call.Run(context.Background())
			if err != nil {
				t.Fatal(err)
			}
			d := srv.next(t)
			if d.reason != c.want || result.CloseCode != c.code {
				t.Errorf("got %q and %d, want %q and %d", d.reason, result.CloseCode, c.want, c.code)
			}
			if !bytes.HasPrefix(d.heard.of(media.TrackInbound), ramp(1600)) {
				t.Error("the audio did not arrive")
			}
		})
	}
}

func TestShutdownEndsCallsAndWaitsForThem(t *testing.T) {
	returned := make(chan struct{})
	ended := make(chan media.EndReason, 1)
	srv := serve(t, &media.Server{Serve: func(ctx context.Context, st *media.Stream) {
		// A context that does not end: the server ends the stream all the same.
		ended <- st.Receive(context.WithoutCancel(ctx), newEarful())
		<-returned // the last words
	}})
	opened := make(chan struct{}, 1)
	result := make(chan mediatest.Result, 1)
	go func() {
		call := mediatest.Call{URL: srv.url(), Hold: time.Hour, Sent: once(opened)}
		r, _ := call.Run(context.Background())
		result <- r
	}()
	<-opened
	short, cancel := context.WithCancel(context.Background())
	cancel()
	if err := srv.Shutdown(short); !errors.Is(err, context.Canceled) {
		t.Errorf("Shutdown with a call that goes on: got %v, want %v", err, context.Canceled)
	}
	if got := <-ended; got != media.EndShutdown {
		t.Errorf("reason: got %q, want %q", got, media.EndShutdown)
	}
	if r := <-result; !r.ByServer || r.CloseCode != 1001 {
		t.Errorf("the carrier saw %+v, want a close with 1001", r)
	}
	close(returned)
	if err := srv.Shutdown(context.Background()); err != nil {
		t.Errorf("Shutdown: %v", err)
	}
	if got := srv.Stats().Active; got != 0 {
		t.Errorf("active: got %d, want none", got)
	}
}

func TestWhatWeSendIsPlayedMarkedAndCleared(t *testing.T) {
	heard := newEarful()
	srv := serve(t, &media.Server{Serve: func(ctx context.Context, st *media.Stream) {
		for _, err := range []error{
			st.SendMedia(ramp(20000)), // two seconds and a half, in three messages
			st.SendMark(`a "quoted" mark`),
			st.SendMedia(nil),
			st.SendMedia(ramp(80000)),
			st.SendMark("b"),
			st.SendClear(),
			st.SendMark("c"),
		} {
			if err != nil {
				t.Error(err)
			}
		}
		st.Receive(ctx, heard)
	}})
	var events []string
	var audio []byte
	call := mediatest.Call{URL: srv.url(), Hold: 2 * time.Second, Speed: 10, Received: func(m mediatest.Message) {
		events = append(events, m.Event)
		audio = append(audio, m.Media...)
	}}
	result, err := call.Run(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(audio, append(ramp(20000), ramp(80000)...)) {
		t.Errorf("played: got %d samples, want what was sent", len(audio))
	}
	if result.Marks != 3 || result.Echoed != 3 || result.Clears != 1 || result.Unreadable != 0 {
		t.Errorf("result: got %+v, want three marks, all echoed, and one clear", result)
	}
	if err := srv.Shutdown(context.Background()); err != nil {
		t.Fatal(err)
	}
	if got := heard.marks; len(got) != 3 || got[0] != `a "quoted" mark` || got[1] != "b" || got[2] != "c" {
		t.Errorf("marks: got %q", got)
	}
}

func TestABadLineIsHeardAsWellAsItCanBe(t *testing.T) {
	srv := serve(t, &media.Server{})
	said := ramp(40000)
	call := mediatest.Call{
		URL: srv.url(), Inbound: said, Speed: 20,
		Seed: 1, Loss: 0.1, Duplicate: 0.1, Reorder: 0.1, Jitter: 30 * time.Millisecond,
		Stalls: []mediatest.Span{{From: time.Second, To: 3 * time.Second}},
	}
	result, err := call.Run(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	d := srv.next(t)
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
	if result.Lost == 0 || d.stats.Duplicate == 0 || d.stats.Late == 0 {
		t.Errorf("got %d lost, %+v, want some of everything", result.Lost, d.stats)
	}
	if most := 160 * (result.Lost + int(d.stats.Late)); silent > most || len(got) > len(said) {
		t.Errorf("silence: got %d samples, want at most %d", silent, most)
	}
}

func TestAPanicInOneCallLeavesTheOthersAlone(t *testing.T) {
	srv := serve(t, &media.Server{Serve: func(context.Context, *media.Stream) { panic("oops") }})
	result, err := (&mediatest.Call{URL: srv.url(), Hold: time.Hour}).Run(context.Background())
	if err != nil || !result.ByServer {
		t.Errorf("got %+v, %v, want the server to end the call", result, err)
	}
	if err := srv.Shutdown(context.Background()); err != nil {
		t.Fatal(err)
	}
	if got := srv.Stats(); got.Panicked != 1 || got.Active != 0 {
		t.Errorf("stats: got %+v, want one panic and nothing active", got)
	}
}

func TestAServeThatDoesNotReceiveEndsTheStream(t *testing.T) {
	streams := make(chan *media.Stream, 1)
	srv := serve(t, &media.Server{Serve: func(_ context.Context, st *media.Stream) { streams <- st }})
	result, err := (&mediatest.Call{URL: srv.url(), Hold: time.Hour}).Run(context.Background())
	if err != nil || !result.ByServer {
		t.Errorf("got %+v, %v, want the server to end the call", result, err)
	}
	st := <-streams
	if err := st.SendClear(); !errors.Is(err, media.ErrEnded) {
		t.Errorf("SendClear: got %v, want %v", err, media.ErrEnded)
	}
	if got := st.Receive(context.Background(), newEarful()); got != media.EndShutdown {
		t.Errorf("Receive: got %q, want %q", got, media.EndShutdown)
	}
}
