package transcript

import (
	"slices"
	"strings"
	"time"
	"unicode"
)

// recentLimit is how many committed finals are remembered to recognize repeats without word times. A result
// covers at most an utterance, and an utterance is rarely more than a few finals.
const recentLimit = 8

// committed is the part of the time line whose text is settled: all of it before end.
type committed struct {
	end       time.Duration
	recent    []segment // the last finals, oldest first; without words
	abandoned segment   // the last interim that was emitted because no final came; without words
}

// abandon extends the committed part by an interim that was emitted as it was.
func (c *committed) abandon(s segment) {
	c.add(s)
	c.abandoned = c.recent[len(c.recent)-1]
}

// late is what a result says beyond the abandoned interim, whose audio it covers. A final may change the words of its
// interim and time them differently, so one whose last word ends within wordSlack of the interim is dropped whole. Of a
// longer one, as many words are dropped as the interim had, unless word times say better which they are.
func (c *committed) late(s segment) (rest segment, dropped int) {
	known, words := strings.Fields(c.abandoned.text), strings.Fields(s.text)
	_, end := s.spoken()
	switch {
	case len(s.words) > 0 && end <= c.abandoned.end+wordSlack, len(words) <= len(known) && (len(s.words) == 0 || begins(known, words)):
		return segment{start: s.start, end: s.end, placed: s.placed}, len(words)
	case len(s.words) > 0 && !begins(words, known):
		return s, 0
	}
	if len(s.words) == len(words) {
		s.words = s.words[len(known):]
	} else {
		s.words = nil
	}
	s.start, s.text = c.end, strings.Join(words[len(known):], " ")
	s.end = max(s.end, s.start)
	return s.within(), len(known)
}

// begins reports whether words begin with those of prefix, whatever their case and punctuation.
func begins(words, prefix []string) bool {
	return len(words) >= len(prefix) && slices.EqualFunc(words[:len(prefix)], prefix, func(a, b string) bool { return bare(a) == bare(b) })
}

// covers reports whether s is about the audio of the abandoned interim.
func (c *committed) covers(s segment) bool {
	return c.abandoned.text != "" && (!s.placed || s.start < c.abandoned.end)
}

// add extends the committed part by what fresh left of a final. It never ends before it.
func (c *committed) add(s segment) {
	c.end = s.end
	if len(c.recent) == recentLimit {
		c.recent = append(c.recent[:0], c.recent[1:]...)
	}
	s.words = nil
	c.recent = append(c.recent, s)
}

// fresh is the part of s that is not committed yet. Its text is empty if there is none. dropped counts the
// words taken away from a segment that was only partly known.
func (c *committed) fresh(s segment) (rest segment, dropped int) {
	if s.text != "" && c.covers(s) {
		if s, dropped = c.late(s); dropped > 0 {
			return s, dropped
		}
	}
	switch {
	case s.text == "":
		return s, 0
	case !s.placed:
		s.start, s.end, s.words = c.end, c.end, nil
		return s, 0
	case s.end <= c.end:
		return segment{start: s.start, end: s.end, placed: true}, 0
	case s.start >= c.end:
		return s.within(), 0
	case len(s.words) > 0:
		s, dropped = s.after(c.end)
		return s.within(), dropped
	}
	n := c.repeated(s)
	if n > 0 {
		s.text = strings.Join(strings.Fields(s.text)[n:], " ")
	}
	s.start = c.end
	return s, n
}

// repeated counts the words at the beginning of s that repeat the committed finals which s covers. It is all
// of them where s says less than was known.
func (c *committed) repeated(s segment) int {
	var known []string
	for _, r := range c.recent {
		if r.start >= s.start && r.end <= s.end {
			known = append(known, strings.Fields(r.text)...)
		}
	}
	words := strings.Fields(s.text)
	n := min(len(known), len(words))
	if !begins(words, known[:n]) {
		return 0
	}
	return n
}

// isLast tells whether text is that of the last final.
func (c *committed) isLast(text string) bool {
	return len(c.recent) > 0 && c.recent[len(c.recent)-1].text == text
}

// bare is a word without case and punctuation: recognizers revise those.
func bare(word string) string {
	if b := strings.TrimFunc(word, unicode.IsPunct); b != "" {
		word = b
	}
	return strings.ToLower(word)
}
