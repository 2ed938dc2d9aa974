package playback

import (
	"flag"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"aldeabridge/codec"
)

var prompts = flag.String("prompts", "", "recordings of speech to measure barge-in with, 8 kHz WAV, as a pattern")

// voices returns some seconds of speech each: the recordings in -prompts, or else synthetic speech.
func voices(t *testing.T) (all [][]int16) {
	names, err := filepath.Glob(*prompts)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		f, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		w, err := codec.ReadWAV(f)
		_ = f.Close()
		if err != nil || w.Rate != 8000 {
			continue
		}
		if pcm := w.Mono(); len(pcm) >= 12000 {
			all = append(all, pcm)
		}
	}
	if *prompts == "" {
		for seed := range uint64(6) {
			all = append(all, babble(seed, 4*time.Second))
		}
	}
	if len(all) == 0 {
		t.Fatalf("%s: no recordings of 8000 Hz and at least 1.5 s", *prompts)
	}
	return all
}

// babble returns audio that resembles speech: syllables of a buzz in two resonances, some after a hiss, with short and long
// pauses.
func babble(seed uint64, length time.Duration) []int16 {
	rng := rand.New(rand.NewPCG(seed, 3))
	between := func(a, b float64) float64 { return a + (b-a)*rng.Float64() }
	voice := between(90, 220)
	var out []int16
	for int64(len(out)) < samples(length) {
		if rng.IntN(3) == 0 {
			for range int(8000 * between(0.04, 0.12)) {
				out = append(out, int16(600*rng.NormFloat64()))
			}
		}
		n := int(8000 * between(0.1, 0.25))
		pitch, loud := voice*between(0.9, 1.2), between(0.4, 1)
		low, high := newResonance(between(300, 800)), newResonance(between(900, 2400))
		phase := 0.0
		for i := range n {
			pulse := 0.0
			if phase += pitch / 8000; phase >= 1 {
				phase, pulse = phase-1, 1
			}
			swell := math.Sin(math.Pi * float64(i) / float64(n))
			out = append(out, int16(8000*loud*swell*(low.next(pulse)+high.next(pulse)/2)))
		}
		pause := between(0.02, 0.08)
		if rng.IntN(8) == 0 {
			pause = between(0.2, 0.5)
		}
		out = append(out, make([]int16, int(8000*pause))...)
	}
	return out[:samples(length)]
}

// A resonance is a resonant filter with a bandwidth of 100 Hz.
type resonance struct{ turn, decay, a, b float64 }

func newResonance(hz float64) resonance {
	decay := math.Exp(-math.Pi * 100 / 8000)
	return resonance{turn: 2 * decay * math.Cos(2*math.Pi*hz/8000), decay: decay * decay}
}

func (r *resonance) next(in float64) float64 {
	out := in + r.turn*r.a - r.decay*r.b
	r.a, r.b = out, r.a
	return out
}

// power returns the power of each message of pcm.
func power(pcm []int16) (all []float64) {
	for i := 0; i+message <= len(pcm); i += message {
		sum := 0.0
		for _, s := range pcm[i : i+message] {
			sum += float64(s) * float64(s)
		}
		all = append(all, sum/message)
	}
	return all
}

// level scales pcm so that its louder half has the given level in dB of full scale.
func level(pcm []int16, dB float64) []int16 {
	all := power(pcm)
	slices.Sort(all)
	all = all[len(all)/2:]
	mean := 0.0
	for _, p := range all {
		mean += p / float64(len(all))
	}
	gain := 32768 * math.Pow(10, dB/20) / math.Sqrt(mean)
	out := make([]int16, len(pcm))
	for i, s := range pcm {
		out[i] = int16(max(-32768, min(32767, gain*float64(s))))
	}
	return out
}

// onset returns the first sample of the first message that is loud enough for speech.
func onset(pcm []int16) int {
	i := slices.IndexFunc(power(pcm), func(p float64) bool { return p > minSpeechPower })
	return max(i, 0) * message
}
