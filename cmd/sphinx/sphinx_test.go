package main

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// parrot is a decoder that hears one word every 100 ms.
type parrot struct {
	samples int
	ended   int
	fail    bool
}

func (p *parrot) Write(samples []int16) error {
	if p.fail {
		return errors.New("no more")
	}
	p.samples += len(samples)
	return nil
}

func (p *parrot) End() error { p.ended = p.samples; p.samples = 0; return nil }

func (p *parrot) Words() []word {
	n := max(p.samples, p.ended) / 1600
	words := make([]word, n)
	for i := range words {
		words[i] = word{text: fmt.Sprint("w", i), start: i * 100, end: i*100 + 90, probability: 0.5}
	}
	return words
}

func frame(kind byte, n int) []byte {
	b := binary.LittleEndian.AppendUint32([]byte{kind}, uint32(n))
	return append(b, make([]byte, n)...)
}

func TestInterimsComeEvery250MillisecondsAndFinalsOnRequest(t *testing.T) {
	for _, chunk := range []int{1600, 8000, 3, 100000} {
		var in bytes.Buffer
		for left := 2 * 10000; left > 0; left -= chunk { // 10000 samples, 625 ms
			in.Write(frame(frameAudio, min(chunk, left)))
		}
		in.Write(frame(frameEnd, 0))
		in.Write(frame(frameQuit, 0))
		in.Write(frame(frameAudio, 8000)) // behind quit: not heard
		var out bytes.Buffer
		if err := converse(&in, &out, &parrot{}); err != nil {
			t.Fatal(err)
		}
		want := `{"type":"interim","words":[["w0",0,90,0.5000],["w1",100,190,0.5000]]}` + "\n" +
			`{"type":"interim","words":[["w0",0,90,0.5000],["w1",100,190,0.5000],["w2",200,290,0.5000],["w3",300,390,0.5000],["w4",400,490,0.5000]]}` + "\n" +
			`{"type":"final","words":[["w0",0,90,0.5000],["w1",100,190,0.5000],["w2",200,290,0.5000],["w3",300,390,0.5000],["w4",400,490,0.5000],["w5",500,590,0.5000]]}` + "\n"
		if chunk == 3 {
			continue // an odd frame loses a byte: nothing is promised but that it is survived
		}
		if got := out.String(); got != want {
			t.Errorf("frames of %d bytes: got\n%swant\n%s", chunk, got, want)
		}
	}
}

func TestBrokenInputIsAnError(t *testing.T) {
	for name, in := range map[string][]byte{
		"unknown frame": frame('X', 0),
		"huge frame":    binary.LittleEndian.AppendUint32([]byte{'A'}, 1<<31),
		"half a frame":  frame(frameAudio, 100)[:50],
		"half a header": {'A', 1},
	} {
		if err := converse(bytes.NewReader(in), &bytes.Buffer{}, &parrot{}); err == nil {
			t.Errorf("%s: got no error", name)
		}
	}
	if err := converse(bytes.NewReader(frame(frameAudio, 100)), &bytes.Buffer{}, &parrot{fail: true}); err == nil {
		t.Error("a failing decoder: got no error")
	}
}

func FuzzFrames(f *testing.F) {
	f.Add(frame(frameAudio, 10))
	f.Add(append(frame(frameEnd, 0), frame(frameQuit, 0)...))
	f.Fuzz(func(t *testing.T, b []byte) {
		var out bytes.Buffer
		_ = converse(bytes.NewReader(b), &out, &parrot{})
		for line := range strings.Lines(out.String()) {
			if !strings.HasPrefix(line, `{"type":`) || !strings.HasSuffix(line, "]}\n") {
				t.Errorf("got line %q", line)
			}
		}
	})
}

func TestEntriesOfTheDictionaryBecomeWords(t *testing.T) {
	for entry, want := range map[string]string{"hello": "hello", "read(2)": "read", "<sil>": "", "</s>": "", "[NOISE]": "", "++BREATH++": "", "": "", "i'm": "i'm"} {
		if got, ok := spoken(entry); got != want || ok != (want != "") {
			t.Errorf("%q: got %q, want %q", entry, got, want)
		}
	}
}

func TestTheModelFolderHoldsTheTelephoneMean(t *testing.T) {
	installed := t.TempDir()
	for name, content := range map[string]string{"means": "m", "feat.params": "-lowerf 130\n-cmninit 41.00,-5.29\n-model ptm\n"} {
		if err := os.WriteFile(filepath.Join(installed, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	folder, err := telephoneModel(installed)
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(folder)
	params, err := os.ReadFile(filepath.Join(folder, "feat.params"))
	if want := "-lowerf 130\n-cmninit " + telephoneMean + "\n-model ptm\n"; err != nil || string(params) != want {
		t.Errorf("got %q (%v), want %q", params, err, want)
	}
	if means, err := os.ReadFile(filepath.Join(folder, "means")); err != nil || string(means) != "m" {
		t.Errorf("got means %q (%v), want those installed", means, err)
	}
}

func TestAMissingModelNamesThePackages(t *testing.T) {
	var out, failures bytes.Buffer
	if status := run([]string{"-model", t.TempDir()}, strings.NewReader(""), &out, &failures); status != exitMissing {
		t.Errorf("got status %d, want %d", status, exitMissing)
	}
	for _, text := range []string{out.String(), failures.String()} {
		if !strings.Contains(text, "libpocketsphinx3") || !strings.Contains(text, "pocketsphinx-en-us") {
			t.Errorf("got %q, want the packages", text)
		}
	}
	if status := run([]string{"--check", "--model", t.TempDir()}, nil, &out, &failures); status != exitFailed {
		t.Errorf("check: got status %d, want %d", status, exitFailed)
	}
}

// Half a second of audio and the end of the utterance, as the protocol has them.
func Example_protocol() {
	var in bytes.Buffer
	in.Write(frame(frameAudio, 16000))
	in.Write(frame(frameEnd, 0))
	if err := converse(&in, os.Stdout, &parrot{}); err != nil {
		fmt.Println(err)
	}
	// Output:
	// {"type":"interim","words":[["w0",0,90,0.5000],["w1",100,190,0.5000]]}
	// {"type":"interim","words":[["w0",0,90,0.5000],["w1",100,190,0.5000],["w2",200,290,0.5000],["w3",300,390,0.5000],["w4",400,490,0.5000]]}
	// {"type":"final","words":[["w0",0,90,0.5000],["w1",100,190,0.5000],["w2",200,290,0.5000],["w3",300,390,0.5000],["w4",400,490,0.5000]]}
}
