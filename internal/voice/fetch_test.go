package voice

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"aldeabridge/codec"
	"aldeabridge/internal/egress"
	"aldeabridge/internal/voice/voicetest"
)

// fetch gets a URL of the operator's to its end.
func fetch(t *testing.T, c FetcherConfig, url string) ([]byte, error) {
	t.Helper()
	c.Guard.Operator = true
	f := NewFetcher(c)
	defer f.Close()
	a, err := f.Fetch(context.Background(), url)
	if err != nil {
		return nil, err
	}
	defer func() { _ = a.Close() }()
	return drain(t, a)
}

func TestFetchPlaysWhatTheAnswerSaysItIs(t *testing.T) {
	mulaw := voicetest.MuLaw("hello")
	alaw := make([]byte, len(mulaw))
	codec.EncodeALaw(alaw, voicetest.Tone("hello", 8000))
	var wav bytes.Buffer
	if err := codec.WriteWAV(&wav, 44100, 1, voicetest.Tone("hello", 44100)); err != nil {
		t.Fatal(err)
	}
	big := codec.AppendLinear16(nil, voicetest.Tone("hello", 16000))
	swap(big)
	bodies := map[string]struct {
		kind string
		body []byte
	}{
		"/a.wav":  {"audio/x-wav", wav.Bytes()},
		"/b":      {"application/octet-stream", wav.Bytes()},
		"/c":      {"audio/basic", mulaw},
		"/d":      {"audio/PCMU", mulaw},
		"/e":      {"audio/x-mulaw;rate=8000", mulaw},
		"/f":      {"audio/PCMA", alaw},
		"/g":      {"audio/L16;rate=16000;channels=1", big},
		"/h.ulaw": {"binary/octet-stream", mulaw},
		"/i":      {"audio/pcm; rate=16000", codec.AppendLinear16(nil, voicetest.Tone("hello", 16000))},
	}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/moved" {
			http.Redirect(w, r, "/c", http.StatusFound)
			return
		}
		b := bodies[r.URL.Path]
		w.Header().Set("Content-Type", b.kind)
		_, _ = w.Write(b.body)
	}))
	defer srv.Close()
	for path := range bodies {
		if got, err := fetch(t, FetcherConfig{}, srv.URL+path); err != nil || !same(got, "hello") {
			t.Errorf("%s: got %d bytes, %v; want the tone", path, len(got), err)
		}
	}
	if got, err := fetch(t, FetcherConfig{}, srv.URL+"/moved"); err != nil || !same(got, "hello") {
		t.Errorf("redirected: got %d bytes, %v", len(got), err)
	}
}

func TestFetchSaysWhatIsWrong(t *testing.T) {
	answers := map[string]struct {
		answer func(w http.ResponseWriter, r *http.Request)
		want   string
	}{
		"/404":    {http.NotFound, "voice: the URL answered 404 Not Found"},
		"/html":   {func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<html>") }, "voice: text/html is not audio"},
		"/mp3":    {func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Content-Type", "audio/mpeg") }, "audio/mpeg cannot be played; WAV, or raw"},
		"/binary": {func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte{0, 1, 2, 3, 4}) }, "neither a WAV file"},
		"/empty":  {func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Content-Type", "audio/basic") }, "no audio in it"},
		"/loop":   {func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/loop", http.StatusFound) }, "redirected more than 3 times"},
		"/away": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://169.254.169.254/latest", http.StatusFound)
		},
			"address not allowed"},
		"/said long": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "audio/basic")
			w.Header().Set("Content-Length", "5000")
			_, _ = w.Write(make([]byte, 5000))
		}, "too long: 5000 bytes; at most 4000"},
		"/long": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "audio/basic")
			for range 10 {
				_, _ = w.Write(make([]byte, 1000))
				_ = http.NewResponseController(w).Flush()
			}
		}, "too long: at most 4000"},
		"/slow": {func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "audio/basic")
			_, _ = w.Write(make([]byte, 800))
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
		}, "did not come within 500ms"},
		"/cut": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "audio/basic")
			w.Header().Set("Content-Length", "3000")
			_, _ = w.Write(make([]byte, 800))
		}, "broke in the middle"},
	}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { answers[r.URL.Path].answer(w, r) }))
	defer srv.Close()
	for path, c := range answers {
		config := FetcherConfig{MaxBytes: 4000}
		if path == "/slow" {
			config.Timeout = 500 * time.Millisecond
		}
		_, err := fetch(t, config, srv.URL+strings.ReplaceAll(path, " ", "%20")+"?token=t0ken")
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "t0ken") {
			t.Errorf("%s: got %v, want %q in it and not the URL", path, err, c.want)
		}
	}
}

func TestFetchOfStrangersURLsIsGuarded(t *testing.T) {
	f := NewFetcher(FetcherConfig{})
	defer f.Close()
	for _, url := range []string{"http://example.com/a.wav", "file:///etc/passwd", "https://user:pw@example.com/", "", "https://example.com:25/"} {
		if _, err := f.Fetch(context.Background(), url); !errors.Is(err, egress.ErrURL) {
			t.Errorf("%q: got %v, want egress.ErrURL at once", url, err)
		}
	}
	for _, url := range []string{"https://127.0.0.1/a.wav", "https://10.0.0.1/a.wav", "https://[::1]/", "https://169.254.169.254/"} {
		a, err := f.Fetch(context.Background(), url)
		if err != nil {
			t.Errorf("%q: %v", url, err)
			continue
		}
		if _, err := drain(t, a); !errors.Is(err, egress.ErrAddressRefused) {
			t.Errorf("%q: got %v, want egress.ErrAddressRefused", url, err)
		}
		_ = a.Close()
	}
}

func TestFetchPlaysBeforeAllIsThere(t *testing.T) {
	left := make(chan struct{})
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "audio/basic")
		_, _ = w.Write(make([]byte, 800))
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
		close(left)
	}))
	defer srv.Close()
	f := NewFetcher(FetcherConfig{Guard: egress.Guard{Operator: true}})
	defer f.Close()
	a, err := f.Fetch(context.Background(), srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	if b, err := a.Next(context.Background()); len(b) == 0 || err != nil {
		t.Errorf("got %d bytes, %v before the rest came", len(b), err)
	}
	_ = a.Close()
	<-left
}

func TestDecode(t *testing.T) {
	a, err := Decode(context.Background(), codec.AppendLinear16(nil, voicetest.Tone("hello", 8000)), Linear16(8000))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = a.Close() }()
	if got, err := drain(t, a); err != nil || !bytes.Equal(got, voicetest.MuLaw("hello")) {
		t.Errorf("got %d bytes, %v", len(got), err)
	}
	if _, err := Decode(context.Background(), []byte("no WAV file"), Format{}); err == nil {
		t.Error("what is no WAV file was taken")
	}
	if _, err := Decode(context.Background(), nil, MuLaw); !errors.Is(err, ErrEmpty) {
		t.Errorf("nothing: got %v, want ErrEmpty", err)
	}
}
