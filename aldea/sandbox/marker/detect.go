package marker

import "math"

// What a slot must look like to be taken for what it should be. All are ratios.
const (
	chirpLikeness = 0.6  // of a preamble's power, the part that is the preamble's shape
	chirpBalance  = 0.85 // of the weaker of preamble and trailer to the stronger, in power
	tonePurity    = 0.8  // of a slot's power, the part that is in its two tones
	toneWeakest   = 0.6  // of a tone's amplitude to what the preamble promises
	toneStrongest = 1.6
)

// chirp is the preamble as a complex signal whose power is 1 in all: what |correlate|² finds is then the power
// that has its shape. It is read-only.
var chirp = func() (c struct{ re, im [slot]float32 }) {
	for n := range slot {
		c.re[n] = float32(math.Cos(chirpPhase(n)) * math.Sqrt(2.0/slot))
		c.im[n] = float32(math.Sin(chirpPhase(n)) * math.Sqrt(2.0/slot))
	}
	return c
}()

// preamblePower is the power (the sum of squares) in a slot that has the preamble's shape.
func preamblePower(w *[slot]float32) float64 {
	var re, im float32
	for n, x := range w {
		re += x * chirp.re[n]
		im += x * chirp.im[n]
	}
	return square(re, im)
}

// trailerPower is the same for the preamble backwards.
func trailerPower(w *[slot]float32) float64 {
	var back [slot]float32
	for n, x := range w {
		back[slot-1-n] = x
	}
	return preamblePower(&back)
}

// power is the sum of squares.
func power(w []float32) float64 {
	var sum float32
	for _, x := range w {
		sum += x * x
	}
	return float64(sum)
}

// group is 16 tones of which one is detected.
type group [16]struct{ cos, sin [slot / 2]float32 }

// groups holds the tones of even and odd slots, the low and the high ones: one half of each about the middle of
// a slot. The other half is its mirror image for the cosines and that upside down for the sines, so that half of the
// multiplications are enough. It is read-only.
var groups = func() (t [2][2]group) {
	for odd := range t {
		for high := range t[odd] {
			for k := range t[odd][high] {
				low, above := frequencies(odd, byte(k<<4|k))
				f := []float64{low, above}[high]
				tone := &t[odd][high][k]
				for n := range slot / 2 {
					at := 2 * math.Pi * f / SampleRate * (float64(n) + 0.5)
					tone.cos[n] = float32(math.Cos(at))
					tone.sin[n] = float32(math.Sin(at))
				}
			}
		}
	}
	return t
}()

// readTones finds the byte in slot i of a word. want is the amplitude that its two tones should have. It returns false where
// the slot is not those two tones.
func readTones(w *[slot]float32, i int, want float64) (byte, bool) {
	var even, odd [slot / 2]float32
	for n := range slot / 2 {
		a, b := w[slot/2-1-n], w[slot/2+n]
		even[n], odd[n] = b+a, b-a
	}
	low, lowPower := groups[i%2][0].loudest(&even, &odd)
	high, highPower := groups[i%2][1].loudest(&even, &odd)
	// A sine of amplitude A correlates with itself to A*slot/2, and its power is A²*slot/2.
	const half = slot / 2
	for _, p := range []float64{lowPower, highPower} {
		if a := math.Sqrt(p) / half; a < toneWeakest*want || a > toneStrongest*want {
			return 0, false
		}
	}
	if (lowPower+highPower)/half < tonePurity*power(w[:]) {
		return 0, false
	}
	return byte(high<<4 | low), true
}

// loudest is the loudest tone of the group, and the square of its correlation.
func (g *group) loudest(even, odd *[slot / 2]float32) (best int, most float64) {
	for k := 0; k < len(g); k += 2 { // two at a time: four sums that do not wait for each other
		a, b := &g[k], &g[k+1]
		var aRe, aIm, bRe, bIm float32
		for n, e := range even {
			o := odd[n]
			aRe += e * a.cos[n]
			aIm += o * a.sin[n]
			bRe += e * b.cos[n]
			bIm += o * b.sin[n]
		}
		if p := square(aRe, aIm); p > most {
			best, most = k, p
		}
		if p := square(bRe, bIm); p > most {
			best, most = k+1, p
		}
	}
	return best, most
}

// square is the square of a complex number's size.
func square(re, im float32) float64 { return float64(re)*float64(re) + float64(im)*float64(im) }
