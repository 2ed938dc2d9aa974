package examples

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

// A real bridge, whose recognizer reads tones: a caller of each menu says goodbye and is hung up on, all words are shown as
// captions, and all transcripts are kept.
func TestTheExamplesServeABridge(t *testing.T) {
	bridge, dir := filepath.Join(programs, "bridge"), t.TempDir()
	if out, err := exec.Command("go", "build", "-o", bridge, "../cmd/bridge").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	logger := start(t, "logger", "TRANSCRIPTS="+filepath.Join(dir, "transcripts")).serving()
	numbers := map[string]string{"+15550100031": "ivr-go", "+15550100032": "ivr-node", "+15550100033": "ivr-python"}
	config, routes := fmt.Sprintf("webhooks:\n  logger: {url: %q, secret_env: WEBHOOK_SECRET, events: [call.ended]}\n", logger.url), "routes:\n"
	menus := map[string]*program{}
	for number, name := range numbers {
		menus[number] = start(t, name).serving()
		config += fmt.Sprintf("  %s: {url: %q, secret_env: WEBHOOK_SECRET}\n", name, menus[number].url)
		routes += fmt.Sprintf("  - {to: [%q], webhooks: [%s, logger]}\n", number, name)
	}
	file := filepath.Join(dir, "bridge.yaml")
	if err := os.WriteFile(file, []byte(config+routes), 0o600); err != nil {
		t.Fatal(err)
	}
	address := serve(t, bridge, "BRIDGE_CONFIG="+file, "BRIDGE_DATA_DIR="+dir)
	captions := start(t, "captions", "BRIDGE_URL=http://"+address)
	captions.printed("watching")

	var calls sync.WaitGroup
	for number := range numbers {
		calls.Go(func() { // it fails: it is hung up on
			_ = exec.CommandContext(t.Context(), bridge, "call", "--quiet", "--url", "ws://"+address+"/media/twilio",
				"--to", number, "--say-marker", "what is this | goodbye please | and more | and more | and more").Run()
		})
	}
	calls.Wait()

	for _, p := range menus {
		p.printed("call.started")
		if line := p.printed("utterance.final"); !strings.Contains(line, "listen") {
			t.Errorf("%s: got %q, want the menu again", p.name, line)
		}
		if line := p.printed("utterance.final"); !strings.Contains(line, "hangup") {
			t.Errorf("%s: got %q, want a hangup", p.name, line)
		}
		p.printed("call.ended")
	}
	for range menus {
		b, err := os.ReadFile(logger.printed(".txt"))
		if err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(string(b), "\n")
		if len(lines) < 6 || !strings.HasSuffix(lines[2], ": hang_up") || !strings.HasSuffix(lines[3], " caller: what is this") || !strings.HasSuffix(lines[4], " caller: goodbye please") {
			t.Errorf("got transcript %q", b)
		}
	}
	shown := map[string]int{}
	for n := 0; n < len(menus); {
		_, text, _ := strings.Cut(captions.printed(""), " ")
		shown[text]++
		n += strings.Count(text, "-- hang_up")
	}
	for _, text := range []string{"caller: what is this", "caller: goodbye please"} {
		if shown[text] != len(menus) {
			t.Errorf("%q was shown %d times, want once a call: %v", text, shown[text], shown)
		}
	}
	if shown["caller: what is …"] == 0 {
		t.Errorf("no interim was shown: %v", shown)
	}
}

// serve starts a bridge and returns its address.
func serve(t *testing.T, program string, env ...string) string {
	t.Helper()
	p := startCommand(t, "bridge", []string{"sh", "-c", `exec "$0" serve --sandbox marker 2>&1`, program},
		append(slices.Clone(env), "WEBHOOK_SECRET="+secret, "BRIDGE_LISTEN=127.0.0.1:0", "LOG_FORMAT=json")...)
	var line struct{ Address string }
	if err := json.Unmarshal([]byte(p.printed(`"listening"`)), &line); err != nil {
		t.Fatal(err)
	}
	return line.Address
}
