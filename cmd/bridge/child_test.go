package main

import (
	"bufio"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// buildBridge builds the program under test and returns its path.
func buildBridge(t testing.TB) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "bridge")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return program
}

// A child is a bridge in a process of its own.
type child struct {
	cmd       *exec.Cmd
	listening chan string   // gets its address; closed when its log has ended
	logged    chan struct{} // closed when its log has ended
	log       string        // to the line that it listens, or to its end; may be read after listening gave something
	address   string        // set by listens
}

// launch starts a bridge and returns at once.
func launch(t testing.TB, program string, env []string) *child {
	t.Helper()
	cmd := exec.Command(program, "serve")
	cmd.Env = env
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	c := &child{cmd: cmd, listening: make(chan string, 1), logged: make(chan struct{})}
	go c.read(stderr)
	return c
}

// read reads the child's log to its end.
func (c *child) read(stderr io.Reader) {
	defer close(c.logged)
	defer close(c.listening)
	lines := bufio.NewScanner(stderr)
	var log strings.Builder
	for lines.Scan() {
		var line struct{ Msg, Address string }
		log.WriteString(lines.Text() + "\n")
		c.log = log.String()
		if json.Unmarshal(lines.Bytes(), &line) == nil && line.Msg == "listening" {
			c.listening <- line.Address
			break
		}
	}
	_, _ = io.Copy(io.Discard, stderr)
}

// listens waits until the child listens.
func (c *child) listens(t testing.TB) {
	t.Helper()
	address, ok := <-c.listening
	if !ok {
		_ = c.cmd.Wait()
		t.Fatalf("the bridge did not start:\n%s", c.log)
	}
	c.address = address
}

// startChild starts a bridge and waits until it listens.
func startChild(t testing.TB, program string, env []string) *child {
	t.Helper()
	c := launch(t, program, env)
	c.listens(t)
	return c
}

func (c *child) mediaURL() string { return "ws://" + c.address + "/media/twilio" }

func (c *child) url() string { return "http://" + c.address }

// kill ends the child with SIGKILL.
func (c *child) kill(t testing.TB) {
	t.Helper()
	if err := c.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	<-c.logged
	_ = c.cmd.Wait() // it says that it was killed
}

// stop ends the child with SIGINT, which it takes as it does SIGTERM, and wants it to exit 0.
func (c *child) stop(t testing.TB) {
	t.Helper()
	if err := c.cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	<-c.logged
	if err := c.cmd.Wait(); err != nil {
		t.Errorf("the bridge did not stop cleanly: %v", err)
	}
}
