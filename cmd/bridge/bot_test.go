package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"aldeabridge/aldea/sandbox"
	"aldeabridge/media/mediatest"
)

// The demo's bot is heard: offline recognition, which gets about every second word of telephone speech wrong, gets
// enough of its words right, in their order, that nothing else can have been said. It is not parallel: audio that is sent
// late because other tests use the processor is recognized worse.
func TestTheBotOfTheDemoIsUnderstood(t *testing.T) {
	dir := t.TempDir()
	var out bytes.Buffer
	if err := run(t.Context(), []string{"demo", "--bot", "--source=marker", "--save=" + filepath.Join(dir, "new")}, terminal{&out, &out}); err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	for _, want := range []string{"interrupted by speech", "ended: hang up", "“" + botGoodbye + "”"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is missing from\n%s", want, out.String())
		}
	}
	if info, err := os.Stat(filepath.Join(dir, "new", "caller.wav")); err != nil || info.Size() < 40_000 {
		t.Errorf("got %v %v, want the caller's side", info, err)
	}
	program := filepath.Join(dir, "bridge-sphinx")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", program, "aldeabridge/cmd/sphinx").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	speech, err := sandbox.Speech(sandbox.SpeechOptions{Program: program})
	if err != nil {
		t.Fatal(err)
	}
	bot, err := readVoices(filepath.Join(dir, "new", "bot.wav"))
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, sandbox.Options{Source: speech}, nil)
	if _, err := (&mediatest.Call{URL: w.server.mediaURL(), CallSID: "CA1", StreamSID: "MZ1", Inbound: bot.inbound, Hold: 2 * time.Second}).Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.ended(t, 1)
	said := fields(botGreeting + " " + botGoodbye)
	heard := fields(strings.Join(texts(w.delivered(t)["CA1"]), " "))
	if got := common(said, heard); got < 5 {
		t.Errorf("got %d words of %q in %q, want at least 5", got, said, heard)
	}
}

// fields are the words of a text, as a recognizer writes them.
func fields(text string) []string {
	return strings.Fields(strings.ToLower(strings.NewReplacer(".", " ", "?", " ", ",", " ", "-", " ", "good bye", "goodbye").Replace(strings.ToLower(text))))
}

// common is the length of the longest sequence of words that both have, in their order.
func common(a, b []string) int {
	row := make([]int, len(b)+1)
	for _, word := range a {
		above := slices.Clone(row)
		for i := range b {
			if row[i+1] = max(above[i+1], row[i]); b[i] == word {
				row[i+1] = above[i] + 1
			}
		}
	}
	return row[len(b)]
}
