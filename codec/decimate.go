package codec

import "slices"

// lowPass is a symmetric FIR filter: a tap at the center, and taps on either side of it at the distances
// 1, 1+step, 1+2*step and so on.
type lowPass struct {
	center int64
	side   []int64 // from the center outwards
	step   int
	shift  uint // the sum of all taps is 1<<shift
}

// reach is the distance of the outermost taps.
func (f lowPass) reach() int { return 1 + (len(f.side)-1)*f.step }

// halfBandDecimator is the half-band filter as a lowPass.
func halfBandDecimator() lowPass {
	return lowPass{
		center: 1 << halfBandUnit,
		side: []int64{half16, half15, half14, half13, half12, half11, half10, half09, half08, half07, half06,
			half05, half04, half03, half02, half01, half00},
		step:  2,
		shift: halfBandUnit + 1,
	}
}

// decimatorBlock is how many samples a decimator takes at a time: 20 ms at 48 kHz.
const decimatorBlock = 960

// decimator keeps one sample of every few, behind a lowPass that lets through only what the lower rate can hold.
type decimator struct {
	lowPass
	by   int
	skip int     // how many inputs to come before the next output's newest one
	x    []int64 // the last 2*reach inputs, and behind them room for a block
}

// newDecimator returns the Resampler from the given rate to one lower by a whole factor.
func newDecimator(from Rate, by int, f lowPass) *Resampler {
	d := &decimator{lowPass: f, by: by, x: make([]int64, 2*f.reach()+decimatorBlock)}
	return &Resampler{filter: d, delay: delay(f.reach(), from), tail: 2 * f.reach()}
}

func (d *decimator) reset() {
	clear(d.x)
	d.skip = 0
}

func (d *decimator) resample(dst, src []int16) []int16 {
	dst = slices.Grow(dst, (len(src)+d.by-1)/d.by)
	for len(src) > 0 {
		in := src[:min(len(src), decimatorBlock)]
		dst = d.block(dst, in)
		src = src[len(in):]
	}
	return dst
}

// block takes at most decimatorBlock samples.
func (d *decimator) block(dst, in []int16) []int16 {
	tail := 2 * d.reach()
	for i, s := range in {
		d.x[tail+i] = int64(s)
	}
	n := d.skip
	for ; n < len(in); n += d.by {
		dst = append(dst, d.at(d.x[n:n+tail+1]))
	}
	d.skip = n - len(in)
	copy(d.x[:tail], d.x[len(in):])
	return dst
}

// at is the filtered sample in the middle of w.
func (d *decimator) at(w []int64) int16 {
	mid := len(w) / 2
	sum := d.center * w[mid]
	lo, hi := mid-1, mid+1
	for _, c := range d.side {
		sum += c * (w[lo] + w[hi])
		lo -= d.step
		hi += d.step
	}
	return clip((sum + 1<<(d.shift-1)) >> d.shift)
}
