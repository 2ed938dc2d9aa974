package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"aldeabridge/aldea/sandbox"
	"aldeabridge/events"
	"aldeabridge/internal/journal"
	"aldeabridge/media/mediatest"
	"aldeabridge/webhooks/webhooktest"
)

// A site is what a bridge in a process of its own needs: its program, its data, a recognizer and a webhook.
type site struct {
	world
	program string
	data    string
	env     []string
}

// newSite makes one of a built program.
func newSite(t *testing.T, program string, env ...string) *site {
	t.Helper()
	s := &site{program: program, data: t.TempDir()}
	s.sandbox, s.webhook = sandbox.New(sandbox.Options{Source: sandbox.Marker()}), webhooktest.New(secretA)
	t.Cleanup(func() {
		s.webhook.Close()
		if err := s.sandbox.Close(); err != nil {
			t.Error(err)
		}
	})
	s.env = append(append(os.Environ(), "BRIDGE_DATA_DIR="+s.data, "BRIDGE_LISTEN=127.0.0.1:0", "LOG_FORMAT=json", "ALDEA_URL="+s.sandbox.URL,
		"ALDEA_API_KEY=org_test", "WEBHOOK_URL="+s.webhook.URL, "WEBHOOK_SECRET="+secretA), env...)
	return s
}

func (s *site) file() string { return filepath.Join(s.data, "journal.db") }

// built returns the program.
func built(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	program := filepath.Join(dir, "bridge")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	for ; dir != os.TempDir() && dir != "/"; dir = filepath.Dir(dir) { // another user must be able to run it
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return program
}

// speak makes a call that says lines, and returns what ends when it does.
func speak(b *child, sid string, lines ...string) <-chan error {
	call := &mediatest.Call{URL: b.mediaURL(), CallSID: sid, StreamSID: "MZ" + sid, Inbound: say(lines...)}
	done := make(chan error, 1)
	go func() {
		_, err := call.Run(context.Background())
		done <- err
	}()
	return done
}

// spoken waits for the end of a call.
func spoken(t *testing.T, done <-chan error) {
	t.Helper()
	if err := <-done; err != nil {
		t.Errorf("the call did not go on: %v", err)
	}
}

// fetch asks the bridge for a path.
func (c *child) fetch(t *testing.T, path string) string {
	t.Helper()
	resp, err := http.Get("http://" + c.address + path)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Errorf("%s: got %s %v, want 200", path, resp.Status, err)
	}
	_ = resp.Body.Close()
	return string(body)
}

// ask sends a request and returns the status and the body of its answer.
func (c *child) ask(t *testing.T, method, path string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, "http://"+c.address+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

// metric returns the sum of a metric's values.
func (c *child) metric(t *testing.T, name string) (sum float64) {
	t.Helper()
	for _, m := range regexp.MustCompile(`(?m)^`+name+`(?:\{.*\})? (\S+)$`).FindAllStringSubmatch(c.fetch(t, "/metrics"), -1) {
		v, err := strconv.ParseFloat(m[1], 64)
		if err != nil {
			t.Fatal(err)
		}
		sum += v
	}
	return sum
}

// until asks for a metric until it is as wanted.
func (c *child) until(t *testing.T, name string, wanted func(float64) bool) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(guard); ; <-tick.C {
		v := c.metric(t, name)
		if wanted(v) {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("%s is still %g", name, v)
		}
	}
}

// journalIs wants the journal's state in /readyz.
func (c *child) journalIs(t *testing.T, state, reason string) {
	t.Helper()
	var got struct {
		Status, Journal string
		Reason          string `json:"journal_reason"`
	}
	body := c.fetch(t, "/readyz")
	if err := json.Unmarshal([]byte(body), &got); err != nil || got.Status != "ready" || got.Journal != state || got.Reason != reason {
		t.Errorf("got %s %v, want status ready, journal %s, reason %q", body, err, state, reason)
	}
}

// room lets the files of a bridge grow up to a length.
func (c *child) room(t *testing.T, bytes uint64) {
	t.Helper()
	if err := unix.Prlimit(c.cmd.Process.Pid, unix.RLIMIT_FSIZE, &unix.Rlimit{Cur: bytes, Max: unix.RLIM_INFINITY}, nil); err != nil {
		t.Fatal(err)
	}
}

