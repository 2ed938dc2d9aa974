package main

import (
	"bytes"
	"strings"
	"testing"
)

// These tests need what the program needs, and a recording: Debian's libpocketsphinx3, pocketsphinx-en-us and
// asterisk-core-sounds-en-wav.

const recording = "/usr/share/asterisk/sounds/en_US_f_Allison/ss-noservice.wav"

func TestCheckFindsWhatIsInstalled(t *testing.T) {
	var out, failures bytes.Buffer
	if status := run([]string{"--check"}, nil, &out, &failures); status != 0 {
		t.Fatalf("got status %d: %s%s", status, &out, &failures)
	}
	if got := out.String(); !strings.Contains(got, "model: /") || !strings.Contains(got, "libpocketsphinx") {
		t.Errorf("got %q, want the model and the libraries", got)
	}
}

func TestARecordingIsRecognized(t *testing.T) {
	var out, failures bytes.Buffer
	if status := run([]string{recording}, nil, &out, &failures); status != 0 {
		t.Fatalf("got status %d: %s", status, &failures)
	}
	if got := out.String(); !strings.HasPrefix(got, "ss-noservice.wav: ") || !strings.Contains(got, "number") {
		t.Errorf("got %q, want the name and words, number among them", got)
	}
}

func TestWordsRiseAndSilenceHasNone(t *testing.T) {
	var in, out, failures bytes.Buffer
	in.Write(frame(frameAudio, 32000)) // a second of digital silence
	in.Write(frame(frameEnd, 0))
	if status := run(nil, &in, &out, &failures); status != 0 {
		t.Fatalf("got status %d: %s", status, &failures)
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) != 6 || !strings.Contains(lines[0], `"ready"`) || lines[5] != `{"type":"final","words":[]}` {
		t.Errorf("got %q, want ready, four interims and a final without words", lines)
	}
}
