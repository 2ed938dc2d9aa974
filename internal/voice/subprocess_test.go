package voice

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"aldeabridge/codec"
)

// loud is how much of µ-law audio is louder than -30 dBFS.
func loud(mulaw []byte) time.Duration {
	pcm := make([]int16, len(mulaw))
	codec.DecodeMuLaw(pcm, mulaw)
	n := int64(0)
	for _, s := range pcm {
		if s > 1000 || s < -1000 {
			n++
		}
	}
	return codec.Rate(8000).Duration(n)
}

func TestProgramsSpeak(t *testing.T) {
	espeak, err := NewESpeak(ESpeakConfig{Voices: Voices{ByLanguage: map[string]string{"de": "de+f3"}}})
	if err != nil {
		t.Fatal(err)
	}
	flite, err := NewFlite(FliteConfig{})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		e Engine
		r Request
	}{
		{espeak, Request{Text: "Good morning. How are you? I am fine, thank you very much."}},
		{espeak, Request{Text: "Guten Morgen. Wie geht es Ihnen? Mir geht es gut, vielen Dank.", Language: "de-AT"}},
		{espeak, Request{Text: "Buenos días. ¿Cómo está usted? Muy bien, muchas gracias.", Language: "es"}},
		{espeak, Request{Text: "-w /tmp/x --help $(id) [[h@l'oU]] 'quoted' \"twice\"", Voice: "en-gb"}},
		{flite, Request{Text: "Good morning. How are you? I am fine, thank you very much."}},
		{flite, Request{Text: "-o /tmp/x --help $(id) 'quoted' and what is more", Voice: "rms", Language: "en-GB"}},
	} {
		b, _, err := say(t, c.e, c.r)
		if err != nil {
			t.Errorf("%s: %q: %v", c.e.Identity(), c.r.Text, err)
			continue
		}
		if d, l := codec.Rate(8000).Duration(int64(len(b))), loud(b); d < 2*time.Second || d > 15*time.Second || l < d/20 {
			t.Errorf("%s: %q: got %v of audio, %v of it loud", c.e.Identity(), c.r.Text, d, l)
		}
	}
	for _, c := range []struct {
		e    Engine
		r    Request
		want string
	}{
		{espeak, Request{Text: "x", Voice: "tlh"}, "voice does not exist"},
		{espeak, Request{Text: "x", Voice: "../../etc/passwd"}, "no such voice"},
		{espeak, Request{Text: "x", Voice: "-w/tmp/x"}, "no such voice"},
		{flite, Request{Text: "x", Voice: "nobody"}, "it has kal"},
		{flite, Request{Text: "x", Voice: "/tmp/x.flitevox"}, "no such voice"},
		{flite, Request{Text: "x", Language: "de"}, "English only"},
		{flite, Request{Text: "..."}, "nothing to say"},
	} {
		if _, _, err := say(t, c.e, c.r); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %+v: got %v, want %q in it", c.e.Identity(), c.r, err, c.want)
		}
	}
}

// script is a program that stands in for espeak-ng. It writes its process id to pid first.
func script(t *testing.T, body string) (path, pid string) {
	t.Helper()
	path, pid = filepath.Join(t.TempDir(), "speak"), filepath.Join(t.TempDir(), "pid")
	if err := os.WriteFile(path, []byte("#!/bin/sh\necho $$ > "+pid+".new; mv "+pid+".new "+pid+"\n"+body), 0o700); err != nil {
		t.Fatal(err)
	}
	return path, pid
}

// gone says whether the process whose id is in a file is gone, and not a zombie either.
func gone(t *testing.T, pid string) bool {
	t.Helper()
	b, err := os.ReadFile(pid)
	if err != nil {
		t.Fatal(err)
	}
	n, err := strconv.Atoi(strings.TrimSpace(string(b)))
	if err != nil {
		t.Fatal(err)
	}
	return errors.Is(syscall.Kill(n, 0), syscall.ESRCH)
}

// streamedHeader is what espeak-ng begins with.
const streamedHeader = `printf 'RIFF\377\377\377\377WAVEfmt \020\0\0\0\001\0\001\0\100\037\0\0\200\076\0\0\002\0\020\0data\377\377\377\377'` + "\n"

