package main

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"aldeabridge/aldea/sandbox"
	"aldeabridge/codec"
)

// An independent modem shows that no frame is lost, doubled, swapped or decoded wrongly between the carrier's
// socket and the recognizer's: one frame less, and the text does not come back.
func TestAModemIsReadableBehindTheBridge(t *testing.T) {
	t.Parallel()
	const text = "The quick brown fox jumps over the lazy dog. 0123456789 +15550100001\n" +
		"Every frame counts: lost, doubled or swapped, and this line is no longer what it was.\n"
	dir := t.TempDir()
	wav := filepath.Join(dir, "modem.wav")
	// 48 kHz: at 8 kHz minimodem rounds a bit to whole samples.
	modem(t, text, "--tx", "1200", "--volume", "0.5", "-R", "48000", "-f", wav)
	v, err := readVoices(wav)
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, sandbox.Options{Source: sandbox.Marker(), KeepAudio: true}, nil)
	c := w.call("CA1", v.inbound)
	c.Hold = 500 * time.Millisecond
	if _, err := c.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	w.ended(t, 1)
	heard := w.sandbox.Connections()[0]
	var recorded bytes.Buffer
	if err := codec.WriteWAV(&recorded, codec.Rate(heard.SampleRate), 1, heard.PCM); err != nil {
		t.Fatal(err)
	}
	behind := filepath.Join(dir, "behind.wav")
	if err := os.WriteFile(behind, recorded.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := modem(t, "", "--rx", "1200", "-q", "-f", behind); got != text {
		t.Errorf("got %q, want %q", got, text)
	}
}

// modem runs minimodem, which must be installed: make test does that on Debian and Ubuntu.
func modem(t *testing.T, stdin string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "minimodem", args...)
	cmd.Stdin = bytes.NewBufferString(stdin)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		t.Fatalf("minimodem %v: %v\n%s", args, err, errs.String())
	}
	return out.String()
}
