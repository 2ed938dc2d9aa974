package playback

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// A wire is a Line that records what is sent, audio by its first byte, and returns marks when the test calls echo.
type wire struct {
	block chan struct{} // if not nil, each message waits for a value

	mu    sync.Mutex
	sent  strings.Builder
	marks []string
}

func (w *wire) note(s string) error {
	if w.block != nil {
		<-w.block
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if got := w.sent.String(); !strings.HasSuffix(got, s) {
		w.sent.WriteString(s)
	}
	return nil
}

func (w *wire) SendMedia(mulaw []byte) error { return w.note(fmt.Sprint(mulaw[len(mulaw)-1])) }
func (w *wire) SendClear() error             { return w.note("C") }
func (w *wire) SendMark(name string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.marks = append(w.marks, name)
	return nil
}

// echo returns all marks.
func (w *wire) echo(p *Player) {
	w.mu.Lock()
	marks := w.marks
	w.marks = nil
	w.mu.Unlock()
	for _, name := range marks {
		p.Mark(name)
	}
}

func (w *wire) got() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.sent.String()
}

// stuck is a Source whose Next and Close can block.
type stuck struct {
	kind   byte
	first  bool          // it has produced its first piece
	next   chan struct{} // Next waits for a value; for ever if nil
	deaf   bool          // Next ignores the end of its context
	close  time.Duration // how long Close takes
	closed int
}

func (s *stuck) Next(ctx context.Context) ([]byte, error) {
	if s.first {
		done := ctx.Done()
		if s.deaf {
			done = nil
		}
		select {
		case <-s.next:
		case <-done:
			return nil, ctx.Err()
		}
	}
	s.first = true
	b := make([]byte, 4000)
	for i := range b {
		b[i] = s.kind
	}
	return b, nil
}

func (s *stuck) Close() error {
	time.Sleep(s.close)
	s.closed++
	return nil
}

func TestNothingNewIsSentBeforeTheCarrierHasStopped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &wire{}
		p := New(Config{Line: w})
		enqueue(t, p, "one", say(1, 5*time.Second), false)
		time.Sleep(200 * ms)
		p.Clear()
		enqueue(t, p, "two", say(2, 5*time.Second), false)
		time.Sleep(200 * ms)
		if got, want := w.got(), "1C"; got != want {
			t.Errorf("before the echoes: got %q, want %q", got, want)
		}
		w.echo(p)
		synctest.Wait()
		if got, want := w.got(), "1C2"; got != want {
			t.Errorf("behind the echoes: got %q, want %q", got, want)
		}
		_ = p.Close()
	})
}

func TestAudioProducedAfterAnInterruptionIsNotSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &wire{}
		p := New(Config{Line: w})
		late := &stuck{kind: 1, next: make(chan struct{}), deaf: true}
		enqueue(t, p, "late", late, true)
		time.Sleep(100 * ms)
		p.Interrupt(ByDTMF)
		enqueue(t, p, "next", say(2, time.Second), true)
		synctest.Wait()
		late.next <- struct{}{}
		w.echo(p)
		if err := p.Idle(t.Context()); err != nil {
			t.Error(err)
		}
		if err := p.Close(); err != nil {
			t.Error(err)
		}
		if got, want := w.got(), "1C2"; got != want || late.closed != 1 {
			t.Errorf("got %q, closed %d times, want %q, once", got, late.closed, want)
		}
	})
}

func TestASlowSourceDelaysNoOtherItem(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var r results
		p := New(Config{Line: &wire{}, Finished: r.add})
		one, two := &stuck{kind: 1, close: time.Minute}, &stuck{kind: 2}
		enqueue(t, p, "one", one, true)
		enqueue(t, p, "two", two, true)
		time.Sleep(100 * ms)
		began := time.Now()
		p.Clear()
		if err := p.Idle(t.Context()); err != nil || time.Since(began) > 2*time.Second {
			t.Errorf("idle after %v: %v, want within 2 s", time.Since(began), err)
		}
		three := &stuck{kind: 3}
		enqueue(t, p, "three", three, true)
		synctest.Wait()
		_ = p.Close()
		got := r.get()
		if len(got) != 3 || got[1].InterruptedBy != ByClear || !errors.Is(got[2].Err, ErrClosed) {
			t.Errorf("got %+v, want two cleared and one closed", got)
		}
		if one.closed != 1 || two.closed != 1 || three.closed != 1 {
			t.Errorf("closed %d, %d, %d times, want once each", one.closed, two.closed, three.closed)
		}
		if err := p.Enqueue(Item{}); !errors.Is(err, ErrClosed) {
			t.Errorf("behind Close: got %v, want %v", err, ErrClosed)
		}
	})
}

