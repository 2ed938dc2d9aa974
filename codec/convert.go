package codec

import (
	"fmt"
	"math"
	"sync"
)

// The kernel of ConvertRate: a sine cardinal under a Kaiser window.
const (
	kernelReach = 48   // zero crossings to either side
	kernelSteps = 1024 // points a zero crossing, with straight lines between
	kernelBeta  = 8.6  // stop band about 90 dB down
	// kernelCut moves the middle of the filter's edge below half the lower rate, so that the stop band
	// begins there.
	kernelCut = 0.94
)

// ConvertRate returns samples, mono, at another rate: any from 1000 to 768000 Hz, else an ErrRate. It is for whole
// recordings. Sounds stay where they are in time, and the result is as long as the original, rounded up to a sample.
// What the lower of the rates cannot hold is taken away, 80 dB down or more; below 0.43 of it nothing changes.
func ConvertRate(samples []int16, from, to Rate) ([]int16, error) {
	for _, r := range []Rate{from, to} {
		if r < MinRate || r > MaxRate {
			return nil, fmt.Errorf("codec: convert %d to %d Hz: %w: possible are %d to %d Hz", from, to, ErrRate, MinRate, MaxRate)
		}
	}
	if from == to {
		return append([]int16(nil), samples...), nil
	}
	k := kernel()
	// squeeze is the filter's bandwidth as a part of the input's.
	squeeze := kernelCut * min(1, float64(to)/float64(from))
	reach := kernelReach / squeeze // in input samples
	n := (int64(len(samples))*int64(to) + int64(from) - 1) / int64(from)
	out := make([]int16, n)
	for i := range out {
		// The output's place among the inputs, whole and fraction, without a rounding that grows.
		pos := int64(i) * int64(from)
		whole, frac := pos/int64(to), float64(pos%int64(to))/float64(to)
		first := max(0, whole-int64(reach)+1)
		last := min(int64(len(samples))-1, whole+int64(reach))
		sum := 0.0
		for j := first; j <= last; j++ {
			at := math.Abs(float64(j-whole)-frac) * squeeze * kernelSteps
			step := int(at)
			if step >= len(k)-1 {
				continue
			}
			sum += float64(samples[j]) * (k[step] + (at-float64(step))*(k[step+1]-k[step]))
		}
		out[i] = fromFloat(sum * squeeze / (1 << 15))
	}
	return out, nil
}

// kernel is one side of the kernel from its center outwards, computed at the first use. It is read-only after that.
var kernel = sync.OnceValue(func() []float64 {
	k := make([]float64, kernelReach*kernelSteps+1)
	k[0] = 1
	for i := 1; i < len(k); i++ {
		x := float64(i) / kernelSteps
		u := x / kernelReach
		k[i] = math.Sin(math.Pi*x) / (math.Pi * x) * bessel(kernelBeta*math.Sqrt(1-u*u)) / bessel(kernelBeta)
	}
	return k
})

// bessel is the modified Bessel function of the first kind of order 0, by its power series.
func bessel(x float64) float64 {
	sum, term := 1.0, 1.0
	for n := 1.0; term > sum*1e-17; n++ {
		term *= x * x / (4 * n * n)
		sum += term
	}
	return sum
}