// longest is the length of the journal's longest file.
func (s *site) longest(t *testing.T) (bytes uint64) {
	t.Helper()
	err := filepath.WalkDir(s.data, func(_ string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err == nil && info.Mode().IsRegular() {
			bytes = max(bytes, uint64(info.Size()))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return bytes
}

// arrived wants all that the journal holds at the webhook.
func (s *site) arrived(t *testing.T) {
	t.Helper()
	got := map[string]bool{}
	for _, r := range s.webhook.Delivered() {
		got[r.ID] = true
	}
	for _, r := range storedEvents(t, s.file()) {
		if !got[r.ID] {
			t.Errorf("%s %s is in the journal and never arrived", r.Type, r.ID)
		}
	}
}

// No file of the bridge can grow: that is what a full disk is to it.
func TestABridgeGoesOnWhileItsDiskIsFull(t *testing.T) {
	t.Parallel()
	s := newSite(t, built(t))
	b := startChild(t, s.program, s.env)
	spoken(t, speak(b, "CAbefore", "one"))
	s.ended(t, 1)

	b.room(t, s.longest(t))
	during := speak(b, "CAduring", "two", "three")
	b.until(t, "bridge_journal_failures_total", func(v float64) bool { return v >= 3 })
	b.journalIs(t, "degraded", "disk")
	if b.metric(t, "bridge_journal_healthy") != 0 || b.metric(t, "bridge_calls") != 1 {
		t.Error("want the metrics to tell of a journal that takes nothing and a call that goes on")
	}
	b.room(t, 8<<10) // less than any copy needs
	for _, c := range []struct{ method, path string }{{"GET", "/v1/backup"}, {"DELETE", "/v1/calls/CAbefore"}} {
		if status, body := b.ask(t, c.method, c.path); status != http.StatusInsufficientStorage || !strings.Contains(body, "disk") {
			t.Errorf("%s %s: got %d %.300q, want 507 and why", c.method, c.path, status, body)
		}
	}
	b.room(t, unix.RLIM_INFINITY)
	spoken(t, during)
	s.ended(t, 2)
	b.journalIs(t, "ready", "")
	if got := texts(s.delivered(t)["CAduring"]); !slices.Equal(got, []string{"two", "three"}) {
		t.Errorf("got %q of the call during which the disk was full, want all", got)
	}

	// Killed while it is full, and started again while it is: calls are taken, their events wait.
	up := speak(b, "CAup", "four", "five")
	s.wait(t, func(got []webhooktest.Request) bool {
		return slices.ContainsFunc(got, func(r webhooktest.Request) bool { return r.CallID == "CAup" })
	})
	full := s.longest(t)
	b.room(t, full)
	before := b.metric(t, "bridge_journal_failures_total")
	b.until(t, "bridge_journal_failures_total", func(v float64) bool { return v > before })
	b.kill(t)
	<-up
	limited := filepath.Join(t.TempDir(), "bridge")
	script := fmt.Sprintf("#!/bin/sh\nulimit -S -f %d\nexec %s \"$@\"\n", full/512, s.program)
	if err := os.WriteFile(limited, []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	b = startChild(t, limited, s.env)
	b.journalIs(t, "degraded", "disk")
	after := speak(b, "CAafter", "six")
	before = b.metric(t, "bridge_journal_failures_total")
	b.until(t, "bridge_journal_failures_total", func(v float64) bool { return v > before })
	b.room(t, unix.RLIM_INFINITY)
	spoken(t, after)
	s.ended(t, 3)
	b.journalIs(t, "ready", "")
	b.stop(t)
	if got := texts(s.delivered(t)["CAafter"]); !slices.Equal(got, []string{"six"}) {
		t.Errorf("got %q, want what was said while the disk was full", got)
	}
	s.arrived(t)
	if err := s.webhook.Report().Err(); err != nil {
		t.Error(err)
	}
}

func TestABridgeThatCannotKeepItsJournalSaysWhatToDo(t *testing.T) {
	t.Parallel()
	program := built(t)
	for name, c := range map[string]struct {
		prepare func(t *testing.T, data string)
		want    string
	}{
		"a directory that nobody may write to": {func(t *testing.T, data string) {
			if err := os.Chmod(data, 0o555); err != nil {
				t.Fatal(err)
			}
		}, "make the directory writable"},
		"a file of another program": {func(t *testing.T, data string) {
			if err := os.Chmod(data, 0o777); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(data, "journal.db"), []byte(strings.Repeat("Dear diary. ", 999)), 0o666); err != nil {
				t.Fatal(err)
			}
			if err := os.Chmod(filepath.Join(data, "journal.db"), 0o666); err != nil {
				t.Fatal(err)
			}
		}, "move the file away"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, program)
			c.prepare(t, s.data)
			cmd := exec.CommandContext(t.Context(), program, "serve")
			cmd.Env = s.env
			if os.Getuid() == 0 { // nothing is forbidden to root
				cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
				for dir := s.data; dir != os.TempDir() && dir != "/"; dir = filepath.Dir(dir) {
					if info, err := os.Stat(dir); err != nil || os.Chmod(dir, info.Mode()|0o111) != nil {
						t.Fatal(err)
					}
				}
			}
			out, err := cmd.CombinedOutput()
			if cmd.ProcessState == nil || cmd.ProcessState.ExitCode() != 1 {
				t.Fatalf("got %v, want exit status 1:\n%s", err, out)
			}
			for _, want := range []string{"BRIDGE_DATA_DIR is " + s.data, c.want} {
				if !strings.Contains(string(out), want) {
					t.Errorf("want %q in:\n%s", want, out)
				}
			}
		})
	}
}

// The files are deleted beneath a bridge that runs: it says so, calls and webhooks go on, and no second bridge starts.
func TestABridgeWhoseJournalIsDeletedSaysSo(t *testing.T) {
	s := newSite(t, built(t))
	b := startChild(t, s.program, s.env)
	spoken(t, speak(b, "CAbefore", "one"))
	s.ended(t, 1)
	second := func() {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), s.program, "serve")
		cmd.Env = s.env
		if out, err := cmd.CombinedOutput(); cmd.ProcessState == nil || cmd.ProcessState.ExitCode() != 1 || !strings.Contains(string(out), "stop the other bridge") {
			t.Errorf("got %v from a second bridge, want it refused:\n%s", err, out)
		}
	}
	remove := func(suffixes ...string) {
		t.Helper()
		for _, suffix := range suffixes {
			if err := os.Remove(s.file() + suffix); err != nil {
				t.Fatal(err)
			}
		}
	}
	remove(".lock")
	second()
	remove("", "-wal", ".lock")
	b.journalIs(t, "degraded", "deleted")
	second()
	spoken(t, speak(b, "CAafter", "two"))
	s.ended(t, 2)
	copied := filepath.Join(t.TempDir(), "copy.db")
	if err := os.WriteFile(copied, []byte(b.fetch(t, "/v1/backup")), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := len(storedEvents(t, copied)); got != 6 {
		t.Errorf("got %d events in the backup, want 6", got)
	}
	b.stop(t)
	if got := texts(s.delivered(t)["CAafter"]); !slices.Equal(got, []string{"two"}) {
		t.Errorf("got %q, want what was said after the journal was deleted", got)
	}
	if got := len(storedEvents(t, s.file())); got != 6 {
		t.Errorf("got %d events in the journal that was written again, want 6", got)
	}
}

