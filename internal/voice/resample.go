package voice

import (
	"math"

	"aldeabridge/codec"
)

// rater resamples to 8000 Hz. Its output does not depend on how the input is split.
type rater interface {
	// Resample appends the output for some more input.
	Resample(dst, src []int16) []int16
	// Flush appends the output that is left in the filter.
	Flush(dst []int16) []int16
}

const phoneRate codec.Rate = 8000

// newRater returns the rater for a rate that check accepts.
func newRater(from codec.Rate) rater {
	if r, err := codec.NewResampler(from, phoneRate); err == nil {
		return r
	}
	return newPolyphase(from)
}

// The filter of polyphase is a sine cardinal under a Kaiser window, between the end of the telephone band and its mirror image
// about 4000 Hz. (Below 8000 Hz it moves down with the input's rate.)
const (
	passEnd    = 3400.0 // Hz
	stopBegin  = 4600.0
	stopBand   = 70.0 // dB down; µ-law's own noise is 38 dB down
	kaiserBeta = 0.1102 * (stopBand - 8.7)
	maxPhases  = 1024
)

// polyphase is a rater for any rate: a filter for each place that an output can have between two inputs. Where there are more
// than maxPhases, it takes the nearest.
type polyphase struct {
	from    int64
	taps    int
	phases  int64
	filters []float32 // of taps each, by phase

	window []int16 // inputs from first on
	first  int64   // number of the input that window begins with
	taken  int64   // inputs
	made   int64   // outputs
}

func newPolyphase(from codec.Rate) *polyphase {
	scale := min(1, float64(from)/float64(phoneRate))
	width := 2 * math.Pi * (stopBegin - passEnd) * scale / float64(from)
	p := &polyphase{from: int64(from), taps: 2 * int(math.Ceil(((stopBand-8)/(2.285*width)+1)/2))}
	// The higher the rate, the closer together the inputs are, and the fewer places between them matter.
	most := max(64, maxPhases*48000/max(48000, int64(from)))
	p.phases = min(int64(phoneRate)/gcd(int64(from), int64(phoneRate)), most)
	cut := (passEnd + stopBegin) * scale / float64(from) // as a part of half the input's rate
	for phase := range p.phases {
		p.filters = append(p.filters, p.filter(float64(phase)/float64(p.phases), cut)...)
	}
	p.first = -int64(p.taps/2 - 1)
	p.window = make([]int16, p.taps/2-1) // silence before the beginning
	return p
}

// filter is the filter for an output that is part of an input behind the one in the middle.
func (p *polyphase) filter(part, cut float64) []float32 {
	out, sum := make([]float32, p.taps), 0.0
	h := make([]float64, p.taps)
	half := float64(p.taps) / 2
	for i := range h {
		x := float64(i-(p.taps/2-1)) - part
		u := x / half
		h[i] = bessel(kaiserBeta*math.Sqrt(max(0, 1-u*u))) * sinc(cut*x)
		sum += h[i]
	}
	for i := range h {
		out[i] = float32(h[i] / sum) // the gain at 0 Hz is one
	}
	return out
}

func (p *polyphase) Resample(dst, src []int16) []int16 {
	p.window = append(p.window, src...)
	p.taken += int64(len(src))
	return p.run(dst, math.MaxInt64)
}

// run makes what can be made of the window, up to total outputs in all.
func (p *polyphase) run(dst []int16, total int64) []int16 {
	for p.made < total {
		at, phase := p.place(p.made)
		begin := at - int64(p.taps/2-1) - p.first
		if begin+int64(p.taps) > int64(len(p.window)) {
			break
		}
		sum := float32(0)
		filter := p.filters[phase*int64(p.taps):][:p.taps]
		for i, s := range p.window[begin:][:p.taps] {
			sum += filter[i] * float32(s)
		}
		dst = append(dst, clip(sum))
		p.made++
	}
	at, _ := p.place(p.made)
	if past := min(at-int64(p.taps/2-1)-p.first, int64(len(p.window))); past > 0 {
		p.window = p.window[:copy(p.window, p.window[past:])]
		p.first += past
	}
	return dst
}

// place returns the input before an output, and the phase after that input.
func (p *polyphase) place(n int64) (at, phase int64) {
	pos := n * p.from
	at, rest := pos/int64(phoneRate), pos%int64(phoneRate)
	phase = (rest*p.phases + int64(phoneRate)/2) / int64(phoneRate)
	if phase == p.phases {
		return at + 1, 0
	}
	return at, phase
}

// Flush appends output until it is as long as the input.
func (p *polyphase) Flush(dst []int16) []int16 {
	p.window = append(p.window, make([]int16, p.taps+1)...)
	return p.run(dst, (p.taken*int64(phoneRate)+p.from-1)/p.from)
}

func clip(v float32) int16 {
	return int16(math.Round(float64(max(math.MinInt16, min(math.MaxInt16, v)))))
}

func sinc(x float64) float64 {
	if x == 0 {
		return 1
	}
	return math.Sin(math.Pi*x) / (math.Pi * x)
}

// bessel returns the modified Bessel function of the first kind of order 0, by its power series.
func bessel(x float64) float64 {
	sum, term := 1.0, 1.0
	for n := 1.0; term > sum*1e-15; n++ {
		term *= x * x / (4 * n * n)
		sum += term
	}
	return sum
}

func gcd(a, b int64) int64 {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}
