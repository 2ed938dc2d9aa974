package voice

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"aldeabridge/internal/egress"
)

// panickingEngine is an Engine whose Streams panic after their first audio, with the text as the panic's value.
type panickingEngine struct{ closed int }

func (e *panickingEngine) Identity() string { return "panicking" }

func (e *panickingEngine) Speak(_ context.Context, r Request) (Stream, error) {
	return &panickingStream{engine: e, text: r.Text}, nil
}

type panickingStream struct {
	engine  *panickingEngine
	text    string
	started bool
}

func (s *panickingStream) Read(p []byte) (int, error) {
	if s.started {
		panic(s.text)
	}
	s.started = true
	return copy(p, make([]byte, 160)), nil
}

func (s *panickingStream) Words() []Word { return nil }

func (s *panickingStream) Close() error {
	s.engine.closed++
	return nil
}

func TestPanicOfAnEngineFailsTheAudioAndCachesNothing(t *testing.T) {
	cache, err := NewCache(t.TempDir(), 0)
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	engine := &panickingEngine{}
	s := NewSpeaker(engine, cache)
	s.Logger = slog.New(slog.NewTextHandler(&log, nil))
	a, err := s.Say(context.Background(), Request{Text: "confidential"})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := drain(t, a); len(got) != 160 || !errors.Is(err, ErrPanicked) {
		t.Errorf("got %d bytes, %v; want 160 and then ErrPanicked", len(got), err)
	}
	s.Close() // waits for the goroutine
	if engine.closed != 1 {
		t.Errorf("the engine's stream was closed %d times, want once", engine.closed)
	}
	if cache.Size() != 0 {
		t.Errorf("the cache has %d bytes, want none", cache.Size())
	}
	checkPanicLog(t, log.String(), "Read")
}

type panickingTransport struct{}

func (panickingTransport) RoundTrip(*http.Request) (*http.Response, error) { panic("confidential") }

func TestPanicOfAFetchFailsTheAudio(t *testing.T) {
	var log bytes.Buffer
	f := NewFetcher(FetcherConfig{Guard: egress.Guard{Operator: true}, Logger: slog.New(slog.NewTextHandler(&log, nil))})
	f.client.Transport = panickingTransport{}
	a, err := f.Fetch(context.Background(), "http://recordings.example/confidential.wav")
	if err != nil {
		t.Fatal(err)
	}
	if got, err := drain(t, a); len(got) != 0 || !errors.Is(err, ErrPanicked) {
		t.Errorf("got %d bytes, %v; want ErrPanicked", len(got), err)
	}
	f.Close()
	checkPanicLog(t, log.String(), "RoundTrip")
}

// checkPanicLog checks that a log has the stack of a panic in function, and not the panic's value.
func checkPanicLog(t *testing.T, log, function string) {
	t.Helper()
	if !strings.Contains(log, "panic_type=string") || !strings.Contains(log, function) {
		t.Errorf("the log has no stack: %q", log)
	}
	if strings.Contains(log, "confidential") {
		t.Errorf("the log repeats the panic's value: %q", log)
	}
}
