package logguard

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// A sink keeps lines as JSON.
type sink struct{ bytes.Buffer }

// newSink returns a guarded logger, its handler, and what it writes.
func newSink() (*slog.Logger, *Handler, *sink) {
	s := &sink{}
	h := New(slog.NewJSONHandler(&s.Buffer, &slog.HandlerOptions{Level: slog.LevelDebug}))
	return slog.New(h), h, s
}

// lines returns what was written.
func (s *sink) lines(t *testing.T) []map[string]any {
	t.Helper()
	var all []map[string]any
	for line := range strings.Lines(s.String()) {
		m := map[string]any{}
		if err := json.Unmarshal([]byte(line), &m); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		all = append(all, m)
	}
	return all
}

func TestAFloodIsBoundedAndCounted(t *testing.T) {
	for _, c := range []struct {
		level       slog.Level
		burst, rate int
	}{{slog.LevelDebug, Burst, Rate}, {slog.LevelInfo, Burst, Rate}, {slog.LevelWarn, WarnBurst, WarnRate}, {slog.LevelError, WarnBurst, WarnRate}} {
		synctest.Test(t, func(t *testing.T) {
			logger, h, out := newSink()
			const seconds, each = 20, 1000
			for range seconds {
				for i := range each {
					logger.Log(context.Background(), c.level, "frame skipped", "n", i)
				}
				time.Sleep(time.Second)
			}
			h.Flush()
			time.Sleep(time.Minute) // nothing is reported twice
			synctest.Wait()
			written, reported := 0, 0
			for _, line := range out.lines(t) {
				if line["msg"] == "frame skipped" {
					written++
					continue
				}
				if line["of"] != "frame skipped" || line["level"] != c.level.String() {
					t.Errorf("got the report %v", line)
				}
				reported += int(line["suppressed"].(float64))
			}
			if want := c.burst + (seconds-1)*c.rate; written != want {
				t.Errorf("%v: wrote %d lines, want %d", c.level, written, want)
			}
			if want := seconds*each - written; reported != want || h.Suppressed() != int64(want) {
				t.Errorf("%v: reported %d and counted %d suppressed lines, want %d", c.level, reported, h.Suppressed(), want)
			}
		})
	}
}

func TestAReportComesWithoutAFurtherLine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		logger, _, out := newSink()
		for range WarnBurst + 3 {
			logger.With("call_sid", "CA1").WithGroup("g").Warn("event lost")
		}
		time.Sleep(ReportEvery)
		synctest.Wait()
		lines := out.lines(t)
		if len(lines) != WarnBurst+1 {
			t.Fatalf("got %d lines", len(lines))
		}
		if last := lines[WarnBurst]; last["suppressed"] != 3.0 || last["of"] != "event lost" || last["call_sid"] != nil {
			t.Errorf("got %v", last)
		}
	})
}

func TestKindsDoNotStarveEachOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		logger, _, out := newSink()
		for range 10_000 {
			logger.Warn("request refused")
		}
		out.Reset()
		logger.Error("journal cannot write")
		logger.Error("request refused") // another level is another kind
		if n := len(out.lines(t)); n != 2 {
			t.Errorf("got %d of the 2 lines of other kinds", n)
		}
	})
}

func TestMessagesThatAreNoConstantsAreBoundedTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		logger, h, out := newSink()
		for i := range 100_000 {
			logger.Warn(fmt.Sprintf("message %d", i))
		}
		if n := len(out.lines(t)); n != maxKinds+WarnBurst {
			t.Errorf("got %d lines, want one of each of %d kinds and %d of the others", n, maxKinds, WarnBurst)
		}
		if n := len(h.limiter.kinds); n > maxKinds+8 {
			t.Errorf("%d buckets are kept", n)
		}
		out.Reset()
		h.Flush()
		lines := out.lines(t)
		if len(lines) != 1 || lines[0]["of"] != otherMessages || lines[0]["suppressed"] != float64(100_000-maxKinds-WarnBurst) {
			t.Errorf("got %v", lines)
		}
	})
}

