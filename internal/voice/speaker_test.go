package voice

import (
	"bytes"
	"context"
	"errors"
	"io"
	"slices"
	"sync"
	"testing"
	"time"
)

// fake is an engine whose speech the test lets go on.
type fake struct {
	mu    sync.Mutex
	said  []string
	more  chan []byte   // what it says next; closed: the end
	ended chan struct{} // a value for each Stream whose context ended
}

func newFake() *fake { return &fake{more: make(chan []byte, 10), ended: make(chan struct{}, 10)} }

func (f *fake) Identity() string { return "fake" }

func (f *fake) Speak(ctx context.Context, r Request) (Stream, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.said = append(f.said, r.Text)
	return &fakeStream{f, ctx}, nil
}

func (f *fake) texts() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.said)
}

type fakeStream struct {
	f   *fake
	ctx context.Context
}

func (s *fakeStream) Read(p []byte) (int, error) {
	select {
	case b, ok := <-s.f.more:
		if !ok {
			return 0, io.EOF
		}
		return copy(p, b), nil
	case <-s.ctx.Done():
		s.f.ended <- struct{}{}
		return 0, s.ctx.Err()
	}
}

func (s *fakeStream) Words() []Word { return []Word{{"word", 0, time.Second}} }
func (s *fakeStream) Close() error  { return nil }

func TestSpeechIsHeardBeforeItIsMadeAndSharedAndKept(t *testing.T) {
	ctx, f := context.Background(), newFake()
	cache := newCache(t, t.TempDir(), 0)
	s := NewSpeaker(f, cache)
	var audios []*Audio
	for range 20 {
		a, err := s.Say(ctx, Request{Text: " Hello. "})
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = a.Close() }()
		audios = append(audios, a)
	}
	f.more <- []byte("first ")
	for i, a := range audios {
		if b, err := a.Next(ctx); string(b) != "first " || err != nil {
			t.Fatalf("listener %d: got %q, %v before the rest was made", i, b, err)
		}
	}
	_ = audios[0].Close() // the others are not disturbed
	if _, err := audios[0].Next(ctx); !errors.Is(err, ErrClosed) {
		t.Errorf("a closed Audio says %v", err)
	}
	f.more <- []byte("second")
	close(f.more)
	for i, a := range audios[1:] {
		if b, err := drain(t, a); string(b) != "second" || err != nil {
			t.Fatalf("listener %d: got %q, %v", i, b, err)
		}
	}
	s.Close()

	// Another Speaker, as after a restart, needs no engine for it.
	f2 := newFake()
	s = NewSpeaker(f2, cache)
	defer s.Close()
	a, err := s.Say(ctx, Request{Text: "Hello."})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = a.Close() }()
	if b, err := drain(t, a); string(b) != "first second" || err != nil || len(a.Words()) != 1 {
		t.Errorf("from the cache: got %q, %v, %v", b, err, a.Words())
	}
	if got := append(f.texts(), f2.texts()...); !slices.Equal(got, []string{"Hello."}) {
		t.Errorf("the engines said %q, want it once", got)
	}
}

func TestSpeechThatNobodyHearsIsStoppedAndNotKept(t *testing.T) {
	f := newFake()
	cache := newCache(t, t.TempDir(), 0)
	s := NewSpeaker(f, cache)
	defer s.Close()
	ctx, hangUp := context.WithCancel(context.Background())
	one, err := s.Say(ctx, Request{Text: "Hello."})
	if err != nil {
		t.Fatal(err)
	}
	two, err := s.Say(context.Background(), Request{Text: "Hello."})
	if err != nil {
		t.Fatal(err)
	}
	f.more <- []byte("half")
	for _, a := range []*Audio{one, two} {
		if _, err := a.Next(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
	hangUp() // closes it as well
	if _, err := one.Next(context.Background()); !errors.Is(err, ErrClosed) {
		t.Errorf("got %v, want ErrClosed", err)
	}
	waiting := make(chan error)
	go func() {
		_, err := two.Next(context.Background())
		waiting <- err
	}()
	_ = two.Close()
	if err := <-waiting; !errors.Is(err, ErrClosed) {
		t.Errorf("Next says %v while Close is called", err)
	}
	<-f.ended
	three, err := s.Say(context.Background(), Request{Text: "Hello."})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = three.Close() }()
	f.more <- []byte("whole")
	close(f.more)
	if b, err := drain(t, three); string(b) != "whole" || err != nil {
		t.Errorf("said again: got %q, %v", b, err)
	}
}

func TestSpeakerClosesWhatIsStillMade(t *testing.T) {
	f := newFake()
	s := NewSpeaker(f, nil)
	a, err := s.Say(context.Background(), Request{Text: "Hello."})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = a.Close() }()
	s.Close()
	if _, err := a.Next(context.Background()); !errors.Is(err, ErrClosed) {
		t.Errorf("got %v, want ErrClosed", err)
	}
	if _, err := s.Say(context.Background(), Request{Text: "Hello."}); !errors.Is(err, ErrClosed) {
		t.Errorf("a closed Speaker says %v", err)
	}
}

func TestRequestsThatCannotBeSaid(t *testing.T) {
	s := NewSpeaker(newFake(), nil)
	defer s.Close()
	for _, r := range []Request{
		{Text: " \n\t\x01"},
		{Text: string(bytes.Repeat([]byte("x"), maxText+1))},
		{Text: "Hello.", Voice: "a\nb"},
		{Text: "Hello.", Language: "en; rm"},
	} {
		if a, err := s.Say(context.Background(), r); err == nil {
			t.Errorf("%.20q in %q, %q: no error", r.Text, r.Voice, r.Language)
			_ = a.Close()
		}
	}
}
