package main

import (
	"math"
	"strings"
)

// word is one recognized word. start and end are milliseconds since the utterance's first sample.
type word struct {
	text        string
	start, end  int
	probability float64
}

// spoken turns an entry of the dictionary into a word: "read(2)" is a way to say "read". Silence, noises and
// the marks of a sentence's ends are no words.
func spoken(entry string) (string, bool) {
	if entry == "" || strings.ContainsAny(entry[:1], "<[+") {
		return "", false
	}
	if i := strings.IndexByte(entry, '('); i > 0 {
		entry = entry[:i]
	}
	return entry, true
}

// probability keeps what a library says about odds between 0 and 1.
func probability(p float64) float64 {
	if math.IsNaN(p) {
		return 0
	}
	return max(0, min(p, 1))
}