func TestProgramIsKilledWhenNobodyListens(t *testing.T) {
	path, pid := script(t, streamedHeader+"head -c 1600 /dev/zero\nexec sleep 1000\n")
	e, err := NewESpeak(ESpeakConfig{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	s := NewSpeaker(e, nil)
	a, err := s.Say(context.Background(), Request{Text: "Hello."})
	if err != nil {
		t.Fatal(err)
	}
	if b, err := a.Next(context.Background()); len(b) == 0 || err != nil {
		t.Fatalf("got %d bytes, %v while the program goes on", len(b), err)
	}
	_ = a.Close()
	s.Close() // waits
	if !gone(t, pid) {
		t.Error("the program still runs, or nobody waited for it")
	}
}

func TestProgramsThatFail(t *testing.T) {
	for name, c := range map[string]struct {
		body string
		t    Timeouts
		want string
	}{
		"says why":       {"echo 'no data at /usr/share' >&2; echo more >&2; exit 3\n", Timeouts{}, "voice: espeak-ng: exit status 3: no data at …"},
		"says nothing":   {"exit 0\n", Timeouts{}, "no audio in it"},
		"says text":      {"echo hello world\nexec sleep 1000\n", Timeouts{}, "neither a WAV file"},
		"hangs":          {"exec sleep 1000\n", Timeouts{FirstByte: 200 * time.Millisecond}, "voice: espeak-ng: no audio within 200ms"},
		"stops":          {streamedHeader + "head -c 1600 /dev/zero\nexec sleep 1000\n", Timeouts{Idle: 200 * time.Millisecond}, "voice: espeak-ng: no more audio within 200ms"},
		"does not stop":  {streamedHeader + "exec cat /dev/zero\n", Timeouts{}, "too long"},
		"lasts too long": {streamedHeader + "while :; do head -c 16 /dev/zero; sleep 0.01; done\n", Timeouts{Total: 300 * time.Millisecond}, "not done within 300ms"},
	} {
		path, pid := script(t, c.body)
		e, err := NewESpeak(ESpeakConfig{Path: path, Timeouts: c.t})
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := say(t, e, Request{Text: "Hello."}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q in it", name, err, c.want)
		}
		if _, err := os.Stat(pid); err == nil && !gone(t, pid) {
			t.Errorf("%s: the program still runs, or nobody waited for it", name)
		}
	}
	if _, err := NewESpeak(ESpeakConfig{Path: "/nowhere"}); err == nil || !strings.Contains(err.Error(), "not installed") {
		t.Errorf("got %v, want that it is not installed", err)
	}
}

func TestOnlySoManyProgramsRun(t *testing.T) {
	path, _ := script(t, "exec sleep 1000\n")
	e, err := NewESpeak(ESpeakConfig{Path: path, Limit: 1, Timeouts: Timeouts{FirstByte: 300 * time.Millisecond}})
	if err != nil {
		t.Fatal(err)
	}
	first, err := e.Speak(context.Background(), Request{Text: "one"})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = first.Close() }()
	if _, err := e.Speak(context.Background(), Request{Text: "two"}); err == nil || !strings.Contains(err.Error(), "all 1 that may run") {
		t.Errorf("got %v, want that all are busy", err)
	}
}

func TestProgramHasNoKeys(t *testing.T) {
	t.Setenv("CARTESIA_API_KEY", "s3cret")
	path, _ := script(t, "echo secrets: $(env | grep -c s3cret) >&2; exit 1\n")
	e, err := NewESpeak(ESpeakConfig{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := say(t, e, Request{Text: "Hello."}); err == nil || !strings.Contains(err.Error(), "secrets: 0") {
		t.Errorf("got %v", err)
	}
}

// espeak-ng takes two square brackets for phonemes, whatever it skips between them, and some control characters for commands.
func TestEspeakIsGivenTextOnly(t *testing.T) {
	heard := filepath.Join(t.TempDir(), "heard")
	path, _ := script(t, "cat > "+heard+"\n"+streamedHeader+"head -c 1600 /dev/zero\n")
	e, err := NewESpeak(ESpeakConfig{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	real, err := NewESpeak(ESpeakConfig{})
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{
		"say [[h@l]] now":                  "say ((h@l)) now",
		"say [[[h@l]]] now":                "say (((h@l))) now",
		"say [[[[[h@l]]]]] now":            "say (((((h@l))))) now",
		"say [\u00ad[h@l]] now":            "say (\u00ad(h@l)) now",
		"say [\u200b[h@l]] now":            "say (\u200b(h@l)) now",
		"say [\n[h@l]] now":                "say (\n(h@l)) now",
		"say \x015S now \x1b[2J":           "say  5S now  (2J",
		"<speak>one</speak>":               "<speak>one</speak>",
		`<audio src="/etc/passwd"/> one`:   `<audio src="/etc/passwd"/> one`,
		"-w /tmp/x | --help; $(id) `id` &": "-w /tmp/x | --help; $(id) `id` &",
	} {
		stream, err := e.Speak(context.Background(), Request{Text: text})
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, stream)
		_ = stream.Close()
		if got, err := os.ReadFile(heard); err != nil || string(got) != want {
			t.Errorf("%q: the program is given %q, %v; want %q", text, got, err, want)
		}
		said, _, err := say(t, real, Request{Text: text})
		asWanted, _, err2 := say(t, real, Request{Text: strings.ReplaceAll(want, "\u00ad", "")})
		if err != nil || err2 != nil || !bytes.Equal(said, asWanted) {
			t.Errorf("%q: espeak-ng says something else than for %q (%v, %v)", text, want, err, err2)
		}
	}
}
