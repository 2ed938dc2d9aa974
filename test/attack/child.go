package attack

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// limits are what the kernel allows the bridge. Zero leaves a limit as it was when the test began.
type limits struct {
	files  int // open files (ulimit -n)
	memory int // bytes of writable memory (ulimit -d)
}

// command returns a command that runs a program under the limits. The shell sets them, because the test has raised its own.
func (l limits) command(program string, args ...string) *exec.Cmd {
	files := l.files
	if files == 0 {
		files = int(openFiles)
	}
	script := "ulimit -n " + strconv.Itoa(files) + " && "
	if l.memory > 0 {
		script += "ulimit -d " + strconv.Itoa(l.memory>>10) + " && "
	}
	return exec.Command("/bin/sh", append([]string{"-c", script + `exec "$0" "$@"`, program}, args...)...)
}

// buildBridge returns the program under test.
func buildBridge(t *testing.T) string {
	t.Helper()
	if *bridgeFlag != "" {
		path, err := filepath.Abs(*bridgeFlag)
		if err != nil {
			t.Fatal(err)
		}
		return path
	}
	path := filepath.Join(t.TempDir(), "bridge")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", path, "./cmd/bridge")
	build.Dir = filepath.Join("..", "..")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return path
}

// A child is a bridge in a process of its own.
type child struct {
	cmd     *exec.Cmd
	address string        // where it listens
	ended   chan struct{} // closed when the process is gone
	stop    sync.Once

	mu     sync.Mutex // guards what follows
	bytes  int64      // of its log
	echoes int        // lines with the canary
	head   bytes.Buffer
	tail   []string // the last lines
}

// start starts a bridge and waits until it listens. It is stopped at the end of the test.
func start(t *testing.T, program string, l limits, env []string) *child {
	t.Helper()
	c := &child{cmd: l.command(program, "serve", "--sandbox", "marker"), ended: make(chan struct{})}
	c.cmd.Env = append(os.Environ(), env...)
	c.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	stderr, err := c.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	listening := make(chan string, 1)
	go c.read(stderr, listening)
	t.Cleanup(c.kill)
	select {
	case c.address = <-listening:
	case <-c.ended:
		t.Fatalf("the bridge did not start:\n%s", c.log())
	}
	return c
}

// read reads the log to its end.
func (c *child) read(stderr io.Reader, listening chan<- string) {
	defer close(c.ended)
	lines := bufio.NewReader(stderr)
	for {
		line, err := lines.ReadString('\n')
		c.take(line)
		var start struct{ Msg, Address string }
		if c.address == "" && json.Unmarshal([]byte(line), &start) == nil && start.Msg == "listening" {
			listening <- start.Address
		}
		if err != nil {
			break
		}
	}
	_ = c.cmd.Wait() // how it ended shows in its log
}

// take counts a line, and keeps it if it is one of the first or last.
func (c *child) take(line string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.bytes += int64(len(line))
	if strings.Contains(line, canary) {
		c.echoes++
	}
	if c.head.Len() < 8<<10 {
		c.head.WriteString(line)
		return
	}
	if c.tail = append(c.tail, line); len(c.tail) > 30 {
		c.tail = c.tail[1:]
	}
}

// log returns the beginning and the end of the log.
func (c *child) log() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.head.String() + "…\n" + strings.Join(c.tail, "")
}

// logged returns the size of the log, and how many of its lines repeat the canary.
func (c *child) logged() (bytes int64, echoes int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.bytes, c.echoes
}

// up reports whether the process runs.
func (c *child) up() bool {
	select {
	case <-c.ended:
		return false
	default:
		return true
	}
}

// kill ends the process.
func (c *child) kill() {
	c.stop.Do(func() {
		_ = c.cmd.Process.Kill() // an error means that it has ended
		<-c.ended
	})
}

func (c *child) url() string { return "http://" + c.address }

// mediaURL is where streams go, with the token that lets them in.
func (c *child) mediaURL() string { return "ws://" + c.address + "/media/twilio/" + mediaToken }
