package codec

import "slices"

// doubler is the way from 8 to 16 kHz: between every two samples it puts one. Because the filter is half-band,
// the samples that were there come out as they were.
type doubler struct {
	pairs pairs
}

func (d *doubler) reset() { clear(d.pairs[:]) }

func (d *doubler) resample(dst, src []int16) []int16 {
	n := len(dst)
	dst = slices.Grow(dst, 2*len(src))[:n+2*len(src)]
	for out := dst[n:]; len(src) > 0; {
		in := src[:min(len(src), halfBandBlock)]
		d.block(out[:2*len(in)], in)
		out, src = out[2*len(in):], src[len(in):]
	}
	return dst
}

// block takes at most halfBandBlock samples.
func (d *doubler) block(out, in []int16) {
	room := d.pairs.room(len(in))
	last := room[0]
	for i, s := range in {
		room[i] = last + int64(s)<<32
		last = int64(s)
	}
	room[len(in)] = last
	var sums [halfBandBlock / 2]int64
	sum, x := sums[:(len(in)+1)/2], d.pairs.window(len(in))
	halfBandOuter(sum, x)
	for _, s := range sum {
		// The four taps in the middle, which need more than 32 bits.
		w := (*[5]int64)(x[halfBandTaps/2-2:])
		x0, x1, x2, x3, x4 := int64(int32(w[0])), int64(int32(w[1])), int64(int32(w[2])), int64(int32(w[3])), int64(int32(w[4]))
		low := int64(int32(s))
		first := low + half15*(x0+x3) + half16*(x1+x2)
		second := (s-low)>>32 + half15*(x1+x4) + half16*(x2+x3)
		out[0], out[1] = clip((first+1<<(halfBandUnit-1))>>halfBandUnit), int16(x2)
		if len(out) < 4 {
			break
		}
		out[2], out[3] = clip((second+1<<(halfBandUnit-1))>>halfBandUnit), int16(x3)
		out, x = out[4:], x[2:]
	}
	d.pairs.done(len(in))
}
