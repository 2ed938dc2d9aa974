package aldea

import (
	"context"
	"log/slog"
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

func TestThePathFromWriteToTheSocketAllocatesNothing(t *testing.T) {
	s, w := idleStream(t)
	frame := sound(0, 160)
	bytes := 0
	var pcm []byte
	frameToPCM := func() {
		s.Write(frame)
		step, _ := w.plan(w.opened)
		if step.kind != stepAudio {
			return
		}
		pcm = w.codec.Append(pcm[:0], step.audio)
		bytes += len(pcm)
		s.mu.Lock()
		s.src.settle(s.src.next) // a recogniser that keeps up
		s.mu.Unlock()
	}
	for range 100 {
		frameToPCM()
	}
	bytes = 0
	if got := testing.AllocsPerRun(3000, frameToPCM); got != 0 {
		t.Errorf("got %v allocations a frame, want none", got)
	}
	if bytes < 2900*640 {
		t.Errorf("3000 frames became %d bytes of PCM, want about %d", bytes, 3000*640)
	}
}

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
