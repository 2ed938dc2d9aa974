package main

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestTheVersionIsPrinted(t *testing.T) {
	for _, args := range []string{"version", "--version", "-v", "calls --version"} {
		out, errs, err := command(t, strings.Fields(args)...)
		if err != nil || out != versionText()+"\n" || errs != "" {
			t.Errorf("bridge %s: got %q, %q, %v", args, out, errs, err)
		}
	}
}

func TestHelpIsACommandToo(t *testing.T) {
	for args, flag := range map[string]string{"help": "--help", "help call": "call --help", "help serve": "serve --help"} {
		got, _, err := command(t, strings.Fields(args)...)
		if err != nil {
			t.Fatal(err)
		}
		want, _, err := command(t, strings.Fields(flag)...)
		if err != nil || got != want || !strings.Contains(got, "Usage: bridge") {
			t.Errorf("bridge %s: got\n%s, %v, want that of %s", args, got, err, flag)
		}
	}
	out, _, err := command(t, "--help")
	if err != nil || !strings.Contains(out, "bridge serve --help") {
		t.Errorf("got %s, %v, want where the options of the bridge are listed", out, err)
	}
}

// Each error names what was wrong and what would be right, as a person wrote it, and the help that it names lists it.
func TestAMistakeOnTheCommandLineIsExplained(t *testing.T) {
	dir := t.TempDir()
	noWAV := filepath.Join(dir, "no.wav")
	if err := os.WriteFile(noWAV, []byte("hello"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		env, args string
		want      string
	}{
		{"", "cals", `unknown command "cals", did you mean "call" or "calls"? (bridge --help lists the commands)`},
		{"", "tial", `unknown command "tial", did you mean "tail"? (bridge --help lists the commands)`},
		{"", "del", `unknown command "del", did you mean "deliveries"? (bridge --help lists the commands)`},
		{"", "caller.wav", `unknown command "caller.wav" (bridge --help lists the commands)`},
		{"", "help nothing", `unknown command "nothing" (bridge --help lists the commands)`},
		{"", "serve now", `unexpected argument now (bridge serve --help shows every option)`},
		{"", "--lisen=:1", `unknown flag --lisen, did you mean "--listen"? (bridge serve --help shows every option)`},
		{"", "--webhook-events=x", "--webhook-events (WEBHOOK_EVENTS): \"x\" is not an event that is delivered; these are: …(bridge serve --help shows every option)"},
		{"WEBHOOK_EVENTS=,", "", "--webhook-events (WEBHOOK_EVENTS): the list names no event; these are: …(bridge serve --help shows every option)"},
		{"BRIDGE_MAX_CALLS=x", "", `--max-calls (BRIDGE_MAX_CALLS): "x" is not a whole number (bridge serve --help shows every option)`},
		{"BRIDGE_GRACE=10", "", `--grace (BRIDGE_GRACE): "10" is not a length of time, such as 500ms, 30s or 1h30m (bridge serve --help shows every option)`},
		{"BRIDGE_INSECURE=maybe", "", `--insecure (BRIDGE_INSECURE): "maybe" is not true or false (bridge serve --help shows every option)`},
		{"BRIDGE_ECHO_LOSS=a", "", `--echo-loss (BRIDGE_ECHO_LOSS): "a" is not a number (bridge serve --help shows every option)`},
		{"ALDEA_AUTH=basic", "", `--aldea-auth (ALDEA_AUTH): "basic" is not one of subprotocol, bearer, token (bridge serve --help shows every option)`},
		{"ALDEA_KEYWORDS=,", "", `--aldea-keywords (ALDEA_KEYWORDS): has an empty keyword (bridge serve --help shows every option)`},
		{"BRIDGE_CONFIG=/none.yaml", "", `--config (BRIDGE_CONFIG): open /none.yaml: no such file or directory`},
		{"BRIDGE_LISTEN=here", "calls", `BRIDGE_LISTEN: "here" is not HOST:PORT`},
		{"JOURNAL_MAX_BYTES=-1", "", `--journal-max-bytes (JOURNAL_MAX_BYTES): -1 is less than 0 (bridge serve --help shows every option)`},
		{"VOICE_CACHE_BYTES=-1", "", `--voice-cache-bytes (VOICE_CACHE_BYTES): -1 is less than 0 (bridge serve --help shows every option)`},
		{"WEBHOOK_URL=http://127.0.0.1:1 WEBHOOK_TIMEOUT=99s", "", `--webhook-timeout (WEBHOOK_TIMEOUT): time-out 1m39s is not within 1s and 30s`},
		{"", "calls --state x", `--state: "x" is not one of up, ended, lost (bridge calls --help shows every option)`},
		{"", "deliveries --state x", `--state: "x" is not one of waiting, delivered, filtered, dead (bridge deliveries --help shows every option)`},
		{"", "calls --limit x", `--limit: "x" is not a whole number (bridge calls --help shows every option)`},
		{"", "calls --limit", `--limit: a value is missing (bridge calls --help shows every option)`},
		{"", "search", `<words> ... is missing (bridge search --help shows every option)`},
		{"", "calls --url foo", `--url (BRIDGE_URL): "foo" is not like http://127.0.0.1:8080`},
		{"", "health foo", `URL: "foo" is not like http://127.0.0.1:8080`},
		{"", "call none.wav", `none.wav: there is no such file (bridge call --help shows every option)`},
		{"", "call " + dir, dir + `: this is a directory, not a file (bridge call --help shows every option)`},
		{"", "call " + noWAV, `no.wav: not a WAV file: …`},
		{"", "demo none.wav", `none.wav: there is no such file (bridge demo --help shows every option)`},
		{"", "sandbox --source script --script none.txt", `--script: none.txt: there is no such file (bridge sandbox --help shows every option)`},
	} {
		t.Run(tt.env+" "+tt.args, func(t *testing.T) {
			for _, pair := range strings.Fields(tt.env) {
				name, value, _ := strings.Cut(pair, "=")
				t.Setenv(name, value)
			}
			t.Setenv("BRIDGE_DATA_DIR", dir)
			_, _, err := command(t, strings.Fields(tt.args)...)
			begin, end, _ := strings.Cut(tt.want, "…")
			if err == nil || !strings.HasPrefix(err.Error(), begin) || !strings.HasSuffix(err.Error(), end) || end == "" && begin == tt.want && err.Error() != begin {
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
	}
}

func TestACallThatCannotBePlacedSaysWhere(t *testing.T) {
	_, _, err := command(t, "call", "voice/caller.wav", "--url", "ws://127.0.0.1:1/media/twilio")
	if err == nil || !strings.HasPrefix(err.Error(), "the call failed: no bridge answers at ws://127.0.0.1:1/media/twilio: is `bridge` running?") || strings.Contains(err.Error(), "mediatest") {
		t.Errorf("got %v", err)
	}
}

func TestTheProgressBarReachesItsEnd(t *testing.T) {
	for _, calls := range []int{1, 3} {
		var out bytes.Buffer
		bar := (&callCmd{Calls: calls}).bar(&out)
		total := 22_895 * time.Millisecond
		for sent := time.Duration(0); sent < total; sent += 100 * time.Millisecond {
			if err := bar.Set64(percent(sent, total)); err != nil {
				t.Fatal(err)
			}
		}
		if err := bar.Set64(percent(total+20*time.Millisecond, total)); err != nil || !strings.Contains(out.String(), "100%") {
			t.Errorf("%d calls: got %q, %v, want it to end at 100%%", calls, out.String(), err)
		}
	}
}

// Every option is in the help of its command, with its environment variable, and no two placeholders follow each other.
func TestTheHelpListsEveryOption(t *testing.T) {
	var p program
	parser, err := newParser(&p, terminal{io.Discard, io.Discard})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range parser.Model.Children {
		out, _, err := command(t, c.Name, "--help")
		if err != nil {
			t.Fatal(err)
		}
		text := strings.Join(strings.Fields(out), " ")
		for _, f := range c.Flags {
			if !f.Hidden && (!strings.Contains(text, f.Name) || len(f.Envs) > 0 && !strings.Contains(text, "$"+f.Envs[0])) {
				t.Errorf("bridge %s --help has no --%s with %v", c.Name, f.Name, f.Envs)
			}
		}
		if strings.Contains(text, "…,...") {
			t.Errorf("bridge %s --help: a placeholder has two ellipses:\n%s", c.Name, out)
		}
	}
}
