package sandbox_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"aldeabridge/aldea/sandbox"

	"github.com/gorilla/websocket"
)

// pretend writes a program that stands in for the speech engine's.
func pretend(t *testing.T, script string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "engine")
	if err := os.WriteFile(name, []byte("#!/bin/sh\n"+script), 0o700); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestMissingSpeechNamesThePackages(t *testing.T) {
	for name, program := range map[string]string{
		"no program":   filepath.Join(t.TempDir(), "none"),
		"no libraries": pretend(t, "echo libpocketsphinx.so.3 not installed; exit 1\n"),
	} {
		_, err := sandbox.Speech(sandbox.SpeechOptions{Program: program})
		if !errors.Is(err, sandbox.ErrNoSpeech) || !strings.Contains(err.Error(), "libpocketsphinx3") || !strings.Contains(err.Error(), "pocketsphinx-en-us") {
			t.Errorf("%s: got %v, want ErrNoSpeech and the packages", name, err)
		}
		source, err := sandbox.Speech(sandbox.SpeechOptions{Program: program, Simulate: true})
		if err != nil || !source.Simulated() || !strings.HasPrefix(source.Name(), "simulated (") {
			t.Errorf("%s: got %v, %v; want a source that calls itself simulated", name, source, err)
		}
	}
}

func TestAnEngineThatEndsEndsTheStreamWithItsWords(t *testing.T) {
	for name, c := range map[string]struct{ script, want string }{
		"says what is wrong":  {"echo '{\"type\":\"error\",\"message\":\"libraries are gone\"}'; exit 3\n", "libraries are gone"},
		"dies":                {"echo it crashed >&2; exit 1\n", "it crashed"},
		"talks nonsense":      {"echo nonsense; exec sleep 60\n", "speech engine ended"},
		"sends half a word":   {"echo '{\"type\":\"interim\",\"words\":[[\"a\"]]}'; exec sleep 60\n", "bad word"},
		"vanishes in silence": {"exit 0\n", "speech engine ended"},
	} {
		source, err := sandbox.Speech(sandbox.SpeechOptions{Program: pretend(t, "[ \"$1\" = -check ] && exit 0\n"+c.script)})
		if err != nil {
			t.Fatal(err)
		}
		srv := serve(t, sandbox.Options{Source: source})
		cl := dial(t, srv, "")
		cl.audio(hum(time.Second, 8000, 0.5))
		_, err = cl.rest()
		if reason := wantClose(t, err, websocket.CloseInternalServerErr); !strings.Contains(reason, c.want) {
			t.Errorf("%s: got reason %q, want %q in it", name, reason, c.want)
		}
	}
}

func TestSimulatedWordsCallThemselvesThat(t *testing.T) {
	srv := serve(t, sandbox.Options{Source: sandbox.Simulated("nothing is installed")})
	c := dial(t, srv, "")
	c.silence(500 * time.Millisecond)
	c.audio(hum(1500*time.Millisecond, 8000, 0.5))
	c.silence(time.Second)
	all := c.bye()
	wantOrderlyTimes(t, all)
	results := finals(all)
	if len(results) != 1 || !strings.HasPrefix(results[0].text(), "[simulated] speech 1.") {
		t.Errorf("got %q, want one final, [simulated] speech of one second and a bit", texts(results))
	}
	if len(interims(all)) == 0 {
		t.Error("got no interims")
	}
}

func TestCloseEndsStreamsAndTheirPrograms(t *testing.T) {
	source, err := sandbox.Speech(sandbox.SpeechOptions{Program: pretend(t, "[ \"$1\" = -check ] && exit 0\nexec sleep 60\n")})
	if err != nil {
		t.Fatal(err)
	}
	srv := sandbox.New(sandbox.Options{Source: source})
	c := dial(t, srv, "")
	c.audio(hum(time.Second, 8000, 0.5))
	waitFor(t, srv, func(c sandbox.Connection) bool { return c.Audio > 0 })
	if err := srv.Close(); err != nil {
		t.Error(err)
	}
	if err := srv.Close(); err != nil {
		t.Error("closed again:", err)
	}
	if got := srv.Connections()[0]; got.Open {
		t.Errorf("got %+v, want it closed", got)
	}
	if _, resp, err := try(srv, "/v1/listen", "", key("org_a")); err == nil {
		resp.Body.Close()
		t.Error("a closed server accepted a stream")
	}
}
