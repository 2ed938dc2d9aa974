package codec_test

import (
	"errors"
	"fmt"
	"math"
	"math/cmplx"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"aldeabridge/codec"
)

// ways are the pairs of rates that change something.
var ways = []struct{ from, to codec.Rate }{{8000, 16000}, {16000, 8000}, {24000, 8000}, {48000, 8000}}

func TestPassBandIsFlatAndInTime(t *testing.T) {
	for _, w := range ways {
		r := resampler(t, w.from, w.to)
		for f := 50.0; f <= 3400; f += 167.5 {
			got := amplitude(steady(r, w.from, f, 16000), w.to, f)
			if db := decibel(cmplx.Abs(got) / 16000); math.Abs(db) > 0.1 {
				t.Errorf("%d to %d Hz: %.0f Hz comes out at %+.3f dB, want within 0.1 dB", w.from, w.to, f, db)
			}
			// The tone was written with phase 0 at the first input sample, and so comes out Delay later.
			late := -cmplx.Phase(got*cmplx.Rect(1, 2*math.Pi*f*r.Delay().Seconds())) / (2 * math.Pi * f)
			if d := time.Duration(late * 1e9); d.Abs() > 5*time.Microsecond {
				t.Errorf("%d to %d Hz: %.0f Hz is %v later than Delay says", w.from, w.to, f, d)
			}
		}
	}
}

func TestImagesAreInaudible(t *testing.T) {
	r := resampler(t, 8000, 16000)
	for f := 50.0; f <= 3400; f += 67 {
		y := steady(r, 8000, f, 30000)
		tone, image := cmplx.Abs(amplitude(y, 16000, f)), cmplx.Abs(amplitude(y, 16000, 8000-f))
		if db := decibel(image / tone); db > -80 {
			t.Errorf("%.0f Hz has an image at %.0f Hz at %.1f dB, want -80 or less", f, 8000-f, db)
		}
	}
}

func TestAliasesAreInaudible(t *testing.T) {
	for _, w := range ways[1:] {
		r := resampler(t, w.from, w.to)
		for f := 4600.0; f < float64(w.from)/2; f += 173 {
			alias := math.Abs(f - 8000*math.Round(f/8000))
			if alias < 50 || alias > 3400 {
				continue // outside the telephone band, or closer to 0 Hz than the window can tell apart
			}
			if db := decibel(cmplx.Abs(amplitude(steady(r, w.from, f, 30000), w.to, alias)) / 30000); db > -80 {
				t.Errorf("%d to %d Hz: %.0f Hz is heard at %.0f Hz at %.1f dB, want -80 or less", w.from, w.to, f, alias, db)
			}
		}
	}
}

// A whole sweep at once: what is not the sweep must be rounding.
func TestSweepComesBack(t *testing.T) {
	var x []int16
	for i, phase := 0, 0.0; i < 16000; i++ {
		phase += 2 * math.Pi * (100 + 3200*float64(i)/16000) / 8000
		x = append(x, int16(math.Round(20000*math.Sin(phase))))
	}
	up, down := resampler(t, 8000, 16000), resampler(t, 16000, 8000)
	y := down.Resample(nil, up.Flush(up.Resample(nil, x)))
	shift := int((up.Delay() + down.Delay()) * 8000 / time.Second) // a whole number: both are half a sample off
	var signal, noise float64
	for i := 200; i < len(x)-200; i++ {
		signal += float64(x[i]) * float64(x[i])
		noise += math.Pow(float64(y[i+shift])-float64(x[i]), 2)
	}
	if db := 10 * math.Log10(noise/signal); db > -75 {
		t.Errorf("up and down again leaves %.1f dB of noise, want -75 or less", db)
	}
}

func TestOutputIsTheSameHoweverInputIsCut(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 4))
	x := make([]int16, 10007)
	for i := range x {
		x[i] = int16(rnd.Uint32())
	}
	for _, w := range append(ways, struct{ from, to codec.Rate }{8000, 8000}) {
		r := resampler(t, w.from, w.to)
		want := r.Flush(r.Resample(nil, x))
		for range 20 {
			var got []int16
			for rest := x; len(rest) > 0; {
				n := min(len(rest), rnd.IntN([]int{3, 50, 500, 5000}[rnd.IntN(4)]))
				got = r.Resample(got, rest[:n])
				rest = rest[n:]
			}
			if got = r.Flush(got); !slices.Equal(got, want) {
				t.Fatalf("%d to %d Hz: cut input gives other output", w.from, w.to)
			}
		}
		r.Resample(nil, x[:77])
		r.Reset()
		if got := r.Flush(r.Resample(nil, x)); !slices.Equal(got, want) {
			t.Errorf("%d to %d Hz: Reset leaves something behind", w.from, w.to)
		}
	}
}