func TestABlockedLineDoesNotBlockThePlayersMethods(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &wire{block: make(chan struct{})}
		var r results
		p := New(Config{Line: w, Finished: r.add})
		enqueue(t, p, "one", say(1, time.Second), true)
		synctest.Wait()
		if !p.Interrupt(BySpeech) || p.Interrupt(BySpeech) || p.Playing() {
			t.Error("want one interruption, and nothing that plays after it")
		}
		p.Heard(make([]byte, 1600))
		close(w.block)
		_ = p.Idle(t.Context())
		if got := r.get(); w.got() != "1C" || len(got) != 1 || got[0].InterruptedBy != BySpeech {
			t.Errorf("sent %q, got %+v, want the clear and one interrupted", w.got(), got)
		}
		_ = p.Close()
	})
}

func TestTheQueueIsBoundedAndKeepsItsOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCarrier(1)
		p, r := connect(t, c)
		broken := errors.New("no voice")
		for i := range DefaultQueue {
			s := &script{kind: 1}
			switch i % 3 {
			case 1:
				s.err = broken
			case 0: // the first item blocks the others: no time passes while they are enqueued
				s.length, s.piece = 30*ms, 7*ms
			}
			enqueue(t, p, fmt.Sprint(i), s, i%2 == 0)
		}
		if err := p.Enqueue(Item{Source: say(1, 0)}); !errors.Is(err, ErrFull) {
			t.Errorf("got %v, want %v", err, ErrFull)
		}
		_ = p.Idle(t.Context())
		got := r.get()
		if len(got) != DefaultQueue {
			t.Fatalf("got %d results, want %d", len(got), DefaultQueue)
		}
		for i, one := range got {
			want := []Result{{Played: 30 * ms, Total: 30 * ms, Complete: true}, {Err: broken}, {Complete: true}}[i%3]
			if want.ID = fmt.Sprint(i); one != want {
				t.Errorf("got %+v, want %+v", one, want)
			}
		}
		_ = p.Close()
	})
}

func TestResultsAreInOrderAlsoAfterAnInterruption(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCarrier(1)
		p, r := connect(t, c)
		for i, interruptible := range []bool{true, false, true, false} {
			enqueue(t, p, fmt.Sprint(i), say(byte(i+1), 300*ms), interruptible)
		}
		time.Sleep(100 * ms)
		p.Interrupt(ByDTMF)
		_ = p.Idle(t.Context())
		got := ""
		for _, one := range r.get() {
			got += fmt.Sprintf("%s %v %s, ", one.ID, one.Played.Round(ms), one.InterruptedBy)
		}
		if want := "0 100ms dtmf, 1 300ms , 2 0s dtmf, 3 300ms , "; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
		_ = p.Close()
	})
}

func TestFinishedMayCallThePlayer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCarrier(1)
		told := 0
		var p *Player
		p = New(Config{Line: c, Finished: func(Result) {
			told++
			p.Mark("play-1")
			p.Interrupt(ByDTMF)
			p.Clear()
			if told < 4 && !p.Playing() {
				enqueue(t, p, "again", say(1, 100*ms), true)
			}
		}})
		c.p = p
		enqueue(t, p, "first", say(1, 100*ms), true)
		for told < 4 {
			_ = p.Idle(t.Context())
			synctest.Wait()
		}
		_ = p.Close()
		if told != 4 {
			t.Errorf("got %d results, want 4", told)
		}
	})
}

func TestHeardAllocatesNothing(t *testing.T) {
	w := &wire{block: make(chan struct{})}
	p := New(Config{Line: w})
	quiet, loud := make([]byte, message), make([]byte, message)
	for i := range quiet {
		quiet[i] = 0xFF
	}
	if n := testing.AllocsPerRun(1000, func() { p.Heard(loud) }); n != 0 {
		t.Errorf("when nothing plays: got %v allocations, want none", n)
	}
	s := &stuck{kind: 0, next: make(chan struct{})}
	enqueue(t, p, "one", s, true)
	w.block <- struct{}{} // the message is being sent
	if n := testing.AllocsPerRun(1000, func() { p.Heard(loud); p.Heard(quiet) }); n != 0 {
		t.Errorf("while something plays: got %v allocations, want none", n)
	}
	close(w.block)
	if err := p.Close(); err != nil {
		t.Error(err)
	}
}
