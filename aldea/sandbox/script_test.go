package sandbox_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"aldeabridge/aldea/sandbox"
)

func TestScriptsAreReadFromText(t *testing.T) {
	for _, c := range scriptCases {
		lines, err := sandbox.ParseScript(c.text)
		if (err == nil) != c.ok {
			t.Errorf("%q: got error %v, want ok %v", c.text, err, c.ok)
		}
		if c.ok && (len(lines) != len(c.want) || lines[0] != c.want[0]) {
			t.Errorf("%q: got %v, want %v", c.text, lines, c.want)
		}
	}
}

var scriptCases = []struct {
	text string
	ok   bool
	want []sandbox.Line
}{
	{"0.5 hello world", true, []sandbox.Line{sandbox.Say(500*time.Millisecond, "hello world")}},
	{"1-2.5 a b;3 c", true, []sandbox.Line{{Start: time.Second, End: 2500 * time.Millisecond, Text: "a b"}, sandbox.Say(3*time.Second, "c")}},
	{"# note\n\n0 x|y\n", true, []sandbox.Line{{End: 300 * time.Millisecond, Text: "x", First: "y"}}},
	{"", false, nil},
	{"hello", false, nil},
	{"1", false, nil},
	{"2-1 back", false, nil},
	{"-1 before", false, nil},
	{"NaN x", false, nil},
	{"1e9 x", false, nil},
}

func TestScriptsAreChosenForEachStream(t *testing.T) { // S17
	srv := serve(t, sandbox.Options{Source: &sandbox.Scripts{
		Default: []sandbox.Line{sandbox.Say(0, "default")},
		ByName:  map[string][]sandbox.Line{"other": {sandbox.Say(0, "named")}},
		ByKey:   map[string][]sandbox.Line{"org_special": {sandbox.Say(0, "keyed")}},
	}})
	for _, c := range []struct{ key, query, want string }{
		{"org_a", "", "default"},
		{"org_special", "", "keyed"},
		{"org_special", "x_script=other", "named"},
		{"org_a", "x_script=0.1+inline+words", "inline words"},
	} {
		conn, resp, err := try(srv, "/v1/listen/pcm", c.query, key(c.key))
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		cl := &client{t: t, conn: conn, rate: 16000}
		cl.silence(time.Second)
		if got := texts(finals(cl.bye())); got != c.want {
			t.Errorf("key %s, query %q: got %q, want %q", c.key, c.query, got, c.want)
		}
		conn.Close()
	}
	_, resp, err := try(srv, "/v1/listen", "x_script=nonsense", key("org_a"))
	if text := body(resp); err == nil || resp.StatusCode != 400 || !strings.Contains(text, "x_script") {
		t.Errorf("got %d %s, want 400 for a script that is none", resp.StatusCode, text)
	}
}

func TestScriptsRepeat(t *testing.T) {
	srv := serve(t, sandbox.Options{Source: &sandbox.Scripts{Default: []sandbox.Line{sandbox.Say(100*time.Millisecond, "again")}, Loop: 2 * time.Second}})
	c := dial(t, srv, "")
	c.silence(6 * time.Second)
	all := finals(c.bye())
	if got := texts(all); got != "again / again / again" {
		t.Errorf("got %q, want again three times", got)
	}
	wantOrderlyTimes(t, all)
}

func TestScriptsComeFromFiles(t *testing.T) {
	name := filepath.Join(t.TempDir(), "script")
	if err := os.WriteFile(name, []byte("0 from a file\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	source, err := sandbox.ReadScript(name)
	if err != nil {
		t.Fatal(err)
	}
	c := dial(t, serve(t, sandbox.Options{Source: source}), "")
	c.silence(2 * time.Second)
	if got := texts(finals(c.bye())); got != "from a file" {
		t.Errorf("got %q, want from a file", got)
	}
	if _, err := sandbox.ReadScript(name + ".not"); err == nil {
		t.Error("got no error for a file that is not there")
	}
}

func TestEnergyMayDriveAScript(t *testing.T) { // S20
	srv := serve(t, sandbox.Options{Source: &sandbox.Scripts{Default: []sandbox.Line{sandbox.Say(time.Second, "two words")}, Energy: true}})
	c := dial(t, srv, "vad_events=true")
	c.silence(time.Second)
	c.audio(hum(time.Second, 8000, 0.3))
	c.silence(time.Second)
	all := c.bye()
	starts := of(all, "SpeechStarted")
	if len(starts) != 1 || starts[0].number("timestamp") < 0.95 || starts[0].number("timestamp") > 1.2 {
		t.Errorf("got SpeechStarted %v, want one at about 1 s", starts)
	}
	results := finals(all)
	if len(results) != 1 || results[0].end() < 2.2 || results[0].end() > 2.5 {
		t.Errorf("got finals %v, want one at about 2.3 s", results)
	}
}