// flip changes a bit at every so many bytes of a part of a file.
func flip(t *testing.T, path string, from, to float64, every int) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for at := int(from * float64(len(b))); at < int(to*float64(len(b))); at += every {
		b[at] ^= 0x10
	}
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestABridgeRepairsADamagedJournal(t *testing.T) {
	t.Parallel()
	program := built(t)
	for name, c := range map[string]struct {
		inLog  bool // what was said last is in the log only
		damage func(t *testing.T, file string)
		least  int // events of the 12 that arrive
	}{
		"bits flipped in the first pages": {false, func(t *testing.T, file string) { flip(t, file, 0, 0.2, 1000) }, 6},
		"bits flipped in the last pages":  {false, func(t *testing.T, file string) { flip(t, file, 0.8, 1, 1000) }, 3},
		"cut off": {false, func(t *testing.T, file string) {
			info, err := os.Stat(file)
			if err != nil || os.Truncate(file, info.Size()*3/4) != nil {
				t.Fatal(err)
			}
		}, 0},
		"a bit flipped in the log": {true, func(t *testing.T, file string) { flip(t, file+"-wal", 0.5, 0.501, 1<<20) }, 6},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, program)
			s.webhook.Down()
			b := startChild(t, s.program, s.env)
			for i, done := range []<-chan error{speak(b, "CA1", "one"), speak(b, "CA2", "two"), speak(b, "CA3", "three"), speak(b, "CA4", "four")} {
				if err := <-done; err != nil {
					t.Fatalf("call %d: %v", i+1, err)
				}
			}
			b.until(t, "bridge_journal_waiting", func(v float64) bool { return v == 12 })
			b.kill(t)
			if !c.inLog {
				j, err := journal.Open(journal.Options{Path: s.file()})
				if err != nil || j.Close() != nil {
					t.Fatal(err)
				}
			}
			c.damage(t, s.file())
			s.webhook.Up()

			b = startChild(t, s.program, s.env)
			b.journalIs(t, "degraded", "repaired")
			if b.metric(t, "bridge_journal_repaired") != 1 {
				t.Error("want the metrics to tell of a repair")
			}
			spoken(t, speak(b, "CAnew", "five"))
			s.wait(t, func([]webhooktest.Request) bool {
				return slices.ContainsFunc(s.delivered(t)["CAnew"], func(e events.Event) bool { return e.Body.Type() == events.TypeCallEnded })
			})
			b.until(t, "bridge_journal_waiting", func(v float64) bool { return v == 0 })
			lost := b.metric(t, "bridge_journal_repair_lost_events")
			b.stop(t)
			s.arrived(t)
			got := len(s.webhook.Delivered()) - 3
			if got < c.least || got == 12 != (lost == 0) && !c.inLog {
				t.Errorf("got %d of 12 events, at least %g known to be lost; want %d or more, and to be told", got, lost, c.least)
			}
			r := s.webhook.Report()
			if r.Gaps = 0; r.Err() != nil { // a lost event is a gap
				t.Error(r.Err())
			}
			t.Logf("%d of 12 events arrived, %g known to be lost", got, lost)

			b = startChild(t, s.program, s.env)
			b.journalIs(t, "ready", "")
			b.stop(t)
		})
	}
}