func TestALineHasABoundedSize(t *testing.T) {
	logger, _, out := newSink()
	long := strings.Repeat("é", 1<<20)
	logger.Warn(long, "detail", long, "error", fmt.Errorf("failed: %s", long), "stack", long, slog.Group("g", "inner", long))
	if n := out.Len(); n > 4*maxValue+maxStack+500 {
		t.Errorf("the line has %d bytes", n)
	}
	if detail := out.lines(t)[0]["detail"].(string); !strings.HasSuffix(detail, "… (2097152 bytes)") || !strings.HasPrefix(detail, "éé") {
		t.Errorf("the end of the detail is %q", detail[len(detail)-30:])
	}
}

func TestWhatIsNotPrintedIsEscaped(t *testing.T) {
	logger, _, out := newSink()
	logger.Warn("told", "text", "a\u202eb\u2066c\x1b[31m\nd\u0085e\u200ff\u2028g", "error", fmt.Errorf("a\u202eb"))
	line := out.lines(t)[0]
	if got, want := line["text"], `a\u202eb\u2066c\x1b[31m\nd\u0085e\u200ff\u2028g`; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, want := line["error"], `a\u202eb`; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestIdentifiersLookLikeIdentifiers(t *testing.T) {
	logger, _, out := newSink()
	for _, id := range []string{"CA0123456789abcdef0123456789abcdef", "", "MZ-1_a.b"} {
		out.Reset()
		logger.With("call_sid", id).Info("call started", "stream_sid", id)
		if line := out.lines(t)[0]; line["call_sid"] != id || line["stream_sid"] != id {
			t.Errorf("got %v, want %q", line, id)
		}
	}
	seen := map[any]bool{}
	for _, id := range []string{"my card is 4111", "my card is 4112", strings.Repeat("A", 65), "CA\n", "é"} {
		out.Reset()
		logger.With("call_sid", id).Info("call started")
		got := out.lines(t)[0]["call_sid"].(string)
		if strings.Contains(got, "card") || !strings.HasPrefix(got, fmt.Sprintf("(%d bytes, sha256 ", len(id))) || seen[got] {
			t.Errorf("%q: got %q", id, got)
		}
		seen[got] = true
	}
}

func TestAPanicIsReportedByItsType(t *testing.T) {
	logger, _, out := newSink()
	for _, c := range []struct {
		value any
		want  string
	}{{"said: secret", "string"}, {fmt.Errorf("at %q", "secret"), "at (6 bytes)"}, {struct{ secret string }{"secret"}, "struct { secret string }"}} {
		out.Reset()
		logger.Error("panic in a stream", "panic", c.value)
		if got := out.lines(t)[0]["panic"]; got != c.want {
			t.Errorf("got %v, want %v", got, c.want)
		}
	}
}

func TestLibrariesAreNamedButNotRepeated(t *testing.T) {
	logger, _, out := newSink()
	for _, flags := range []int{LibraryFlags, log.LstdFlags | log.Lmicroseconds | log.Lshortfile} {
		out.Reset()
		log.New(Library(logger), "", flags).Printf("Unsolicited response received on idle HTTP channel starting with %q", "secret")
		line := out.lines(t)[0]
		if strings.Contains(out.String(), "secret") || !strings.HasPrefix(line["source"].(string), "handler_test.go:") || line["bytes"].(float64) < 60 {
			t.Errorf("got %v", line)
		}
	}
	out.Reset()
	if n, err := Library(logger).Write([]byte("panic: secret")); n != 13 || err != nil {
		t.Errorf("wrote %d, %v", n, err)
	}
	if line := out.lines(t)[0]; line["source"] != "unknown" || strings.Contains(out.String(), "secret") {
		t.Errorf("got %v", line)
	}
}
