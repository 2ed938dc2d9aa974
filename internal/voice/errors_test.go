package voice

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"aldeabridge/internal/egress"
	"aldeabridge/internal/voice/voicetest"
)

func TestCauses(t *testing.T) {
	srv := voicetest.NewServer()
	defer srv.Close()
	engine := func(f voicetest.Fault) error {
		srv.Answer(f)
		_, _, err := say(t, services(t, srv, Timeouts{FirstByte: 200 * time.Millisecond})["deepgram"], Request{Text: "Hello."})
		return err
	}
	get := func(a http.HandlerFunc) error {
		srv := httptest.NewServer(a)
		defer srv.Close()
		_, err := fetch(t, FetcherConfig{MaxBytes: 1000, Timeout: 200 * time.Millisecond}, srv.URL)
		return err
	}
	send := func(kind string, n int) http.HandlerFunc {
		return answer{kind: kind, body: make([]byte, n)}.ServeHTTP
	}
	guarded := NewFetcher(FetcherConfig{})
	defer guarded.Close()
	a, err := guarded.Fetch(context.Background(), "https://127.0.0.1/")
	if err != nil {
		t.Fatal(err)
	}
	_, refused := drain(t, a)
	secure := httptest.NewUnstartedServer(http.NotFoundHandler())
	secure.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, 0)
	secure.StartTLS()
	defer secure.Close()
	_, untrusted := fetch(t, FetcherConfig{}, secure.URL)
	for _, c := range []struct {
		name string
		err  error
		want Cause
	}{
		{"silent service", engine(voicetest.Fault{Silent: true}), CauseTimeout},
		{"service with 500", engine(voicetest.Fault{Status: 500}), CauseRefused},
		{"service that breaks off", engine(voicetest.Fault{Cut: 800}), CauseNetwork},
		{"service with a page", engine(voicetest.Fault{ContentType: "text/html"}), CauseBad},
		{"URL with 404", get(http.NotFound), CauseRefused},
		{"URL with a page", get(send("text/html", 10)), CauseBad},
		{"URL with too much", get(send("audio/basic", 2000)), CauseTooLong},
		{"URL with nothing", get(send("audio/basic", 0)), CauseEmpty},
		{"URL without an answer", get(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }), CauseTimeout},
		{"URL that breaks off", get(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "audio/basic")
			w.Header().Set("Content-Length", "500")
			_, _ = w.Write(make([]byte, 400))
		}), CauseNetwork},
		{"URL in here", refused, CauseRefused},
		{"URL with a bad certificate", untrusted, CauseNetwork},
		{"closed", ErrClosed, CauseStopped},
	} {
		if got := CauseOf(c.err); got != c.want {
			t.Errorf("%s: got %q for %v, want %q", c.name, got, c.err, c.want)
		}
	}
}

// Errors about a URL have no internal addresses.
func TestErrorsNameNoAddress(t *testing.T) {
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	at := l.Addr().String()
	l.Close() // the port refuses connections now
	silent := &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		return nil, &net.OpError{Op: "dial", Net: "udp", Addr: &net.UDPAddr{IP: net.IPv4(10, 1, 2, 3), Port: 53}, Err: errors.New("unreachable")}
	}}
	for _, url := range []string{"http://" + at + "/canary.wav?token=canary", "http://me:canary@db.corp./canary.wav"} {
		_, err := fetch(t, FetcherConfig{Guard: egress.Guard{Resolver: silent}}, url)
		wantPlain(t, url, err)
	}
	for name, e := range speakers(t, "http://me:canary@"+at) {
		_, _, err := say(t, e, Request{Text: "Hello."})
		wantPlain(t, name, err)
	}
	for _, body := range []string{"echo cannot open /srv/canary/voice.dat at 10.1.2.3:53 >&2; exit 1\n", "\x00"} {
		path, _ := script(t, body)
		e, err := NewESpeak(ESpeakConfig{Path: path})
		if err != nil {
			t.Fatal(err)
		}
		if body == "\x00" { // what is no program any more
			if err := os.WriteFile(path, []byte("\x7fELF"), 0o700); err != nil {
				t.Fatal(err)
			}
		}
		_, _, err = say(t, e, Request{Text: "Hello."})
		wantPlain(t, path, err)
	}
}

func wantPlain(t *testing.T, name string, err error) {
	t.Helper()
	if err == nil {
		t.Errorf("%s: no error", name)
		return
	}
	for _, private := range []string{"127.0.0.1", "10.1.2.3", "db.corp", "canary", "/tmp", "dial"} {
		if strings.Contains(err.Error(), private) {
			t.Errorf("%s: the error names %s: %v", name, private, err)
		}
	}
}
