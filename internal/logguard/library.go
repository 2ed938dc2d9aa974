package logguard

import (
	"bytes"
	"context"
	"io"
	"log"
	"log/slog"
	"regexp"
)

// LibraryFlags are the flags of a log.Logger that writes to Library: they put the place in the code in front.
const LibraryFlags = log.Lshortfile

// Library returns a writer for the loggers of libraries. What they print may quote a peer ("Unsolicited response received on idle HTTP
// channel starting with …"), so the line names the place in the library's code and the length, and not the text.
func Library(logger *slog.Logger) io.Writer { return library{logger} }

// library is the writer.
type library struct{ logger *slog.Logger }

// place is what LibraryFlags put in front of a line, maybe behind a level and a time.
var place = regexp.MustCompile(`^(?:[0-9/:. ]* )?([a-zA-Z0-9_]+\.go:[0-9]+): `)

// Write logs one line of a library.
func (l library) Write(p []byte) (int, error) {
	source := "unknown"
	if m := place.FindSubmatch(p); m != nil {
		source = string(m[1])
	}
	l.logger.Log(context.Background(), slog.LevelWarn, "a library has logged something",
		"source", source, "bytes", len(bytes.TrimRight(p, "\n")))
	return len(p), nil
}
