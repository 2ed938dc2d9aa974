//go:build unix

package sandbox

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	ossignal "os/signal"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// engineUnderTest names a program; a test binary with it in its environment is a server that owns such a child.
const engineUnderTest = "SANDBOX_TEST_ENGINE"

// TestChildsParent is no test of its own but the process that TestAChildIsApartAndStillEnds signals and kills.
func TestChildsParent(t *testing.T) {
	program := os.Getenv(engineUnderTest)
	if program == "" {
		return
	}
	signals := make(chan os.Signal, 2)
	ossignal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	s, err := startSphinx(context.Background(), program, nil)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // after each signal the child is still wanted
		<-signals
		if err := s.frame('A', make([]int16, 4)); err != nil {
			t.Fatal(err)
		}
	}
	select {} // until killed
}

func TestAChildIsApartAndStillEnds(t *testing.T) {
	dir := t.TempDir()
	fifo, engine := filepath.Join(dir, "said"), filepath.Join(dir, "engine")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	// Each frame is 13 bytes. The last command inherits the fifo: it ends when nothing of the child is left.
	script := fmt.Sprintf("#!/bin/sh\nexec 3>%s\necho $$ >&3\n"+
		"for i in 1 2; do dd bs=1 count=13 >/dev/null 2>&1 && echo heard >&3; done\nexec cat >/dev/null\n", fifo)
	if err := os.WriteFile(engine, []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	parent := exec.Command(os.Args[0], "-test.run=^TestChildsParent$")
	parent.Env = append(os.Environ(), engineUnderTest+"="+engine)
	parent.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // so that signals to the group spare this test
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	guard := time.AfterFunc(time.Minute, func() { _ = parent.Process.Kill() })
	defer guard.Stop()
	defer func() {
		_ = parent.Process.Kill()
		_ = parent.Wait() // killed: that it says so is no news
	}()
	f, err := os.Open(fifo)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	said := bufio.NewReader(f)
	var pid int
	if _, err := fmt.Fscanln(said, &pid); err != nil {
		t.Fatal(err)
	}
	if group, err := syscall.Getpgid(pid); err != nil || group == parent.Process.Pid {
		t.Errorf("got the child in group %d (%v), want one other than its parent's %d", group, err, parent.Process.Pid)
	}
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		if err := syscall.Kill(-parent.Process.Pid, sig); err != nil {
			t.Fatal(err)
		}
		if line, err := said.ReadString('\n'); line != "heard\n" {
			t.Fatalf("after %v to the parent's group: got %q, %v from the child, want it alive", sig, line, err)
		}
	}
	if err := parent.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if _, err := said.ReadByte(); !errors.Is(err, io.EOF) {
		t.Errorf("got %v after the parent was killed, want the end of the child", err)
	}
}
