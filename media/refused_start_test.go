package media

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"
)

func TestWhatCannotNameACallIsRefused(t *testing.T) {
	for _, id := range []string{"", "CA\x00x", "CA\nx", "CA\u0085x", "CA\u202ex", "CA\u200bx", "CA\u2028x", "CA\ufeff", "\xff", strings.Repeat("x", maxIDSize+1)} {
		if isID(id) {
			t.Errorf("got %q taken as an id", id)
		}
	}
	for _, id := range []string{"CA00000000000000000000000000000001", "a.b c*>", "ü"} {
		if !isID(id) {
			t.Errorf("got %q refused as an id", id)
		}
	}
}

func TestTroubleIsLoggedOnceInAWhile(t *testing.T) {
	var log bytes.Buffer
	s := &Server{Logger: slog.New(slog.NewTextHandler(&log, nil))}
	for range 5 {
		s.warn("stream ended before a usable start message", "trouble", errors.New("start without a usable callSid"))
	}
	if n := strings.Count(log.String(), "\n"); n != 1 || !strings.Contains(log.String(), "usable callSid") {
		t.Errorf("got %d lines, want one that says why:\n%s", n, log.String())
	}
	s.denied.warned = time.Now().Add(-warnEvery)
	s.warn("again")
	if !strings.Contains(log.String(), "left_out=4") {
		t.Errorf("got no count of what was left out:\n%s", log.String())
	}
}
