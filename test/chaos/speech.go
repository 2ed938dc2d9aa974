package calltest

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"aldeabridge/aldea/sandbox/marker"
	"aldeabridge/codec"
)

// A Line is some words said in one breath, with a pause behind them.
type Line struct {
	Text  string
	Pause time.Duration
}

// Say makes the leg say lines, from its beginning.
func (l *Leg) Say(lines ...Line) {
	var voice marker.Encoder
	samples := voice.AppendSilence(nil, 100*time.Millisecond)
	for _, line := range lines {
		samples = voice.Append(samples, line.Text)
		samples = voice.AppendSilence(samples, line.Pause)
	}
	l.Audio = make([]byte, len(samples))
	codec.EncodeMuLaw(l.Audio, samples)
	l.Words = l.Words[:0]
	for _, s := range marker.Decode(samples, marker.SampleRate) {
		l.Words = append(l.Words, Word{Text: s.Word, Start: at(s.Start), End: at(s.End)})
	}
}

// at is the time of a sample.
func at(sample int64) time.Duration { return time.Duration(sample) * time.Second / marker.SampleRate }

// Talk makes the leg speak for about as long as length, sentences and pauses of random lengths. Every word is
// different, and tag, which is in each, tells whose it is.
func (l *Leg) Talk(r *rand.Rand, tag string, length time.Duration) {
	const word = 300 * time.Millisecond // about
	var lines []Line
	for n, left := 0, length; left > word; {
		words := 1 + r.IntN(6)
		if r.IntN(12) == 0 {
			words = 20 + r.IntN(20) // speech without a pause
		}
		words = min(words, int(left/word))
		line := Line{Text: sentence(tag, n, words), Pause: between(r, 300*time.Millisecond, 2500*time.Millisecond)}
		if r.IntN(10) == 0 {
			line.Pause += between(r, time.Second, 5*time.Second)
		}
		lines = append(lines, line)
		n += words
		left -= time.Duration(words)*word + line.Pause
	}
	if n := len(lines); n > 0 && r.IntN(2) == 0 {
		lines[n-1].Pause = 0 // hangs up in mid-sentence
	}
	l.Say(lines...)
}

// sentence returns words that count from n.
func sentence(tag string, n, words int) string {
	var b strings.Builder
	for i := range words {
		fmt.Fprintf(&b, "%s%02d ", tag, n+i)
	}
	return strings.TrimSpace(b.String())
}

// between is a random time, in milliseconds.
func between(r *rand.Rand, from, to time.Duration) time.Duration {
	return from + time.Duration(r.Int64N((to-from).Milliseconds()+1))*time.Millisecond
}
