package codec_test

import (
	"errors"
	"math"
	"math/cmplx"
	"testing"

	"aldeabridge/codec"
)

func TestConversionKeepsTonesAndTime(t *testing.T) {
	for _, w := range []struct{ from, to codec.Rate }{{44100, 8000}, {11025, 8000}, {8000, 44100}, {22050, 16000}, {48000, 8000}, {8000, 11025}, {44101, 8000}} {
		for _, f := range []float64{100, 1000, 3400} {
			got := amplitude(converted(t, w.from, w.to, f), w.to, f)
			if db := decibel(cmplx.Abs(got) / 20000); math.Abs(db) > 0.1 {
				t.Errorf("%d to %d Hz: %.0f Hz comes out at %+.3f dB, want within 0.1 dB", w.from, w.to, f, db)
			}
			if late := cmplx.Phase(got) / (2 * math.Pi * f); math.Abs(late) > 5e-6 {
				t.Errorf("%d to %d Hz: %.0f Hz moves by %.1f µs, want none", w.from, w.to, f, late*1e6)
			}
		}
	}
}

func TestConversionKeepsOutAliasesAndImages(t *testing.T) {
	for f := 4100.0; f < 20000; f += 1701 {
		alias := math.Abs(f - 8000*math.Round(f/8000))
		if db := decibel(cmplx.Abs(amplitude(converted(t, 44100, 8000, f), 8000, alias)) / 20000); db > -80 {
			t.Errorf("44100 to 8000 Hz: %.0f Hz is heard at %.0f Hz at %.1f dB, want -80 or less", f, alias, db)
		}
	}
	for f := 100.0; f < 3500; f += 701 {
		if db := decibel(cmplx.Abs(amplitude(converted(t, 8000, 44100, f), 44100, 8000-f)) / 20000); db > -80 {
			t.Errorf("8000 to 44100 Hz: %.0f Hz has an image at %.0f Hz at %.1f dB, want -80 or less", f, 8000-f, db)
		}
	}
}

func TestConversionOfLittle(t *testing.T) {
	for _, c := range []struct {
		n        int
		from, to codec.Rate
		want     int
	}{{0, 44100, 8000, 0}, {1, 44100, 8000, 1}, {441, 44100, 8000, 80}, {442, 44100, 8000, 81}, {3, 8000, 8000, 3}, {1, 1000, 768000, 768}} {
		got, err := codec.ConvertRate(make([]int16, c.n), c.from, c.to)
		if err != nil || len(got) != c.want {
			t.Errorf("%d samples, %d to %d Hz: got %d, error %v; want %d", c.n, c.from, c.to, len(got), err, c.want)
		}
	}
	for _, r := range []codec.Rate{0, -8000, 999, 768001} {
		if _, err := codec.ConvertRate(nil, r, 8000); !errors.Is(err, codec.ErrRate) {
			t.Errorf("from %d Hz: got error %v, want ErrRate", r, err)
		}
	}
}

// converted is a fifth of a second of a sine at another rate.
func converted(t *testing.T, from, to codec.Rate, f float64) []int16 {
	t.Helper()
	x := make([]int16, from/5)
	for i := range x {
		x[i] = int16(math.Round(20000 * math.Sin(2*math.Pi*f*float64(i)/float64(from))))
	}
	y, err := codec.ConvertRate(x, from, to)
	if err != nil {
		t.Fatal(err)
	}
	return y
}
