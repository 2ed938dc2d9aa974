package transcript

import (
	"strings"
	"time"

	"aldeabridge/events"
)

const (
	// latest is the latest time a result may claim. No call lasts a day: beyond, the recognizer's clock is
	// wrong, and to believe it would make everything that comes later look old.
	latest = 24 * time.Hour
	// wordSlack is how far a word's middle may lie outside its result's range. Recognizers time words and
	// results separately, and the two differ by some hundred milliseconds at most.
	wordSlack = 500 * time.Millisecond
)

// A segment is a result whose values can be relied on: spaces are single, times are in order and in bounds.
type segment struct {
	text       string
	words      []events.Word // with times, rising; nil where there are none to trust
	start, end time.Duration // the audio covered
	placed     bool          // start and end mean something
	confidence float64       // 0 is unknown
}

// newSegment makes a segment of a result. odd tells that times were unusable.
func newSegment(r Result) (s segment, odd bool) {
	s.text = clean(r.Text)
	if s.text == "" {
		s.text = wordsText(r.Words)
	}
	if r.Confidence > 0 && r.Confidence <= 1 {
		s.confidence = r.Confidence
	}
	s.start, s.end = max(r.Start, 0), r.End
	s.placed = s.start < s.end && s.end <= latest
	s.words = usableWords(r.Words, s)
	odd = r.Start < 0 || r.End < r.Start || r.End > latest || (s.words == nil && wordsText(r.Words) != "")
	if !s.placed && len(s.words) > 0 {
		s.start, s.end = s.words[0].Start.Duration(), lastEnd(s.words)
		s.placed = s.start < s.end
	}
	return s, odd
}

// usableWords returns the words that have a text, or nil if any of their times cannot be true.
func usableWords(words []Word, s segment) []events.Word {
	if len(words) == 0 {
		return nil
	}
	usable := make([]events.Word, 0, len(words))
	var previous time.Duration
	for _, w := range words {
		text := clean(w.Text)
		if text == "" {
			continue
		}
		if w.Start < 0 || w.End < w.Start || w.End > latest {
			return nil
		}
		if m := middle(w.Start, w.End); s.placed && (m < s.start-wordSlack || m > s.end+wordSlack) {
			return nil
		}
		previous = max(previous, w.Start)
		usable = append(usable, events.Word{Text: text, Start: events.Offset(previous), End: events.Offset(max(previous, w.End))})
	}
	if len(usable) == 0 {
		return nil
	}
	return usable
}

// after is the part of s that lies after floor, judged by the words' middles. It must be placed, end
// after floor, and have words if it begins before it. dropped counts the words that were taken away.
func (s segment) after(floor time.Duration) (rest segment, dropped int) {
	if s.start >= floor {
		return s, 0
	}
	var words []events.Word
	var fields []string
	all := strings.Fields(s.text)
	for i, w := range s.words {
		if middle(w.Start.Duration(), w.End.Duration()) < floor {
			dropped++
			continue
		}
		words = append(words, w)
		if len(all) == len(s.words) {
			fields = append(fields, all[i]) // the transcript's own spelling, with its punctuation
		} else {
			fields = append(fields, w.Text)
		}
	}
	s.start = floor
	if dropped > 0 {
		s.words, s.text = words, strings.Join(fields, " ")
	}
	return s, dropped
}

// within moves word times into the segment's range, so that no utterance reaches into its neighbors.
func (s segment) within() segment {
	from, to := events.Offset(s.start), events.Offset(s.end)
	for i, w := range s.words {
		s.words[i].Start = min(max(w.Start, from), to)
		s.words[i].End = min(max(w.End, from), to)
	}
	return s
}

// spoken is the stretch with speech in it: that of the words where there are any, else the whole range.
func (s segment) spoken() (start, end time.Duration) {
	if len(s.words) == 0 {
		return s.start, s.end
	}
	return s.words[0].Start.Duration(), lastEnd(s.words)
}

// lastEnd is the latest end of words. It is not always that of the last word.
func lastEnd(words []events.Word) time.Duration {
	var end events.Offset
	for _, w := range words {
		end = max(end, w.End)
	}
	return end.Duration()
}

// middle is halfway between two times. Written this way it cannot overflow.
func middle(start, end time.Duration) time.Duration { return start + (end-start)/2 }

// clean trims text and makes all white space single spaces.
func clean(text string) string { return strings.Join(strings.Fields(text), " ") }

// wordsText is the text of words, for results that have no other.
func wordsText(words []Word) string {
	var b strings.Builder
	for _, w := range words {
		b.WriteString(w.Text)
		b.WriteByte(' ')
	}
	return clean(b.String())
}
