package voice

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"time"

	"aldeabridge/internal/egress"
)

// program is a speech program on this machine. It reads a text from standard input and writes a WAV file to standard output, or
// to /dev/fd/3 if it can only write to a regular file.
type program struct {
	name     string // for errors
	path     string
	toFile   bool
	timeouts Timeouts
	slots    chan struct{} // a semaphore for running processes
}

// find returns the program at path, or in PATH.
func find(name, path string, timeouts Timeouts, limit int) (*program, error) {
	if path == "" {
		path = name
	}
	path, err := exec.LookPath(path)
	if err != nil {
		return nil, &Error{Engine: name, Reason: "it is not installed (on Debian: apt-get install " + name + ")", Err: err}
	}
	if limit <= 0 {
		limit = 2 * runtime.GOMAXPROCS(0)
	}
	return &program{name: name, path: path, timeouts: timeouts, slots: make(chan struct{}, limit)}, nil
}

// run starts the program. The text never becomes an argument.
func (p *program) run(ctx context.Context, text string, args ...string) (Stream, error) {
	w := p.timeouts.watch(ctx)
	select {
	case p.slots <- struct{}{}:
	case <-w.ctx.Done():
		defer w.stop()
		return nil, failed(p.name, fmt.Errorf("%w: all %d that may run at a time are busy", context.Cause(w.ctx), cap(p.slots)))
	}
	s, err := p.start(w, text, args)
	if err != nil {
		w.stop()
		<-p.slots
		return nil, failed(p.name, fmt.Errorf("it cannot be started: %w", egress.Plain(err)))
	}
	return s, nil
}

func (p *program) start(w *watch, text string, args []string) (*running, error) {
	s := &running{program: p, watch: w}
	s.cmd = exec.CommandContext(w.ctx, p.path, args...) // killed when the context ends
	s.cmd.WaitDelay = time.Second
	s.cmd.Dir = "/"
	s.cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C.UTF-8"} // no keys
	s.cmd.Stdin = strings.NewReader(text)
	s.cmd.Stderr = &s.stderr
	out, err := s.output()
	if err != nil {
		return nil, err
	}
	if err := s.cmd.Start(); err != nil {
		_ = s.closeFile()
		return nil, err
	}
	s.audio = newReader(out, Format{}, true)
	return s, nil
}

// output returns the reader of the program's output.
func (s *running) output() (io.Reader, error) {
	if !s.program.toFile {
		out, err := s.cmd.StdoutPipe()
		return timed{out, s.watch}, err
	}
	f, err := os.CreateTemp("", "voice-")
	if err != nil {
		return nil, err
	}
	_ = os.Remove(f.Name()) // removed at once, so that none is left after a crash
	s.file = f
	s.cmd.ExtraFiles = []*os.File{f}
	return &written{running: s}, nil
}

// written reads the output file after the program has ended.
type written struct {
	*running
	done bool
}

func (w *written) Read(b []byte) (int, error) {
	if !w.done {
		if err := w.wait(); err != nil {
			return 0, err
		}
		if _, err := w.file.Seek(0, io.SeekStart); err != nil {
			return 0, egress.Plain(err)
		}
		w.done = true
	}
	n, err := w.file.Read(b)
	return n, egress.Plain(err)
}

// running is a process, as a Stream.
type running struct {
	program *program
	watch   *watch
	cmd     *exec.Cmd
	file    *os.File // nil if it writes to standard output
	audio   io.Reader
	stderr  head
	once    sync.Once
	err     error // its error, after once
}

func (s *running) Read(b []byte) (int, error) {
	n, err := s.audio.Read(b)
	if err == nil {
		return n, nil
	}
	if !errors.Is(err, io.EOF) {
		s.watch.cancel(err) // kill it
	}
	if ended := s.wait(); ended != nil {
		return n, ended
	}
	if !errors.Is(err, io.EOF) {
		err = failed(s.program.name, err)
	}
	return n, err
}

// wait waits for the end of the process and returns its error.
func (s *running) wait() error {
	s.once.Do(func() {
		err := s.cmd.Wait()
		if cause := context.Cause(s.watch.ctx); cause != nil {
			err = cause
		} else if err != nil && s.stderr.Len() > 0 {
			err = fmt.Errorf("%w: %s", err, s.stderr.line())
		}
		if err != nil {
			s.err = failed(s.program.name, err)
		}
		s.watch.stop()
		<-s.program.slots
	})
	return s.err
}

// Words returns nil: the programs provide none.
func (s *running) Words() []Word { return nil }

// Close kills the process if it still runs, and waits for its end.
func (s *running) Close() error {
	s.watch.cancel(ErrClosed)
	_ = s.wait() // Read has returned it
	return s.closeFile()
}

func (s *running) closeFile() error {
	if s.file == nil {
		return nil
	}
	return s.file.Close()
}

// head keeps the first kB written to it.
type head struct{ bytes.Buffer }

func (h *head) Write(b []byte) (int, error) {
	h.Buffer.Write(b[:min(len(b), max(0, 1<<10-h.Len()))])
	return len(b), nil
}

// line returns the first line, without file names of this machine.
func (h *head) line() string {
	l, _, _ := strings.Cut(strings.TrimSpace(h.String()), "\n")
	return egress.Scrub(strings.ToValidUTF8(l, "?"))
}