// A clock that was set ahead or back between two runs is the same as a journal of another time.
func TestABridgeWhoseClockJumpedLosesNothing(t *testing.T) {
	t.Parallel()
	program := built(t)
	for name, c := range map[string]struct {
		moved   time.Duration // of what is stored
		doubted float64
	}{"ahead": {-400 * 24 * time.Hour, 1}, "back": {400 * 24 * time.Hour, 0}} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, program)
			s.webhook.Down()
			b := startChild(t, s.program, s.env)
			spoken(t, speak(b, "CAold", "one", "two"))
			b.until(t, "bridge_journal_waiting", func(v float64) bool { return v == 4 })
			b.kill(t)
			db, err := sql.Open("sqlite", s.file())
			if err != nil {
				t.Fatal(err)
			}
			_, err = db.Exec(`UPDATE events SET stored = stored + ?1; UPDATE calls SET started = started + ?1, ended = ended + ?1`, int64(c.moved))
			if err != nil || db.Close() != nil {
				t.Fatal(err)
			}
			s.webhook.Up()
			b = startChild(t, s.program, s.env)
			if got := b.metric(t, "bridge_journal_clock_doubted"); got != c.doubted {
				t.Errorf("got a clock that is doubted: %g, want %g", got, c.doubted)
			}
			spoken(t, speak(b, "CAnew", "three"))
			s.ended(t, 2)
			b.stop(t)
			s.arrived(t)
			if err := s.webhook.Report().Err(); err != nil {
				t.Error(err)
			}
			if got := texts(s.delivered(t)["CAold"]); !slices.Equal(got, []string{"one", "two"}) {
				t.Errorf("got %q, want what was said before the clock jumped", got)
			}
		})
	}
}
