package voice

import (
	"context"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode"
)

// ESpeakConfig configures espeak-ng. The zero value is valid.
type ESpeakConfig struct {
	Path   string // of the program. It defaults to "espeak-ng" on the PATH.
	Voices Voices // as "en-us", "en-gb+f3", "de". Default defaults to "en-us".
	Speed  int    // words a minute, 80 to 450. It defaults to 165.
	Limit  int    // programs at a time; others wait. It defaults to two for each CPU.
	// Timeouts are those of the program. They include waiting for a free slot.
	Timeouts Timeouts
}

// espeak is espeak-ng: over a hundred languages, audible as a machine, ready at once.
type espeak struct {
	*program
	voices Voices
	speed  int
}

// NewESpeak returns the engine of the program espeak-ng. It speaks over a hundred languages: a request's language is a voice.
// The error is about the configuration, or says that it is not installed.
func NewESpeak(c ESpeakConfig) (Engine, error) {
	if c.Speed == 0 {
		c.Speed = 165
	}
	if c.Speed < 80 || c.Speed > 450 {
		return nil, &Error{Engine: "espeak-ng", Reason: fmt.Sprintf("a speed of %d; possible are 80 to 450 words a minute", c.Speed)}
	}
	p, err := find("espeak-ng", c.Path, c.Timeouts, c.Limit)
	if err != nil {
		return nil, err
	}
	return &espeak{p, c.Voices, c.Speed}, nil
}

func (e *espeak) Identity() string {
	return fmt.Sprintf("espeak-ng %d %s %v", e.speed, e.voices.Default, e.voices.ByLanguage)
}

// espeakVoice has no slash: the program would take a path to a file.
var espeakVoice = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_-]*(\+[A-Za-z0-9_-]+)?$`)

func (e *espeak) Speak(ctx context.Context, r Request) (Stream, error) {
	voice := e.voices.choose(r, "")
	if r.Voice == "" && r.Language != "" && !e.voices.has(r.Language) {
		voice = espeakLanguage(r.Language)
	}
	if voice == "" {
		voice = "en-us"
	}
	if !espeakVoice.MatchString(voice) {
		return nil, &Error{Engine: e.name, Reason: `it has no such voice; "espeak-ng --voices" lists them`}
	}
	return e.run(ctx, espeakText(r.Text), "--stdin", "--stdout", "-b", "1", "-s", strconv.Itoa(e.speed), "-v", voice)
}

// has reports whether a voice is configured for a language.
func (v Voices) has(language string) bool {
	const none = "\x00"
	return Voices{Default: none, ByLanguage: v.ByLanguage}.choose(Request{Language: language}, none) != none
}

// espeakLanguage returns espeak-ng's name of a language.
func espeakLanguage(language string) string {
	switch primary(language) {
	case "zh":
		return "cmn"
	case "no":
		return "nb"
	}
	return strings.ToLower(language)
}

// espeakText is a text without what espeak-ng takes for commands: two square brackets begin phonemes, also with a soft hyphen
// between them, and some control characters change its voice and speed. It makes the same pause for round brackets. Markup it
// reads aloud, for it is not asked to understand it (option -m).
func espeakText(text string) string {
	return strings.Map(func(c rune) rune {
		switch {
		case c == '[':
			return '('
		case c == ']':
			return ')'
		case c != '\n' && unicode.IsControl(c):
			return ' '
		}
		return c
	}, text)
}
