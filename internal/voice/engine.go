package voice

import (
	"context"
	"errors"
	"io"
	"strings"
	"time"
	"unicode"
)

// A Request is a text to speak, with its voice and language.
type Request struct {
	Text     string
	Voice    string // the engine's name for it; empty means the one configured for the language
	Language string // BCP 47, as "en" or "pt-BR"; empty means that of the voice
}

// A Word is a piece of a text with its times, from the beginning of the audio.
type Word struct {
	Text       string        `json:"text"`
	Start, End time.Duration // in JSON in nanoseconds
}

// An Engine makes speech. It must be safe for concurrent use.
type Engine interface {
	// Speak starts to make the speech of a text. When ctx ends, the Stream ends with an error.
	Speak(ctx context.Context, r Request) (Stream, error)
	// Identity returns the engine and those settings that affect the audio: the same identity and Request give the same
	// speech. It has no key.
	Identity() string
}

// A Stream is speech while it is made: µ-law, 8000 Hz, mono. One goroutine at a time uses it, and closes it. NewReader
// converts the audio of most engines.
type Stream interface {
	io.ReadCloser
	// Words returns the words made so far, with their times, or nil if the engine provides none.
	Words() []Word
}

// Voices has the voices for Requests without one.
type Voices struct {
	// Default is the voice for languages that are not in ByLanguage.
	Default string
	// ByLanguage has voices by BCP 47 language. "pt-BR" is looked up as "pt-BR", then as "pt". It must not be changed.
	ByLanguage map[string]string
}

// choose returns the voice for a request, or other if none is configured.
func (v Voices) choose(r Request, other string) string {
	if r.Voice != "" {
		return r.Voice
	}
	for _, l := range []string{r.Language, primary(r.Language)} {
		for name, voice := range v.ByLanguage {
			if l != "" && strings.EqualFold(name, l) {
				return voice
			}
		}
	}
	if v.Default != "" {
		return v.Default
	}
	return other
}

// primary returns the first part of a language: "pt" of "pt-BR".
func primary(language string) string {
	p, _, _ := strings.Cut(language, "-")
	return strings.ToLower(p)
}

const (
	maxText  = 20000 // bytes of a text
	maxVoice = 200   // bytes of a voice's name
)

// clean checks a request and removes unpronounceable characters from its text.
func (r Request) clean() (Request, error) {
	if len(r.Text) > maxText {
		return r, errors.New("voice: the text is too long")
	}
	r.Text = strings.TrimSpace(strings.Map(func(c rune) rune {
		switch {
		case c == '\n':
			return c
		case unicode.IsSpace(c):
			return ' '
		case unicode.IsControl(c), c == unicode.ReplacementChar:
			return -1
		}
		return c
	}, r.Text))
	if !strings.ContainsFunc(r.Text, unicode.IsPrint) {
		return r, errors.New("voice: there is nothing to say in the text")
	}
	if len(r.Voice) > maxVoice || strings.ContainsFunc(r.Voice, unicode.IsControl) {
		return r, errors.New("voice: no engine has a voice with such a name")
	}
	if len(r.Language) > maxVoice || strings.ContainsFunc(r.Language, notInLanguage) {
		return r, errors.New(`voice: the language is not one of BCP 47, as "en" or "pt-BR"`)
	}
	return r, nil
}

func notInLanguage(c rune) bool {
	return c > unicode.MaxASCII || !unicode.IsLetter(c) && !unicode.IsDigit(c) && c != '-'
}