// Full scale in the order that the filter's taps add up worst: it must be cut off, never wrap round.
func TestOverloadIsClipped(t *testing.T) {
	for _, w := range ways {
		r := resampler(t, w.from, w.to)
		y := r.Resample(nil, steadySquare(w.from, 700))
		for i := 1; i < len(y); i++ {
			if y[i-1] > 25000 && y[i] < -25000 && y[max(i-2, 0)] > 25000 && i+1 < len(y) && y[i+1] > 25000 {
				t.Fatalf("%d to %d Hz: sample %d wraps round: %v", w.from, w.to, i, y[i-2:i+2])
			}
		}
		if hi := slices.Max(y); hi != math.MaxInt16 {
			t.Errorf("%d to %d Hz: the peak is %d, want %d", w.from, w.to, hi, math.MaxInt16)
		}
	}
}

func TestDelayIsShort(t *testing.T) {
	for _, w := range ways {
		if d := resampler(t, w.from, w.to).Delay(); d <= 0 || d > 3*time.Millisecond {
			t.Errorf("%d to %d Hz: delay is %v, want at most 3 ms", w.from, w.to, d)
		}
	}
	if d := resampler(t, 8000, 8000).Delay(); d != 0 {
		t.Errorf("pass-through: delay is %v, want none", d)
	}
}

func TestImpossibleRatesAreNamed(t *testing.T) {
	for _, w := range []struct{ from, to codec.Rate }{{8000, 44100}, {0, 0}, {-1, -1}, {16000, 24000}} {
		_, err := codec.NewResampler(w.from, w.to)
		if !errors.Is(err, codec.ErrRate) || !strings.Contains(err.Error(), "8000 to 16000") {
			t.Errorf("NewResampler(%d, %d): got error %v, want ErrRate that says what is possible", w.from, w.to, err)
		}
	}
	if _, err := codec.NewExpander(44100); !errors.Is(err, codec.ErrRate) {
		t.Errorf("NewExpander(44100): got error %v, want ErrRate", err)
	}
}

func TestFramesAllocateNothing(t *testing.T) {
	in, bytes := make([]int16, 960), make([]byte, 160)
	out, raw := make([]int16, 0, 2*len(in)), make([]byte, 0, 640)
	check := func(name string, f func()) {
		t.Helper()
		if n := testing.AllocsPerRun(100, f); n != 0 {
			t.Errorf("%s: %v allocations a frame, want 0", name, n)
		}
	}
	for _, w := range ways {
		r := resampler(t, w.from, w.to)
		check(fmt.Sprint(w.from, " to ", w.to), func() { out = r.Resample(out[:0], in) })
	}
	for _, to := range []codec.Rate{8000, 16000} {
		e, err := codec.NewExpander(to)
		if err != nil {
			t.Fatal(err)
		}
		check(fmt.Sprint("expand to ", to), func() { raw = e.Append(raw[:0], bytes) })
	}
	check("G.711", func() {
		codec.DecodeMuLaw(in, bytes)
		codec.DecodeALaw(in, bytes)
		codec.EncodeMuLaw(bytes, in[:160])
		codec.EncodeALaw(bytes, in[:160])
	})
}

func resampler(t *testing.T, from, to codec.Rate) *codec.Resampler {
	t.Helper()
	r, err := codec.NewResampler(from, to)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// steady is what r makes of a fifth of a second of a sine.
func steady(r *codec.Resampler, from codec.Rate, f, amplitude float64) []int16 {
	x := make([]int16, from/5)
	for i := range x {
		x[i] = int16(math.Round(amplitude * math.Sin(2*math.Pi*f*float64(i)/float64(from))))
	}
	r.Reset()
	return r.Resample(nil, x)
}

// steadySquare is a tenth of a second of a full-scale square wave.
func steadySquare(rate codec.Rate, f float64) []int16 {
	x := make([]int16, rate/10)
	for i := range x {
		x[i] = math.MaxInt16
		if math.Mod(f*float64(i)/float64(rate), 1) >= 0.5 {
			x[i] = math.MinInt16
		}
	}
	return x
}

// amplitude is how much of the sine sin(2πft) is in x, by a Hann window over its middle.
func amplitude(x []int16, rate codec.Rate, f float64) complex128 {
	var sum complex128
	var weight float64
	first, last := len(x)/10, len(x)*9/10
	turn := cmplx.Rect(1, -2*math.Pi*f/float64(rate))
	at := cmplx.Rect(1, -2*math.Pi*f*float64(first)/float64(rate))
	for i := first; i < last; i++ {
		w := 0.5 - 0.5*math.Cos(2*math.Pi*float64(i-first)/float64(last-first))
		sum += complex(w*float64(x[i]), 0) * at
		weight += w
		at *= turn
	}
	return sum * complex(0, 2/weight)
}

func decibel(ratio float64) float64 { return 20 * math.Log10(ratio) }
