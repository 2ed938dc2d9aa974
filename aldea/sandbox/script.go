package sandbox

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

// DefaultLine is what a server without a Source hears every five seconds.
const DefaultLine = "hello from the sandbox"

const (
	wordTime         = 300 * time.Millisecond // Say spreads words this far apart
	scriptConfidence = 0.99
)

// A Line is a piece of a script: words spoken from Start to End, spread evenly.
type Line struct {
	Start, End time.Duration // from the first sample of the stream
	Text       string
	// First, if set, is what interims show for the last word of the line until a later word is heard: a
	// recognizer that changes its mind. Finals show Text.
	First string
}

// Say is a line of 300 ms a word.
func Say(at time.Duration, text string) Line {
	return Line{Start: at, End: at + time.Duration(len(strings.Fields(text)))*wordTime, Text: text}
}

// Script is a Source that hears these lines on every stream, whatever the audio is. Lines are sorted; a
// line that overlaps the next ends where the next begins. It does not listen: its words are its voice, and the gaps between
// them its silence.
func Script(lines ...Line) Source { return &Scripts{Default: lines} }

// Scripts is a Source with several scripts, chosen for each stream by the query parameter x_script (a name of
// ByName, or a script in full as ParseScript reads it), else by the API key, else Default. It must not
// change while in use.
type Scripts struct {
	Default []Line
	ByName  map[string][]Line
	ByKey   map[string][]Line
	// Loop repeats the script with this period; zero plays it once. A script given in x_script plays once.
	Loop time.Duration
	// Energy lets the energy detector, not the words, say what is voice and what is silence.
	Energy bool
}

// Name is "script".
func (s *Scripts) Name() string { return "script" }

// Simulated is true: a script does not listen.
func (s *Scripts) Simulated() bool { return true }

// Check refuses an x_script that is neither a known name nor a script.
func (s *Scripts) Check(p Params) error {
	_, _, err := s.choose(p)
	return err
}

// Open starts the script chosen by p.
func (s *Scripts) Open(_ context.Context, p Params) (Recognizer, error) {
	lines, loop, err := s.choose(p)
	if err != nil {
		return nil, err
	}
	words := spread(lines)
	if n := len(words); loop > 0 && n > 0 { // a repeat begins after the end, and time passes between two of them
		loop = max(loop, words[n-1].End, 100*time.Millisecond)
	}
	return &scripted{rate: p.SampleRate, words: words, loop: loop, energy: s.Energy}, nil
}

func (s *Scripts) choose(p Params) ([]Line, time.Duration, error) {
	if p.Script != "" {
		if lines, ok := s.ByName[p.Script]; ok {
			return lines, s.Loop, nil
		}
		lines, err := ParseScript(p.Script)
		if err != nil {
			return nil, 0, fmt.Errorf("x_script is no known script, nor one itself: %w", err)
		}
		return lines, 0, nil
	}
	if lines, ok := s.ByKey[p.Key]; ok {
		return lines, s.Loop, nil
	}
	return s.Default, s.Loop, nil
}

// scriptWord is a word with what interims show for it while it is the last.
type scriptWord struct {
	Word
	first string
}

// spread turns lines into words that are in order and do not overlap.
func spread(lines []Line) []scriptWord {
	lines = slices.Clone(lines)
	slices.SortStableFunc(lines, func(a, b Line) int { return cmp.Compare(a.Start, b.Start) })
	var words []scriptWord
	for i, l := range lines {
		end := max(l.End, l.Start)
		if i+1 < len(lines) {
			end = min(end, lines[i+1].Start)
		}
		texts := strings.Fields(l.Text)
		for j, text := range texts {
			n, k := time.Duration(len(texts)), time.Duration(j)
			words = append(words, scriptWord{Word: Word{
				Text:       text,
				Start:      l.Start + (end-l.Start)*k/n,
				End:        l.Start + (end-l.Start)*(k+1)/n,
				Confidence: scriptConfidence,
			}})
		}
		if len(texts) > 0 {
			words[len(words)-1].first = l.First
		}
	}
	return words
}

// scripted is a script being played on one stream.
type scripted struct {
	rate   int
	words  []scriptWord
	loop   time.Duration
	energy bool

	samples int64
	next    int    // the word to be heard next, counted through all repeats
	heard   []Word // of the current segment
	first   string // interim form of the last word heard
	shown   []Word // what Words last returned
}

// word is the n-th word through all repeats.
func (s *scripted) word(n int) (scriptWord, bool) {
	if len(s.words) == 0 || (s.loop <= 0 && n >= len(s.words)) {
		return scriptWord{}, false
	}
	w := s.words[n%len(s.words)]
	shift := time.Duration(n/len(s.words)) * s.loop
	w.Start += shift
	w.End += shift
	return w, true
}

// Hear lets time pass; a word is heard when its end has passed.
func (s *scripted) Hear(frame []int16, voice bool) (bool, error) {
	from := span(s.samples, s.rate)
	s.samples += int64(len(frame))
	to := span(s.samples, s.rate)
	speaking := false
	for {
		w, ok := s.word(s.next)
		if !ok || w.Start >= to {
			break
		}
		speaking = speaking || w.End > from
		if w.End > to {
			break
		}
		s.heard = append(s.heard, w.Word)
		s.first = w.first
		s.next++
	}
	if s.energy {
		return voice, nil
	}
	return speaking, nil
}

// Words shows what was heard, the last word perhaps in its first form.
func (s *scripted) Words() []Word {
	s.shown = append(s.shown[:0], s.heard...)
	if n := len(s.shown); n > 0 && s.first != "" {
		s.shown[n-1].Text = s.first
	}
	return s.shown
}

// Final returns what was heard; a word that is not over yet belongs to the next segment.
func (s *scripted) Final(bool) ([]Word, error) {
	words := s.heard
	s.heard, s.first = nil, ""
	return words, nil
}

// Close does nothing.
func (s *scripted) Close() error { return nil }
