package examples

import (
	"bufio"
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// guard is how long a test waits for what must happen before it fails.
const guard = 60 * time.Second

// commands is how each example is run.
var commands = map[string][]string{
	"ivr-go":     nil, // compiled
	"ivr-node":   {"node", "ivr-node/ivr.mjs"},
	"ivr-python": {"python3", "ivr-python/ivr.py"},
	"logger":     {"python3", "logger/logger.py"},
	"captions":   {"python3", "captions/captions.py"},
	"llm-bot":    {"node", "llm-bot/bot.mjs"},
}

// A program is an example that runs.
type program struct {
	t     *testing.T
	name  string
	cmd   *exec.Cmd
	lines chan string // what it printed, line by line; closed at its end
	url   string      // of one that serves
	errs  *buffer     // what it printed on stderr

	sequence int64
}

// start runs an example with these variables beside WEBHOOK_SECRET. It is ended with the test.
func start(t *testing.T, name string, env ...string) *program {
	t.Helper()
	return startCommand(t, name, command(name), append(env, "WEBHOOK_SECRET="+secret, "PORT=0")...)
}

// command is how an example is run.
func command(name string) []string {
	if c := commands[name]; c != nil {
		return c
	}
	return []string{filepath.Join(programs, name)}
}

func startCommand(t *testing.T, name string, argv []string, env ...string) *program {
	t.Helper()
	p := &program{t: t, name: name, cmd: exec.Command(argv[0], argv[1:]...), lines: make(chan string, 10_000), errs: &buffer{}}
	p.cmd.Env = append(os.Environ(), env...)
	p.cmd.Stderr = p.errs
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(p.lines)
		for s := bufio.NewScanner(out); s.Scan(); {
			p.lines <- s.Text()
		}
	}()
	t.Cleanup(p.end)
	return p
}

// end ends it, unless it has ended itself.
func (p *program) end() {
	_ = p.cmd.Process.Signal(syscall.SIGKILL)
	for range p.lines {
	}
	_ = p.cmd.Wait()
	if p.t.Failed() {
		p.t.Logf("%s said:\n%s", p.name, p.errs)
	}
}

// serving waits until it says where it listens.
func (p *program) serving() *program {
	p.t.Helper()
	p.url = strings.TrimPrefix(p.printed("listening on "), "listening on ")
	return p
}

// printed waits for a line that contains text, and returns it.
func (p *program) printed(text string) string {
	p.t.Helper()
	timeout := time.After(guard)
	for {
		select {
		case line, ok := <-p.lines:
			if !ok {
				p.t.Fatalf("%s ended without printing %q:\n%s", p.name, text, p.errs)
			}
			if strings.Contains(line, text) {
				return line
			}
		case <-timeout:
			p.t.Fatalf("%s does not print %q", p.name, text)
		}
	}
}

// A buffer stores the bytes written to it. It is safe for concurrent use.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}
