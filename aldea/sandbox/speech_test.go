package sandbox_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"aldeabridge/aldea/sandbox"
	"aldeabridge/codec"
)

// The recordings are Asterisk's prompts as Debian installs them (asterisk-core-sounds-en-wav; spoken by Allison
// Smith, CC BY-SA 3.0): 8000 Hz, one speaker, studio quality.
const prompts = "/usr/share/asterisk/sounds/en_US_f_Allison/"

// said is what is spoken in some of them, digits as words.
var said = []struct{ name, words string }{
	{"tt-allbusy", "all representatives of the household are currently assisting other telemarketers please hold and your call will be answered in the order it was received"},
	{"privacy-unident", "the party you are trying to reach does not accept unidentified calls"},
	{"queue-periodic-announce", "all of our representatives are currently busy please stay on the line and your call will be answered by the next available representative"},
	{"queue-youarenext", "your call is now first in line and will be answered by the next available representative"},
	{"ss-noservice", "the number you have dialed is not in service please check the number and try again"},
	{"vm-mismatch", "the passwords you entered and re entered did not match please try again"},
	{"vm-newuser", "welcome to comedian mail first i will guide you through a short setup process"},
	{"vm-nobox", "you cannot reply to this message because the sender does not have a mailbox"},
	{"vm-rec-name", "after the tone say your name and then press the pound key"},
	{"pbx-invalidpark", "i am sorry there is no call parked on that extension please try again"},
}

func speechSource(t *testing.T) sandbox.Source {
	t.Helper()
	program, err := buildSphinx()
	if err != nil {
		t.Fatal(err)
	}
	source, err := sandbox.Speech(sandbox.SpeechOptions{Program: program})
	if err != nil {
		t.Fatal(err)
	}
	return source
}

// prompt reads a recording and sends it through a telephone: 8000 Hz, µ-law and back.
func prompt(t *testing.T, name string) []int16 {
	t.Helper()
	f, err := os.Open(prompts + name + ".wav")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	wav, err := codec.ReadWAV(f)
	if err != nil {
		t.Fatal(err)
	}
	mulaw := make([]byte, len(wav.Samples))
	codec.EncodeMuLaw(mulaw, wav.Samples)
	codec.DecodeMuLaw(wav.Samples, mulaw)
	return wav.Samples
}

func TestSpeechHearsRecordedPrompts(t *testing.T) {
	srv := sandbox.New(sandbox.Options{Source: speechSource(t), IdleTimeout: -1})
	defer func() { _ = srv.Close() }()
	c := dial(t, srv, "vad_events=true&utterance_end_ms=1000&endpointing=500")
	read := make(chan []message, 1)
	go func() {
		all, err := c.rest()
		if err != nil {
			t.Log("the stream ended:", err)
		}
		read <- all
	}()
	said, want := said, []string(nil)
	if testing.Short() {
		said = said[4:7] // of the best understood
	}
	for _, p := range said {
		c.audio(prompt(t, p.name))
		c.silence(1200 * time.Millisecond)
		want = append(want, strings.Fields(p.words)...)
	}
	c.control("CloseStream")
	all := <-read

	wantOrderlyTimes(t, all)
	results := finals(all)
	if len(results) < len(said) {
		t.Errorf("got %d finals, want at least one for each of %d prompts", len(results), len(said))
	}
	for _, m := range results {
		t.Logf("%.2f–%.2f %q", m.start(), m.end(), m.text())
		if m.text() == "" && !m.flag("speech_final") {
			t.Errorf("got an empty final at %v that does not end an utterance", m.start())
		}
	}
	got := strings.Fields(strings.ReplaceAll(texts(results), "/", " "))
	rate := wordErrorRate(want, got)
	t.Logf("word error rate %.2f over %d words", rate, len(want))
	if rate > 0.7 {
		t.Errorf("got a word error rate of %.2f, want at most 0.70", rate)
	}
	if len(of(all, "SpeechStarted")) < len(said) {
		t.Errorf("got %d SpeechStarted, want at least %d", len(of(all, "SpeechStarted")), len(said))
	}
}

// wordErrorRate is the edit distance between word lists as a part of the wanted one's length.
func wordErrorRate(want, got []string) float64 {
	row := make([]int, len(got)+1)
	for j := range row {
		row[j] = j
	}
	for i, w := range want {
		diagonal := row[0]
		row[0] = i + 1
		for j, g := range got {
			cost := diagonal
			if w != g {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return float64(row[len(got)]) / float64(len(want))
}
