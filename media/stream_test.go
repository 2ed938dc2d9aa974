package media_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"aldeabridge/media"
	"aldeabridge/media/mediatest"
)

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

// A panickingAudio panics when it receives audio.
type panickingAudio struct{ recorder }

func (*panickingAudio) Audio(media.Track, []byte) { panic("oops") }

func TestAPanicInOneCallLeavesTheOthersAlone(t *testing.T) {
	for name, test := range map[string]struct {
		serve   func(context.Context, *media.Stream)
		inbound []byte
	}{
		"of Serve":        {func(context.Context, *media.Stream) { panic("oops") }, nil},
		"of the Receiver": {func(ctx context.Context, st *media.Stream) { st.Receive(ctx, &panickingAudio{}) }, ramp(160)},
	} {
		t.Run(name, func(t *testing.T) {
			srv := serve(t, &media.Server{Serve: test.serve})
			result, err := (&mediatest.Call{URL: srv.url(), Inbound: test.inbound, Hold: time.Hour}).Run(context.Background())
			if err != nil || !result.ByServer {
				t.Errorf("got %+v, %v, want the server to end the call", result, err)
			}
			if err := srv.Shutdown(context.Background()); err != nil {
				t.Fatal(err)
			}
			if got := srv.Stats(); got.Panicked != 1 || got.Active != 0 {
				t.Errorf("stats: got %+v, want one panic and nothing active", got)
			}
		})
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
