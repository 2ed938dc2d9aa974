package codec

import "slices"

// doubler is the way from 8 to 16 kHz: between every two samples it puts one. Because the filter is half-band,
// the samples that were there come out as they were.
type doubler struct {
	// x holds the last inputs and behind them room for a block.
	x [halfBandTaps - 1 + expanderBlock]int64
}

func (d *doubler) reset() { clear(d.x[:]) }

func (d *doubler) resample(dst, src []int16) []int16 {
	n := len(dst)
	dst = slices.Grow(dst, 2*len(src))[:n+2*len(src)]
	for out := dst[n:]; len(src) > 0; {
		in := src[:min(len(src), expanderBlock)]
		d.block(out[:2*len(in)], in)
		out, src = out[2*len(in):], src[len(in):]
	}
	return dst
}

// block takes at most expanderBlock samples.
func (d *doubler) block(out, in []int16) {
	const tail = halfBandTaps - 1
	x := d.x[:tail+len(in)]
	for i, s := range in {
		x[tail+i] = int64(s)
	}
	var sums [expanderBlock]int64
	sum := sums[:len(in)]
	halfBand(sum, x, 1)
	mid := x[halfBandTaps/2:]
	for i, s := range sum {
		out[2*i] = clip((s + 1<<(halfBandUnit-1)) >> halfBandUnit)
		out[2*i+1] = int16(mid[i])
	}
	copy(d.x[:tail], x[len(in):])
}
