package voice

import (
	"context"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"time"
)

// FliteConfig configures flite. The zero value is valid.
type FliteConfig struct {
	Path  string // of the program. It defaults to "flite" on the PATH.
	Voice string // one that "flite -lv" lists. It defaults to "slt".
	Limit int    // programs at a time; others wait. It defaults to two for each CPU.
	// Timeouts are those of one sentence. They include waiting for a free slot.
	Timeouts Timeouts
}

// flite is flite: English only, a little more pleasant than espeak-ng. What it makes is there when all is made, so it is
// given one sentence at a time.
type flite struct {
	*program
	voice  string
	voices []string
}

// NewFlite returns the engine of the program flite. It speaks English only. The error is about the configuration, or says
// that it is not installed.
func NewFlite(c FliteConfig) (Engine, error) {
	p, err := find("flite", c.Path, c.Timeouts, c.Limit)
	if err != nil {
		return nil, err
	}
	p.toFile = true // it opens its output again for each sentence
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, p.path, "-lv").Output()
	if err != nil {
		return nil, failed("flite", fmt.Errorf("list its voices: %w", err))
	}
	_, list, _ := strings.Cut(string(out), ":")
	f := &flite{p, c.Voice, strings.Fields(list)}
	if f.voice == "" {
		f.voice = "slt"
	}
	return f, f.check(f.voice)
}

// check makes sure of a voice: with an unknown one flite speaks in another, and a path or a URL it would open.
func (f *flite) check(voice string) error {
	if !slices.Contains(f.voices, voice) {
		return &Error{Engine: f.name, Reason: "it has no such voice; it has " + strings.Join(f.voices, ", ")}
	}
	return nil
}

func (f *flite) Identity() string { return "flite " + f.voice }

const fliteMost = 300 // runes of a piece

func (f *flite) Speak(ctx context.Context, r Request) (Stream, error) {
	if l := primary(r.Language); l != "" && l != "en" {
		return nil, &Error{Engine: f.name, Reason: "it speaks English only, not " + r.Language}
	}
	voice := Voices{Default: f.voice}.choose(r, "")
	if err := f.check(voice); err != nil {
		return nil, err
	}
	var parts []string
	for _, s := range sentences(r.Text) {
		parts = append(parts, pieces(s, fliteMost)...)
	}
	return speakPieces(ctx, f.name, parts, func(ctx context.Context, text string) (Stream, error) {
		return f.run(ctx, text, "-voice", voice, "-f", "/dev/stdin", "-o", "/dev/fd/3")
	})
}
