package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// A process is one of the programs that take part.
type process struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
}

// start runs a program with more environment variables.
func start(log io.Writer, env []string, name string, args ...string) (*process, error) {
	cmd := exec.Command(name, args...)
	cmd.Env = append(os.Environ(), env...)
	cmd.Stderr = log
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	return &process{cmd, in, bufio.NewReader(out)}, nil
}

// role runs this program again as one of its roles, and returns the first line it says.
func role(log io.Writer, args ...string) (*process, string, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, "", err
	}
	p, err := start(log, nil, self, args...)
	if err != nil {
		return nil, "", err
	}
	line, err := p.out.ReadString('\n')
	if err != nil {
		p.stop()
		return nil, "", fmt.Errorf("%s: %w", args[0], err)
	}
	return p, strings.TrimSpace(line), nil
}

// stop ends a process and waits for it, a while.
func (p *process) stop() {
	_ = p.in.Close()
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	kill := time.AfterFunc(20*time.Second, func() { _ = p.cmd.Process.Kill() })
	defer kill.Stop()
	_ = p.cmd.Wait()
}

// A reading is what a process has used so far, by Linux's /proc.
type reading struct {
	at       time.Time
	cpu      time.Duration // user and system
	pss, rss int64         // bytes
	switches int64         // context switches that it wanted, of all its threads
}

func (p *process) read() (reading, error) {
	pid := p.cmd.Process.Pid
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return reading{}, err
	}
	r := reading{at: time.Now()}
	fields := strings.Fields(string(b[bytes.LastIndexByte(b, ')')+1:]))
	if len(fields) < 13 {
		return reading{}, errors.New("/proc/PID/stat has too few fields")
	}
	for _, field := range fields[11:13] { // utime, stime in hundredths of a second (proc(5))
		n, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			return reading{}, err
		}
		r.cpu += time.Duration(n) * 10 * time.Millisecond
	}
	b, err = os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
	if err != nil {
		return reading{}, err
	}
	r.pss, r.rss = field(b, "Pss:")*1024, field(b, "Rss:")*1024
	tasks, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid))
	if err != nil {
		return reading{}, err
	}
	for _, t := range tasks {
		b, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%s/status", pid, t.Name()))
		if err == nil {
			r.switches += field(b, "voluntary_ctxt_switches:")
		}
	}
	return r, nil
}

// field reads the number behind a name at the beginning of a line.
func field(b []byte, name string) int64 {
	for line := range strings.Lines(string(b)) {
		if after, ok := strings.CutPrefix(line, name); ok {
			n, _ := strconv.ParseInt(strings.Fields(after)[0], 10, 64)
			return n
		}
	}
	return 0
}

// systemCalls counts a process's system calls over a time with perf, which hardly disturbs it, or strace, which slows
// it down. It returns how many there were each second, and a table, if there is one.
func systemCalls(pid int, d time.Duration, table bool) (float64, string, error) {
	seconds := strconv.Itoa(int(d.Seconds()))
	if !table {
		out, err := exec.Command("perf", "stat", "-x,", "-e", "raw_syscalls:sys_enter", "-p", strconv.Itoa(pid), "--", "sleep", seconds).CombinedOutput()
		if err != nil {
			return 0, "", fmt.Errorf("perf stat: %w: %s", err, out)
		}
		n, err := strconv.ParseFloat(strings.Split(string(out), ",")[0], 64)
		return n / d.Seconds(), "", err
	}
	out, err := exec.Command("timeout", "-s", "INT", seconds, "strace", "-c", "-f", "-p", strconv.Itoa(pid)).CombinedOutput()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		return 0, "", fmt.Errorf("strace: %w", err)
	}
	return 0, string(out), nil
}

// await waits until a server listens at an address.
func await(address string) error {
	var err error
	for range 200 {
		var c net.Conn
		if c, err = net.Dial("tcp", address); err == nil {
			return c.Close()
		}
		time.Sleep(50 * time.Millisecond)
	}
	return err
}

// free returns an address that is not in use.
func free() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}
