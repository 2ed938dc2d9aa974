package aldea

import (
	"context"
	"log/slog"
	"net"
	"testing"
	"time"
)

// idleStream is a stream of which nothing runs, with a writer on a connection that was just opened.
func idleStream(tb testing.TB) (*Stream, *writer) {
	tb.Helper()
	client, err := NewClient(Config{URL: "wss://h", Key: "k", ReplaySpeed: -1})
	if err != nil {
		tb.Fatal(err)
	}
	s := newStream(context.Background(), client, slog.New(slog.DiscardHandler))
	w, err := newWriter(s)
	if err != nil {
		tb.Fatal(err)
	}
	s.writer = w
	w.restart(time.Now())
	s.src.rewind(w.codec.Delay())
	return s, w
}

func TestWriteWakesTheWriterOnceAChunk(t *testing.T) {
	s, w := idleStream(t)
	if step, _ := w.plan(w.opened); step.kind != stepWait {
		t.Fatalf("got step %d, want to wait for audio", step.kind)
	}
	for i, want := range []int{0, 0, 1, 1} { // of 20 ms each, for a chunk of 60 ms
		s.Write(sound(0, 160))
		if got := len(s.wake); got != want {
			t.Errorf("after frame %d: %d wake-ups, want %d", i+1, got, want)
		}
	}
}

func TestWriteAllocatesNothing(t *testing.T) {
	s, _ := idleStream(t)
	frame := sound(0, 160)
	for range 50 * 70 { // until the buffer is full
		s.Write(frame)
	}
	if got := testing.AllocsPerRun(1000, func() { s.Write(frame) }); got != 0 {
		t.Errorf("got %v allocations a frame, want none", got)
	}
}

func TestTheWayFromWriteToTheSocketAllocatesNothing(t *testing.T) {
	s, w := idleStream(t)
	nc := &swallow{}
	w.conn = &conn{net: nc, lazy: nc, config: &s.client.config}
	s.trouble = trouble{}
	w.plan(w.opened) // there is nothing to do but to wait for audio
	frame := sound(0, 160)
	chunks := func() { // so much that pieces of the ring are taken and given back
		for range 100 {
			s.Write(frame)
			s.mu.Lock()
			s.src.settle(s.src.next) // a recognizer that keeps up
			s.mu.Unlock()
		}
	}
	chunks()
	nc.bytes = 0
	// The race detector makes pools forget some of what is given back to them, so that it takes new ones.
	most := 0.0
	if raceEnabled {
		most = 100
	}
	if got := testing.AllocsPerRun(100, chunks); got > most {
		t.Errorf("got %v allocations for 100 frames, want %v at most", got, most)
	}
	if nc.bytes < 101*99*640 {
		t.Errorf("10100 frames became %d bytes, want 640 for each and headers", nc.bytes)
	}
}

// A swallow is a connection that takes everything, or keeps it.
type swallow struct {
	net.Conn
	bytes int
	keeps bool  // what was written before
	full  bool  // it keeps what is written
	err   error // of Write
}

func (*swallow) bufferWrites()         {}
func (s *swallow) hasPending() bool    { return s.keeps }
func (*swallow) flush(time.Time) error { return nil }

func (s *swallow) Write(b []byte) (int, error) {
	s.bytes += len(b)
	s.keeps = s.keeps || s.full
	return len(b), s.err
}
func (*swallow) SetWriteDeadline(_ time.Time) error { return nil }

func BenchmarkWriteToPCM(b *testing.B) {
	s, w := idleStream(b)
	frame := sound(0, 160)
	b.SetBytes(160)
	b.ReportAllocs()
	var pcm []byte
	for b.Loop() {
		s.Write(frame)
		step, _ := w.plan(w.opened)
		if step.kind != stepAudio {
			continue
		}
		pcm = w.codec.Append(pcm[:0], step.audio)
		s.mu.Lock()
		s.src.settle(s.src.next)
		s.mu.Unlock()
	}
}
