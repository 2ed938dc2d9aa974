package main

import (
	"io"
	"log"
	"log/slog"
	"time"

	fiberlog "github.com/gofiber/fiber/v2/log"

	"aldeabridge/events"
	"aldeabridge/internal/logguard"
)

// newLogger returns a logger to w. format "auto" is text where w is a terminal. What strangers and services cause is
// bounded; see logguard.
func newLogger(level, format string, w io.Writer) *slog.Logger {
	var l slog.Level
	if err := l.UnmarshalText([]byte(level)); err != nil {
		l = slog.LevelInfo // the enum of the option allows only names that parse
	}
	options := &slog.HandlerOptions{Level: l, ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Value.Kind() == slog.KindDuration {
			a.Value = slog.StringValue(a.Value.Duration().Round(time.Millisecond).String()) // 1.5s, not 1500000000
		}
		return a
	}}
	var handler slog.Handler = slog.NewTextHandler(escaper{w}, options)
	if format == "json" || format == "auto" && !isTerminal(w) {
		handler = slog.NewJSONHandler(escaper{w}, options)
	}
	return slog.New(logguard.New(handler))
}

// An escaper writes lines of a log with escapes for hidden characters: slog leaves some of them as they are.
type escaper struct{ to io.Writer }

func (e escaper) Write(line []byte) (int, error) {
	if _, err := e.to.Write(events.EscapeHidden(line)); err != nil {
		return 0, err
	}
	return len(line), nil
}

// catchLibraries makes what libraries print to the standard error lines of the log: net/http, for one, quotes there what an
// endpoint sent.
func catchLibraries(logger *slog.Logger) {
	w := logguard.Library(logger)
	log.SetFlags(logguard.LibraryFlags)
	log.SetOutput(w)
	fiberlog.SetOutput(w)
}

// flushLog reports the lines that were suppressed and not reported yet.
func flushLog(logger *slog.Logger) {
	if h, ok := logger.Handler().(*logguard.Handler); ok {
		h.Flush()
	}
}

// suppressedLines is how many lines the log's bounds have suppressed.
func suppressedLines(logger *slog.Logger) int64 {
	if h, ok := logger.Handler().(*logguard.Handler); ok {
		return h.Suppressed()
	}
	return 0
}
