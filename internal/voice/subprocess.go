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

// A program is an engine on this machine: it reads a text from its standard input and writes a WAV file to its standard output,
// or, where that has to be a file, to the one that is open as /dev/fd/3.
type program struct {
	name     string // for errors
	path     string
	toFile   bool
	timeouts Timeouts
	slots    chan struct{} // one for each that runs
}

// find makes a program ready to be run.
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

// output makes the place for what the program writes.
func (s *running) output() (io.Reader, error) {
	if !s.program.toFile {
		out, err := s.cmd.StdoutPipe()
		return timed{out, s.watch}, err
	}
	f, err := os.CreateTemp("", "voice-")
	if err != nil {
		return nil, err
	}
	_ = os.Remove(f.Name()) // so that nothing is left, whatever happens
	s.file = f
	s.cmd.ExtraFiles = []*os.File{f}
	return &written{running: s}, nil
}

// written is what is in the file when the program is done.
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

// running is a program that speaks.
type running struct {
	program *program
	watch   *watch
	cmd     *exec.Cmd
	file    *os.File // if it writes to one
	audio   io.Reader
	stderr  head
	once    sync.Once
	err     error // how it ended
}

func (s *running) Read(b []byte) (int, error) {
	n, err := s.audio.Read(b)
	if err == nil {
		return n, nil
	}
	if !errors.Is(err, io.EOF) {
		s.watch.cancel(err) // it is not waited for
	}
	if ended := s.wait(); ended != nil {
		return n, ended
	}
	if !errors.Is(err, io.EOF) {
		err = failed(s.program.name, err)
	}
	return n, err
}

// wait waits until the program is gone and says what went wrong with it.
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

// Words is nil: the program tells none.
func (s *running) Words() []Word { return nil }

// Close kills the program if it still runs, and waits until it is gone.
func (s *running) Close() error {
	s.watch.cancel(ErrClosed)
	_ = s.wait() // Read has said it
	return s.closeFile()
}

func (s *running) closeFile() error {
	if s.file == nil {
		return nil
	}
	return s.file.Close()
}

// head is the first of what is written, up to 1 kB.
type head struct{ bytes.Buffer }

func (h *head) Write(b []byte) (int, error) {
	h.Buffer.Write(b[:min(len(b), max(0, 1<<10-h.Len()))])
	return len(b), nil
}

// line is the first line, without the names of files on this machine.
func (h *head) line() string {
	l, _, _ := strings.Cut(strings.TrimSpace(h.String()), "\n")
	return egress.Scrub(strings.ToValidUTF8(l, "?"))
}
