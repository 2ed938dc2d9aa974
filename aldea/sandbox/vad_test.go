package sandbox

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

// noise is phone-band noise: white noise through two one-pole filters, at a level in decibels of full scale.
func noise(d time.Duration, rate int, level float64) []int16 {
	r := rand.New(rand.NewPCG(1, 2))
	samples := make([]float64, int(d.Seconds()*float64(rate)))
	var low, previous, sum float64
	for i := range samples {
		low += 0.6 * (r.NormFloat64() - low)
		samples[i] = low - previous
		previous = low*0.9 + previous*0.1
		sum += samples[i] * samples[i]
	}
	gain := math.Pow(10, level/20) * 32768 / math.Sqrt(sum/float64(len(samples)))
	out := make([]int16, len(samples))
	for i, v := range samples {
		out[i] = int16(max(-32768, min(v*gain, 32767)))
	}
	return out
}

// talk is a buzz that beats like syllables, at a peak level in decibels.
func talk(d time.Duration, rate int, level float64) []int16 {
	samples := make([]int16, int(d.Seconds()*float64(rate)))
	a := math.Pow(10, level/20) * 32767
	for i := range samples {
		t := float64(i) / float64(rate)
		beat := math.Pow(0.5-0.5*math.Cos(2*math.Pi*4*t), 2)
		samples[i] = int16(a * beat * (0.6*math.Sin(2*math.Pi*220*t) + 0.4*math.Sin(2*math.Pi*880*t)))
	}
	return samples
}

func mix(a, b []int16) []int16 {
	out := make([]int16, len(a))
	for i := range a {
		out[i] = a[i]
		if i < len(b) {
			out[i] += b[i]
		}
	}
	return out
}

func quietLine(d time.Duration, rate int) []int16 {
	return make([]int16, int(d.Seconds()*float64(rate)))
}

// voiced runs a detector over samples and returns which frames had voice.
func voiced(samples []int16, rate int) []bool {
	var v voiceDetector
	var frames []bool
	for size := rate / 100; len(samples) >= size; samples = samples[size:] {
		frames = append(frames, v.Frame(samples[:size]))
	}
	return frames
}

func share(frames []bool, from, to time.Duration) float64 {
	n := 0
	part := frames[from/(10*time.Millisecond) : to/(10*time.Millisecond)]
	for _, f := range part {
		if f {
			n++
		}
	}
	return float64(n) / float64(len(part))
}

func TestVoiceIsFoundAtAnyLevelOverAnyFloor(t *testing.T) {
	const rate = 8000
	for _, c := range []struct{ floor, voice float64 }{
		{-120, -6}, {-120, -20}, {-120, -38}, {-70, -12}, {-60, -20}, {-50, -20}, {-45, -18}, {-40, -10},
	} {
		quiet, spoken := 4*time.Second, 3*time.Second
		line := append(append(quietLine(quiet, rate), talk(spoken, rate, c.voice)...), quietLine(quiet, rate)...)
		frames := voiced(mix(line, noise(2*quiet+spoken, rate, c.floor)), rate)
		if got := share(frames, quiet+100*time.Millisecond, quiet+spoken-150*time.Millisecond); got < 0.8 {
			t.Errorf("floor %v dB, voice %v dB: got voice in %.2f of the speech, want at least 0.80", c.floor, c.voice, got)
		}
		if got := share(frames, quiet+spoken+150*time.Millisecond, 2*quiet+spoken); got > 0.02 {
			t.Errorf("floor %v dB, voice %v dB: got voice in %.2f of the silence after, want none", c.floor, c.voice, got)
		}
		if got := share(frames, 3*time.Second, quiet); got > 0.02 {
			t.Errorf("floor %v dB: got voice in %.2f of the silence before, want none", c.floor, got)
		}
	}
}

func TestSteadySoundIsNoVoiceForLong(t *testing.T) {
	const rate = 16000
	for _, level := range []float64{-60, -45, -30, -20, -10} {
		frames := voiced(append(quietLine(time.Second, rate), noise(20*time.Second, rate, level)...), rate)
		if got := share(frames, 5*time.Second, 21*time.Second); got > 0.01 {
			t.Errorf("noise at %v dB: got voice in %.2f of it, want none after four seconds", level, got)
		}
	}
	if got := share(voiced(noise(10*time.Second, rate, -40), rate), 1500*time.Millisecond, 10*time.Second); got > 0.01 {
		t.Errorf("a stream that begins with noise: got voice in %.2f of it, want none after a second and a half", got)
	}
	tone := make([]int16, 20*rate)
	for i := range tone {
		tone[i] = int16(12000 * math.Sin(2*math.Pi*425*float64(i)/rate))
	}
	if got := share(voiced(tone, rate), 4*time.Second, 20*time.Second); got > 0.01 {
		t.Errorf("dial tone: got voice in %.2f of it, want none after four seconds", got)
	}
}

func TestTheFirstWordOfAStreamIsVoice(t *testing.T) {
	if got := share(voiced(talk(time.Second, 8000, -20), 8000), 150*time.Millisecond, 900*time.Millisecond); got < 0.8 {
		t.Errorf("got voice in %.2f of a stream that begins with it, want at least 0.80", got)
	}
}

func TestClicksAreNoVoice(t *testing.T) {
	samples := quietLine(10*time.Second, 8000)
	for i := 4000; i < len(samples); i += 8000 {
		samples[i], samples[i+1] = 20000, -20000
	}
	if got := share(voiced(samples, 8000), 0, 10*time.Second); got > 0.05 {
		t.Errorf("got voice in %.2f of clicks, want none", got)
	}
}
