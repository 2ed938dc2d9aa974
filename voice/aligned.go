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
)

// aligned reads audio that comes as lines of JSON, with the times of its characters.
type aligned struct {
	lines *bufio.Scanner
	rate  float64 // bytes of audio a second
	size  int64   // bytes of audio so far
	rest  []byte  // of the last line's audio

	words []Word
	word  strings.Builder // that is not at its end yet
	from  float64         // where it begins, in seconds
	to    float64         // where the last character ended
	base  float64         // added to the times of a line
}

// maxLine is the most in one line: half a minute of PCM at 16 kHz in base64, with the times of its characters.
const maxLine = 2 << 20

func newAligned(r io.Reader, f Format) *aligned {
	a := &aligned{lines: bufio.NewScanner(r), rate: float64(int(f.Rate) * f.header().BlockSize())}
	a.lines.Buffer(make([]byte, 0, 64<<10), maxLine)
	return a
}

// line is one piece of speech.
type line struct {
	Audio     []byte     `json:"audio_base64"`
	Alignment *alignment `json:"alignment"`
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
		return io.EOF
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
	a.align(l.Alignment)
	a.rest = l.Audio
	a.size += int64(len(l.Audio))
	return nil
}

// align takes in the times of some more characters. They count from the beginning of the speech; where they go back, from
// that of the line.
func (a *aligned) align(t *alignment) {
	if t == nil || len(t.Starts) != len(t.Characters) || len(t.Ends) != len(t.Characters) {
		return
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
		a.word.WriteString(c)
		a.to = a.base + t.Ends[i]
	}
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
