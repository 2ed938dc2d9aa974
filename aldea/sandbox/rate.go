package sandbox

import (
	"math"

	"aldeabridge/codec"
)

// engineRate is what the speech engine wants, in Hz.
const engineRate = 16000

// A converter brings a stream to engineRate. What it gives depends on the samples alone, not on how they are cut.
type converter interface {
	Resample(dst, src []int16) []int16
}

// newConverter picks the telephone's own resampler where there is one, and a general one for the odd rates that
// files and browsers have.
func newConverter(from int) converter {
	if r, err := codec.NewResampler(codec.Rate(from), engineRate); err == nil {
		return r
	}
	// Below the lower of the two rates' limits everything passes, above it nothing.
	return &sincConverter{from: int64(from), cutoff: min(1, float64(engineRate)/float64(from)) * 0.92}
}

// sincReach is how many zero crossings of the kernel are used on each side.
const sincReach = 16

// sincConverter interpolates with a windowed sinc, one output at a time. It is no codec for telephone calls: it
// computes its kernel anew for each sample, which at these rates costs little beside recognizing speech.
type sincConverter struct {
	from   int64
	cutoff float64 // as a part of the input's band

	in   []int16 // input not yet done with
	base int64   // number of the first of them
	out  int64   // number of the next output
}

// Resample appends the outputs that src completes.
func (c *sincConverter) Resample(dst, src []int16) []int16 {
	c.in = append(c.in, src...)
	reach := int64(math.Ceil(sincReach / c.cutoff))
	for {
		center := c.out * c.from / engineRate
		if center+reach >= c.base+int64(len(c.in)) {
			break
		}
		dst = append(dst, c.at(center, reach))
		c.out++
	}
	if done := c.out*c.from/engineRate - reach - c.base; done > 0 {
		done = min(done, int64(len(c.in)))
		c.in = append(c.in[:0], c.in[done:]...)
		c.base += done
	}
	return dst
}

// at is the output whose place is at or just after input center.
func (c *sincConverter) at(center, reach int64) int16 {
	place := float64(c.out) * float64(c.from) / engineRate
	var sum, weights float64
	for i := max(center-reach, c.base); i <= center+reach; i++ {
		x := (float64(i) - place) * c.cutoff
		if math.Abs(x) >= sincReach {
			continue
		}
		weight := 0.5 + 0.5*math.Cos(math.Pi*x/sincReach)
		if x != 0 {
			weight *= math.Sin(math.Pi*x) / (math.Pi * x)
		}
		sum += weight * float64(c.in[i-c.base])
		weights += weight
	}
	return int16(max(math.MinInt16, min(math.Round(sum/weights), math.MaxInt16)))
}
