package sandbox

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// ErrNoSpeech means that offline recognition is not installed. Errors that wrap it name the missing part.
var ErrNoSpeech = errors.New("sandbox: no offline speech recognition")

// packages is what the program needs on Debian.
const packages = "the Debian packages libpocketsphinx3 and pocketsphinx-en-us"

// SpeechOptions say how speech is recognized. The zero value uses what is installed.
type SpeechOptions struct {
	// Program is the recognizer's program. It defaults to bridge-sphinx or sphinx beside the running
	// program, else bridge-sphinx on the PATH.
	Program string
	// Model is the folder with the English model; empty means the installed one.
	Model string
	// Simulate returns a Simulated source instead of an error where recognition is not installed.
	Simulate bool
}

// Speech is a Source of real recognition: PocketSphinx in a separate process for every stream, English only. Its
// accuracy is low, about every second word of telephone speech is wrong: it tests the connection, not the quality of a
// modern service. A process takes about 100 MB and a third of a processor during
// speech.
//
// The error is ErrNoSpeech where the program, the libraries or the model are missing.
func Speech(o SpeechOptions) (Source, error) {
	s, err := newSpeech(o)
	if err != nil && o.Simulate {
		return Simulated(err.Error()), nil
	}
	if err != nil {
		return nil, err
	}
	return s, nil
}

func newSpeech(o SpeechOptions) (*speech, error) {
	program, err := findProgram(o.Program)
	if err != nil {
		return nil, err
	}
	s := &speech{program: program}
	if o.Model != "" {
		s.args = []string{"-model", o.Model}
	}
	ctx, cancel := context.WithTimeout(context.Background(), checkTimeout)
	defer cancel()
	out, err := child(ctx, program, append([]string{"-check"}, s.args...)...).CombinedOutput()
	if err != nil {
		return nil, fmt.Errorf("%w: %s says: %s (%w); it needs %s", ErrNoSpeech, program, oneLine(out), err, packages)
	}
	return s, nil
}

// checkTimeout is how long the program may take to look for its libraries.
const checkTimeout = 20 * time.Second

// findProgram looks for the recognizer's program.
func findProgram(name string) (string, error) {
	if name != "" {
		path, err := exec.LookPath(name)
		if err != nil {
			return "", fmt.Errorf("%w: %w; the program is built from cmd/sphinx and needs %s", ErrNoSpeech, err, packages)
		}
		return path, nil
	}
	if self, err := os.Executable(); err == nil {
		for _, name := range []string{"bridge-sphinx", "sphinx"} {
			if path, err := exec.LookPath(filepath.Join(filepath.Dir(self), name)); err == nil {
				return path, nil
			}
		}
	}
	if path, err := exec.LookPath("bridge-sphinx"); err == nil {
		return path, nil
	}
	return "", fmt.Errorf("%w: the program bridge-sphinx is neither beside this one nor on the PATH (go build -o bridge-sphinx ./cmd/sphinx); it needs %s",
		ErrNoSpeech, packages)
}

// oneLine shortens a program's output to one line for an error.
func oneLine(b []byte) string {
	return clip(strings.Join(strings.Fields(string(b)), " "), 500)
}

// speech is a Source of real recognition.
type speech struct {
	program string
	args    []string
}

// Name is "speech (PocketSphinx, low accuracy)".
func (*speech) Name() string { return "speech (PocketSphinx, low accuracy)" }

// Simulated is false.
func (*speech) Simulated() bool { return false }

// Open starts a process for one stream. It does not wait until it is ready: the first utterance does.
func (s *speech) Open(ctx context.Context, p Params) (Recognizer, error) {
	c, err := startSphinx(ctx, s.program, s.args)
	if err != nil {
		return nil, err
	}
	return &hearing{child: c, rate: p.SampleRate, converter: newConverter(p.SampleRate)}, nil
}

const (
	preRoll      = 300 * time.Millisecond // audio before the detected start of voice
	quietEnd     = time.Second            // silence that ends the engine's utterance where no final does
	longestTaken = 20 * time.Second       // of one utterance of the engine: its memory and final delay grow with it
)

// hearing is the recognition of one stream: it gives the engine the stretches with voice, each as an utterance of
// its own, and brings the words' times back to the stream's.
type hearing struct {
	child     *sphinx
	rate      int
	converter converter

	samples int64   // of the stream, heard
	before  []int16 // the last preRoll of audio, at engineRate, before speech starts
	talking bool    // an utterance of the engine is under way
	quiet   time.Duration
	begin   time.Duration // where it began
	done    []Word        // of earlier utterances in this segment
	words   []Word        // done and the interim words of this one
}

// Hear passes the frame to the engine during speech.
func (h *hearing) Hear(frame []int16, voice bool) (bool, error) {
	converted := h.converter.Resample(nil, frame)
	h.samples += int64(len(frame))
	now := span(h.samples, h.rate)
	if !h.talking {
		h.before = append(h.before, converted...)
		if extra := len(h.before) - int(samplesIn(preRoll, engineRate)); extra > 0 {
			h.before = h.before[extra:]
		}
		if !voice {
			return false, nil
		}
		h.talking = true
		h.begin = max(0, now-span(int64(len(h.before)), engineRate))
		converted, h.before = h.before, nil
	}
	if voice {
		h.quiet = 0
	} else {
		h.quiet += span(int64(len(frame)), h.rate)
	}
	words, changed, err := h.child.Hear(converted)
	if err != nil {
		return voice, err
	}
	if changed {
		h.words = append(h.done[:len(h.done):len(h.done)], h.placed(words)...)
	}
	if h.quiet >= quietEnd || now-h.begin >= longestTaken {
		err = h.end()
	}
	return voice, err
}

// end ends the engine's utterance; its words are certain then.
func (h *hearing) end() error {
	if !h.talking {
		return nil
	}
	words, err := h.child.End()
	if err != nil {
		return err
	}
	h.talking, h.quiet = false, 0
	h.done = append(h.done, h.placed(words)...)
	h.words = h.done
	return nil
}

// placed moves words from the utterance's time to the stream's.
func (h *hearing) placed(words []Word) []Word {
	for i := range words {
		words[i].Start += h.begin
		words[i].End += h.begin
	}
	return words
}

// Words are those so far, the last ones uncertain.
func (h *hearing) Words() []Word { return h.words }

// Final ends the utterance.
func (h *hearing) Final(bool) ([]Word, error) {
	err := h.end()
	words := h.done
	h.done, h.words = nil, nil
	return words, err
}

// Close ends the process and waits for it.
func (h *hearing) Close() error { return h.child.Close() }
