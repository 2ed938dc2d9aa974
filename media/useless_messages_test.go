package media_test

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"aldeabridge/media"

	"github.com/gorilla/websocket"
)

// logAndServe serves streams and logs to a buffer, which may be read when the stream has ended.
func logAndServe(t *testing.T) (*live, *bytes.Buffer) {
	t.Helper()
	var log bytes.Buffer
	ended := make(chan done, 1)
	s := serve(t, &media.Server{
		StartTimeout: guard,
		Logger:       slog.New(slog.NewTextHandler(&log, nil)),
		Serve: func(ctx context.Context, st *media.Stream) {
			e := newEarful()
			reason := st.Receive(ctx, e)
			ended <- done{st.Start(), reason, st.Stats(), e}
		},
	})
	s.done = ended
	return s, &log
}

func TestAStreamWithoutUsableAudioIsWarnedOfOnce(t *testing.T) {
	media := func(payload string) string {
		return `{"event":"media","streamSid":"MZ0","media":{"track":"inbound","payload":` + payload + `}}`
	}
	for _, c := range []struct {
		name  string
		frame string
		n     int
		good  bool   // a good frame follows
		want  string // in the warning; empty for none
	}{
		{"no base64", media(`"?!"`), 5, false, "not base64"},
		{"no base64, for long", media(`"?!"`), 200, false, "not base64"},
		{"a payload of another type", media(`[1,2]`), 5, false, "without a payload"},
		{"nothing in the payload", media(`""`), 5, false, "empty payload"},
		{"audio of another stream", strings.ReplaceAll(media(`"AAAA"`), "MZ0", "MZ1"), 5, false, "another streamSid"},
		{"audio of another track", strings.ReplaceAll(media(`"AAAA"`), "inbound", "outbound"), 5, false, "a track that the start message does not name"},
		{"an event in other words", strings.ReplaceAll(media(`"AAAA"`), `"media",`, `"audio",`), 5, false, "unknown or unexpected event"},
		{"no JSON", `hello`, 5, false, "not a JSON object"},
		{"not all is unusable", media(`"?!"`), 5, true, ""},
		{"silence", media(`"////"`), 5, false, ""},
		{"nothing at all", "", 0, false, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			srv, log := logAndServe(t)
			conn, resp, err := websocket.DefaultDialer.Dial(srv.url(), nil)
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			defer conn.Close()
			messages := []string{rawStart}
			for range c.n {
				messages = append(messages, c.frame)
			}
			if c.good {
				messages = append(messages, rawMedia(0))
			}
			for _, m := range append(messages, rawStop) {
				if err := conn.WriteMessage(websocket.TextMessage, []byte(m)); err != nil {
					t.Fatal(err)
				}
			}
			srv.next(t)
			_ = conn.Close()
			ctx, cancel := context.WithTimeout(t.Context(), guard)
			defer cancel()
			if err := srv.Shutdown(ctx); err != nil { // the stream's goroutine has ended
				t.Fatal(err)
			}
			want := 0
			if c.want != "" {
				want = 1
			}
			warnings := strings.Count(log.String(), "level=WARN")
			if warnings != want || !strings.Contains(log.String(), c.want) || srv.Stats().NoAudio != int64(want) {
				t.Errorf("got %d warnings, counted %d, want %d about %q:\n%s", warnings, srv.Stats().NoAudio, want, c.want, log.String())
			}
		})
	}
}

func TestAStreamWithoutUsableAudioIsWarnedOfWhileItIsUp(t *testing.T) {
	lines := make(chan string, 10)
	srv := serve(t, &media.Server{StartTimeout: guard, Logger: slog.New(slog.NewTextHandler(lineWriter(lines), nil))})
	conn, resp, err := websocket.DefaultDialer.Dial(srv.url(), nil)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	defer conn.Close()
	for _, m := range append([]string{rawStart}, strings.Split(strings.Repeat("hello ", 50), " ")...) {
		if err := conn.WriteMessage(websocket.TextMessage, []byte(m)); err != nil {
			t.Fatal(err)
		}
	}
	select {
	case line := <-lines:
		if !strings.Contains(line, "no message of a stream is usable audio") || !strings.Contains(line, "call_sid=CA0") {
			t.Errorf("got %q, want a warning of the stream", line)
		}
	case <-time.After(guard):
		t.Fatal("no warning while the stream is up")
	}
}

// A lineWriter hands on what is written.
type lineWriter chan<- string

func (w lineWriter) Write(b []byte) (int, error) {
	w <- string(b)
	return len(b), nil
}
