package main

import (
	"bufio"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"aldeabridge/aldea/sandbox"
	"aldeabridge/events"
	"aldeabridge/journal"
	"aldeabridge/media/mediatest"
	"aldeabridge/webhooks/webhooktest"
)

var (
	crashKills = flag.Int("crash.kills", 3, "how many times the bridge is killed")
	crashCalls = flag.Int("crash.calls", 8, "calls that are up at each kill")
)

// A bridge that is killed with SIGKILL again and again, under load and with a webhook that fails one request in
// five, still delivers every event that its journal took: in order, each with its one id.
func TestAKilledBridgeDeliversAllThatItStored(t *testing.T) {
	program := filepath.Join(t.TempDir(), "bridge")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	data := t.TempDir()
	recogniser := sandbox.New(sandbox.Options{Source: sandbox.Marker()})
	defer func() {
		if err := recogniser.Close(); err != nil {
			t.Error(err)
		}
	}()
	webhook := webhooktest.New(secretA)
	defer webhook.Close()
	chance := rand.New(rand.NewPCG(1, 2))
	webhook.Script(func(webhooktest.Request) webhooktest.Answer { // called one at a time
		if chance.IntN(5) == 0 {
			return webhooktest.Status(500)
		}
		return webhooktest.OK()
	})
	w := &world{webhook: webhook}
	env := append(os.Environ(), "BRIDGE_DATA_DIR="+data, "BRIDGE_LISTEN=127.0.0.1:0", "LOG_FORMAT=json", "ALDEA_URL="+recogniser.URL,
		"ALDEA_API_KEY=org_test", "WEBHOOK_URL="+webhook.URL, "WEBHOOK_SECRET="+secretA)

	var callers sync.WaitGroup
	for kill := range *crashKills {
		b := startChild(t, program, env)
		for i := range *crashCalls {
			sid := fmt.Sprintf("CA%02d-%02d", kill, i)
			c := &mediatest.Call{URL: b.mediaURL(), CallSID: sid, StreamSID: "MZ" + sid, Inbound: say("one "+sid, "two "+sid, "three "+sid)}
			callers.Go(func() { _, _ = c.Run(context.Background()) }) // cut by the kill, or not
		}
		enough := len(webhook.Requests()) + *crashCalls + chance.IntN(3**crashCalls)
		w.wait(t, func(got []webhooktest.Request) bool { return len(got) >= enough })
		b.kill(t)
		callers.Wait()
	}

	// The last start delivers what is left, and is then asked to stop: it exits 0 when nothing waits.
	b := startChild(t, program, env)
	b.stop(t)

	stored := storedEvents(t, filepath.Join(data, "journal.db"))
	arrived := map[string]int{}
	for _, r := range webhook.Delivered() {
		arrived[r.ID]++
	}
	repeats := 0
	for id := range stored {
		if arrived[id] == 0 {
			t.Errorf("%s was stored and never arrived", id)
		}
		repeats += max(0, arrived[id]-1)
	}
	if err := webhook.Report().Err(); err != nil {
		t.Error(err)
	}
	spoken, kept := *crashKills**crashCalls*3, 0
	for _, e := range stored {
		if e == events.TypeUtteranceFinal {
			kept++
		}
	}
	t.Logf("%d kills: %d events stored, %d of them repeated; %d of %d utterances had not been stored when the bridge was killed",
		*crashKills, len(stored), repeats, spoken-kept, spoken)
}

// storedEvents returns the type of every event in a journal, by id.
func storedEvents(t *testing.T, path string) map[string]events.Type {
	t.Helper()
	j, err := journal.Open(journal.Options{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := j.Close(); err != nil {
			t.Error(err)
		}
	}()
	all := map[string]events.Type{}
	for after := int64(0); after < j.Last(); {
		records, err := j.Since(t.Context(), after, 1000)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range records {
			all[r.ID] = r.Type
			after = r.Position
		}
	}
	return all
}

// A child is a bridge in a process of its own.
type child struct {
	cmd     *exec.Cmd
	address string
	logged  chan struct{} // closed when its log has ended
}

// startChild starts a bridge and waits until it listens.
func startChild(t *testing.T, program string, env []string) *child {
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
	c := &child{cmd: cmd, logged: make(chan struct{})}
	lines := bufio.NewScanner(stderr)
	var log strings.Builder
	for lines.Scan() {
		var line struct{ Msg, Address string }
		log.WriteString(lines.Text() + "\n")
		if json.Unmarshal(lines.Bytes(), &line) == nil && line.Msg == "listening" {
			c.address = line.Address
			break
		}
	}
	if c.address == "" {
		t.Fatalf("the bridge did not start:\n%s", log.String())
	}
	go func() {
		defer close(c.logged)
		_, _ = io.Copy(io.Discard, stderr)
	}()
	return c
}

func (c *child) mediaURL() string { return "ws://" + c.address + "/media/twilio" }

// kill ends the child with SIGKILL.
func (c *child) kill(t *testing.T) {
	t.Helper()
	if err := c.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	<-c.logged
	_ = c.cmd.Wait() // it says that it was killed
}

// stop ends the child with SIGTERM and wants it to exit 0.
func (c *child) stop(t *testing.T) {
	t.Helper()
	if err := c.cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	<-c.logged
	if err := c.cmd.Wait(); err != nil {
		t.Errorf("the bridge did not stop cleanly: %v", err)
	}
}
