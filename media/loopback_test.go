package media_test

import (
	"bytes"
	"context"
	"net"
	"sync"
	"testing"
	"time"

	"aldeabridge/media"

	"github.com/gofiber/fiber/v2"
)

// guard is how long a test may wait for something that must happen.
const guard = 20 * time.Second

// An earful is what a Receiver heard.
type earful struct {
	mu     sync.Mutex
	audio  [2][]byte
	digits []string
	at     []time.Duration
	marks  []string
	heard  chan struct{} // gets a token after each call, if there is room
}

func newEarful() *earful { return &earful{heard: make(chan struct{}, 1)} }

func (e *earful) Audio(t media.Track, mulaw []byte) {
	e.mu.Lock()
	e.audio[t] = append(e.audio[t], mulaw...)
	e.mu.Unlock()
	e.tell()
}

func (e *earful) DTMF(digit string, at time.Duration) {
	e.mu.Lock()
	e.digits, e.at = append(e.digits, digit), append(e.at, at)
	e.mu.Unlock()
	e.tell()
}

func (e *earful) Mark(name string) {
	e.mu.Lock()
	e.marks = append(e.marks, name)
	e.mu.Unlock()
	e.tell()
}

func (e *earful) tell() {
	select {
	case e.heard <- struct{}{}:
	default:
	}
}

func (e *earful) of(t media.Track) []byte {
	e.mu.Lock()
	defer e.mu.Unlock()
	return append([]byte(nil), e.audio[t]...)
}

// A done is a stream that has ended.
type done struct {
	start  media.Start
	reason media.EndReason
	stats  media.Stats
	heard  *earful
}

// A live server runs on a real socket of this machine.
type live struct {
	*media.Server
	addr string
	done chan done
}

// serve starts s. Its Serve receives each stream and reports it, unless the test has set another.
func serve(t testing.TB, s *media.Server) *live {
	t.Helper()
	return serveOn(t, s, func(ln net.Listener) net.Listener { return ln })
}

// serveOn is serve with something around the listener.
func serveOn(t testing.TB, s *media.Server, wrap func(net.Listener) net.Listener) *live {
	t.Helper()
	l := &live{Server: s, done: make(chan done, 100)}
	if s.Serve == nil {
		s.Serve = func(ctx context.Context, st *media.Stream) {
			e := newEarful()
			reason := st.Receive(ctx, e)
			l.done <- done{st.Start(), reason, st.Stats(), e}
		}
	}
	app := fiber.New(fiber.Config{DisableStartupMessage: true})
	s.Register(app)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.addr = ln.Addr().String()
	served := make(chan error, 1)
	go func() { served <- app.Listener(wrap(s.Listener(ln))) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), guard)
		defer cancel()
		if err := s.Shutdown(ctx); err != nil {
			t.Errorf("shutdown of the media server: %v", err)
		}
		if err := app.ShutdownWithContext(ctx); err != nil {
			t.Errorf("shutdown of fiber: %v", err)
		}
		<-served
	})
	return l
}

func (l *live) url() string { return "ws://" + l.addr + "/media/twilio" }

// next waits for a stream to end.
func (l *live) next(t *testing.T) done {
	t.Helper()
	select {
	case d := <-l.done:
		return d
	case <-time.After(guard):
		t.Fatal("no stream has ended")
		panic("unreachable")
	}
}

// ramp is audio in which no sample is silence and neighbors differ.
func ramp(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i % 126)
	}
	return b
}

// withoutSilence takes out what a slow machine makes the server put in.
func withoutSilence(mulaw []byte) []byte { return bytes.ReplaceAll(mulaw, []byte{0xFF}, nil) }
