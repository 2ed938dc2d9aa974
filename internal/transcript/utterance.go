package transcript

import (
	"math"
	"strings"
	"time"
	"unicode/utf8"

	"aldeabridge/events"
)

// An utterance is the one being put together: the finals so far.
type utterance struct {
	text       string
	runes      int
	words      []events.Word
	start, end time.Duration
	// The mean confidence is weighted by words: a segment's length in time counts its silence, too.
	confidence      float64 // sum over the words whose confidence is known
	confidenceWords int
}

// empty tells whether there is nothing to emit.
func (u *utterance) empty() bool { return u.text == "" }

// add appends a segment with text.
func (u *utterance) add(s segment) {
	start, end := s.spoken()
	if u.empty() {
		u.start = start
	}
	u.text = join(u.text, s.text)
	u.runes = utf8.RuneCountInString(u.text)
	u.words = append(u.words, s.words...)
	u.end = max(u.end, end)
	if s.confidence > 0 {
		n := strings.Count(s.text, " ") + 1
		u.confidence += s.confidence * float64(n)
		u.confidenceWords += n
	}
}

// meanConfidence has four decimals, as many as recognizers give and more than mean anything. It is 0 where no
// part of the utterance had one.
func (u *utterance) meanConfidence() float64 {
	if u.confidenceWords == 0 {
		return 0
	}
	return math.Round(u.confidence/float64(u.confidenceWords)*1e4) / 1e4
}

// join puts one space between two texts, and none beside an empty one.
func join(a, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	return a + " " + b
}
