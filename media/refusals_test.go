package media_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"aldeabridge/media"
	"aldeabridge/media/mediatest"
)

func TestStrangersDoNotFloodTheLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		s := &media.Server{
			Serve:  func(context.Context, *media.Stream) {},
			Logger: slog.New(slog.NewTextHandler(&log, nil)),
		}
		call := mediatest.Call{URL: "ws://bridge.example/media/twilio", Dial: inMemory(s)}
		for range 100 {
			var refused *mediatest.HandshakeError
			if _, err := call.Run(t.Context()); !errors.As(err, &refused) {
				t.Fatalf("got %v, want a refusal", err)
			}
			time.Sleep(250 * time.Millisecond)
		}
		lines := strings.Split(strings.TrimSpace(log.String()), "\n")
		if len(lines) != 3 {
			t.Fatalf("got %d lines in 25 s, want one in 10 s:\n%s", len(lines), log.String())
		}
		for i, want := range []string{"left_out=0", "left_out=39", "left_out=39"} {
			if !strings.Contains(lines[i], want) || !strings.Contains(lines[i], "level=WARN") {
				t.Errorf("line %d: got %s, want a warning with %s", i+1, lines[i], want)
			}
		}
		if got := s.Stats().Denied; got != 100 {
			t.Errorf("got %d denied, want 100", got)
		}
	})
}
