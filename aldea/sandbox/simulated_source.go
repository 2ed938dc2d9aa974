package sandbox

import (
	"context"
	"strconv"
	"time"
)

// simulatedStep is how often a simulated recognizer says how long it has been hearing a voice.
const simulatedStep = 500 * time.Millisecond

// Simulated is a Source that detects when a person speaks but not the words, and says so in every result:
// "[simulated] speech 1.2 s". It stands in where no recognizer is installed; because says why, and is part of
// the source's name.
func Simulated(because string) Source { return simulated{because} }

type simulated struct{ because string }

// Name is "simulated" with the reason in brackets.
func (s simulated) Name() string {
	if s.because == "" {
		return "simulated"
	}
	return "simulated (" + s.because + ")"
}

// Simulated is true.
func (simulated) Simulated() bool { return true }

// Open never fails.
func (simulated) Open(_ context.Context, p Params) (Recognizer, error) {
	return &placeholder{rate: p.SampleRate}, nil
}

// placeholder measures the voice of each segment.
type placeholder struct {
	rate       int
	samples    int64
	begin, end time.Duration // of the voice in this segment
	voiced     bool
}

func (p *placeholder) Hear(frame []int16, voice bool) (bool, error) {
	if voice && !p.voiced {
		p.voiced, p.begin = true, span(p.samples, p.rate)
	}
	p.samples += int64(len(frame))
	if voice {
		p.end = span(p.samples, p.rate)
	}
	return voice, nil
}

// Words grow by a step at a time, so that there are interims, but not a hundred a second.
func (p *placeholder) Words() []Word {
	if !p.voiced {
		return nil
	}
	return p.text((p.end - p.begin).Truncate(simulatedStep))
}

func (p *placeholder) Final(bool) ([]Word, error) {
	if !p.voiced {
		return nil, nil
	}
	p.voiced = false
	return p.text((p.end - p.begin).Round(100 * time.Millisecond)), nil
}

func (p *placeholder) Close() error { return nil }

// text is the placeholder for so much voice, its words spread over it.
func (p *placeholder) text(d time.Duration) []Word {
	if d <= 0 {
		return nil
	}
	texts := []string{"[simulated]", "speech", strconv.FormatFloat(d.Seconds(), 'f', 1, 64), "s"}
	words := make([]Word, len(texts))
	for i, t := range texts {
		n, k := time.Duration(len(texts)), time.Duration(i)
		words[i] = Word{Text: t, Start: p.begin + d*k/n, End: p.begin + d*(k+1)/n}
	}
	return words
}
