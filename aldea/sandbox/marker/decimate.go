package marker

import "math"

// decimatorReach is how far the filter looks to either side, in samples at the lower rate.
const decimatorReach = 6

// decimator brings a multiple of 8000 Hz down to 8000 Hz: a windowed sine cardinal. Only the tones' band needs to come
// through clean.
type decimator struct {
	by     int
	center float32
	side   []float32 // the taps at the distances dist from the center, but for those that are zero
	dist   []int
	skip   int       // inputs until the next output's newest one
	x      []float32 // the last 2*delay inputs, and behind them room for slot outputs
}

func newDecimator(by int) *decimator {
	reach := decimatorReach*by - 1
	d := &decimator{by: by, center: 1 / float32(by), x: make([]float32, 2*reach+by*slot)}
	for k := 1; k <= reach; k++ {
		if k%by != 0 {
			t := float64(k) / float64(by)
			h := (0.54 + 0.46*math.Cos(math.Pi*t/decimatorReach)) * math.Sin(math.Pi*t) / (math.Pi * t)
			d.side = append(d.side, float32(h/float64(by)))
			d.dist = append(d.dist, k)
		}
	}
	return d
}

// delay is the filter's delay in samples at the higher rate.
func (d *decimator) delay() int {
	if d.by == 1 {
		return 0
	}
	return decimatorReach*d.by - 1
}

// block is the most inputs that append takes.
func (d *decimator) block() int { return d.by * slot }

// append takes at most block inputs and appends the outputs, at most slot, to dst.
func (d *decimator) append(dst []float32, src []int16) []float32 {
	if d.by == 1 {
		for _, s := range src {
			dst = append(dst, float32(s))
		}
		return dst
	}
	delay := d.delay()
	x := d.x[:2*delay+len(src)]
	for i, s := range src {
		x[2*delay+i] = float32(s)
	}
	n := d.skip
	for ; n < len(src); n += d.by {
		mid := n + delay
		sum := d.center * x[mid]
		for i, k := range d.dist {
			sum += d.side[i] * (x[mid-k] + x[mid+k])
		}
		dst = append(dst, sum)
	}
	d.skip = n - len(src)
	copy(x[:2*delay], x[len(src):])
	return dst
}
