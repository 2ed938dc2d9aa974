package codec

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// The filter's taps from the outermost to the innermost, as decimation uses them.
func taps() []int64 {
	t := slices.Clone(halfBandDecimator().side)
	slices.Reverse(t)
	return t
}

func TestTwoSamplesFitOneElement(t *testing.T) {
	var all, outer int64
	for i, c := range taps() {
		all += 2 * max(c, -c)
		if i < 15 {
			outer += 2 * max(c, -c)
		}
	}
	if all*(1<<13) >= 1<<31 {
		t.Errorf("the taps add up to %d: 14-bit samples overflow 32 bits", all)
	}
	if outer*(1<<15) >= 1<<31 {
		t.Errorf("the outer taps add up to %d: 16-bit samples overflow 32 bits", outer)
	}
}

// The plain sum, one sample and one tap at a time, on what is hardest for sums that share an element.
func TestDoublerIsThePlainSum(t *testing.T) {
	rnd := rand.New(rand.NewPCG(7, 8))
	c := taps()
	var x []int16
	for range 3000 {
		x = append(x, []int16{math.MinInt16, math.MaxInt16, 0, -1, 1, int16(rnd.Uint32())}[rnd.IntN(6)])
	}
	for i := range 2 * len(c) { // each sample with the sign that its tap has: the largest sum there is
		s := int16(math.MaxInt16)
		if c[min(i, 2*len(c)-1-i)] < 0 {
			s = math.MinInt16
		}
		x = append(x, s)
	}
	x = append(x, x[len(x)-2*len(c):]...)
	got := new(doubler).resample(nil, x)
	at := func(i int) int64 {
		if i < 0 {
			return 0
		}
		return int64(x[i])
	}
	for n := range x {
		var sum int64
		for k, tap := range c {
			sum += tap * (at(n-k) + at(n-33+k))
		}
		want := max(math.MinInt16, min(math.MaxInt16, (sum+1<<15)>>16))
		if int64(got[2*n]) != want || int64(got[2*n+1]) != at(n-16) {
			t.Fatalf("input %d: got %d, %d, want %d, %d", n, got[2*n], got[2*n+1], want, at(n-16))
		}
	}
}
