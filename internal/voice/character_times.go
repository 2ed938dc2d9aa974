package voice

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// aligned reads audio from lines of JSON, with the times of the characters.
type aligned struct {
	lines *bufio.Scanner
	rate  float64 // bytes of audio a second
	size  int64   // bytes of audio so far
	rest  []byte  // of the last line's audio

	words []Word
	word  strings.Builder // the current word so far
	from  float64         // where it begins, in seconds
	to    float64         // where the last character ended
	base  float64         // added to the times of a line

	characters int // number of characters with a time

	letters int // of the text, letters and digits
	timed   int // letters and digits that had a time
}

// maxLine is the most in one line: half a minute of PCM at 16 kHz in base64, with the times of its characters.
const maxLine = 2 << 20

// maxCharacters is how many characters may have times: more than any text has.
const maxCharacters = 4 * maxText

// newAligned reads the speech of a text from r. The audio has format f.
func newAligned(r io.Reader, f Format, text string) *aligned {
	a := &aligned{lines: bufio.NewScanner(r), rate: float64(int(f.Rate) * f.header().BlockSize()), letters: lettersOf(text)}
	a.lines.Buffer(make([]byte, 0, 64<<10), maxLine)
	return a
}

// line is one piece of speech.
type line struct {
	Audio     []byte     `json:"audio_base64"`
	Alignment *alignment `json:"alignment"`
}

// isSpeech reports whether a line of JSON is speech, with or without audio. An error has neither of the fields.
func isSpeech(text []byte) bool {
	var fields map[string]json.RawMessage
	if json.Unmarshal(text, &fields) != nil || message(text) != "" {
		return false
	}
	_, audio := fields["audio_base64"]
	_, times := fields["alignment"]
	return audio || times || len(fields) == 0
}

// alignment is when each character is said, in seconds.
type alignment struct {
	Characters []string  `json:"characters"`
	Starts     []float64 `json:"character_start_times_seconds"`
	Ends       []float64 `json:"character_end_times_seconds"`
}

func (a *aligned) Read(p []byte) (int, error) {
	for len(a.rest) == 0 {
		if err := a.next(); err != nil {
			a.space() // the last word is at its end
			return 0, err
		}
	}
	n := copy(p, a.rest)
	a.rest = a.rest[n:]
	return n, nil
}

// next takes in one line.
func (a *aligned) next() error {
	if !a.lines.Scan() {
		switch err := a.lines.Err(); {
		case errors.Is(err, bufio.ErrTooLong):
			return fmt.Errorf("a line of its answer is longer than %d bytes", maxLine)
		case err != nil:
			return err
		}
		return a.whole()
	}
	text := bytes.TrimSpace(bytes.TrimPrefix(a.lines.Bytes(), []byte("data:")))
	if len(text) == 0 {
		return nil
	}
	var l line
	if err := json.Unmarshal(text, &l); err != nil {
		if broken := a.lines.Err(); broken != nil {
			return broken // in the middle of the line
		}
		return errors.New("a line of its answer is not the JSON of audio with timestamps")
	}
	if !isSpeech(text) {
		return &documentError{"a message came instead of audio", bytes.Clone(text)}
	}
	err := a.align(l.Alignment)
	a.rest = l.Audio
	a.size += int64(len(l.Audio))
	return err
}

// whole returns io.EOF, unless the times say that most of the text was said and the rest was not.
func (a *aligned) whole() error {
	if a.timed > 0 && a.timed < a.letters*3/4 {
		return fmt.Errorf("the audio is cut short: %d of the %d letters of the text were said", a.timed, a.letters)
	}
	return io.EOF
}

// lettersOf counts letters and digits.
func lettersOf(text string) int {
	n := 0
	for _, c := range text {
		if unicode.IsLetter(c) || unicode.IsDigit(c) {
			n++
		}
	}
	return n
}

// align takes in the times of some more characters. They count from the beginning of the speech; where they go back, from
// that of the line.
func (a *aligned) align(t *alignment) error {
	if t == nil || len(t.Starts) != len(t.Characters) || len(t.Ends) != len(t.Characters) {
		return nil
	}
	if a.characters += len(t.Characters); a.characters > maxCharacters {
		return fmt.Errorf("it gives the times of more than %d characters", maxCharacters)
	}
	for i, c := range t.Characters {
		const slack = 0.1 // s
		if i == 0 && a.base+t.Starts[0] < a.to-slack {
			a.base = float64(a.size) / a.rate
		}
		if strings.TrimFunc(c, unicode.IsSpace) == "" {
			a.space()
			continue
		}
		if a.word.Len() == 0 {
			a.from = a.base + t.Starts[i]
		}
		a.word.WriteString(c[:min(len(c), utf8.UTFMax*4)]) // one as a reader counts them
		a.timed += lettersOf(c)
		a.to = a.base + t.Ends[i]
	}
	return nil
}

// space is the end of a word.
func (a *aligned) space() {
	if a.word.Len() == 0 {
		return
	}
	a.words = append(a.words, Word{a.word.String(), seconds(a.from), seconds(a.to)})
	a.word.Reset()
}

// Words are those that are at their end.
func (a *aligned) Words() []Word { return a.words }

func seconds(s float64) time.Duration {
	if !(s > 0) { // or not a number
		return 0
	}
	return time.Duration(min(s, 24*3600) * float64(time.Second))
}
