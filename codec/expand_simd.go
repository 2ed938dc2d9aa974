//go:build goexperiment.simd && amd64

package codec

import "simd/archsimd"

// A Room is what an Expander works in. It holds nothing between two calls, so that several can share one by turns.
type Room struct {
	pairs pairs
	lanes lanes
}

// lanes is what the vector way works in: the last samples of 14 bits and behind them a block and what is behind its last vector. Two
// neighbors share an element, x[n] and x[n+1], 16 bits each.
type lanes [pairTail + halfBandBlock + vector]int32

// A window is what the samples of a vector are made of.
type window [halfBandTaps - 2 + vector]int32

// vector is how many samples are made at once.
const vector = 8

// half2 holds the taps by twos, once for each element of a vector. The two in the middle, which are the same, need 17 bits: half of
// them counts twice.
var half2 = func() (t [halfBandTaps / 2][2 * vector]int16) {
	c := [halfBandTaps / 2]int32{half00, half01, half02, half03, half04, half05, half06, half07, half08, half09, half10,
		half11, half12, half13, half14, half15, half16 / 2}
	for k := range t {
		for i := range t[k] {
			n := 2*k + i%2
			t[k][i] = int16(c[min(n, halfBandTaps-1-n)])
		}
	}
	return t
}()

// expandVector does what expand does with AVX2. It answers false where there is none.
func (r *Room) expandVector(tail *[pairTail]int16, out, mulaw []byte) bool {
	if !archsimd.X86.AVX2() {
		return false
	}
	p := &r.lanes
	for i, s := range tail[1:] {
		p[i] = int32(uint16(tail[i])) | int32(s)<<16
	}
	last := tail[pairTail-1]
	p[pairTail-1] = int32(uint16(last))
	for len(mulaw) > 0 {
		in := mulaw[:min(len(mulaw), halfBandBlock)]
		room := p[pairTail-1 : pairTail+len(in)]
		for i, c := range in {
			s := int16(muLaw14[c])
			room[i] = int32(uint16(last)) | int32(s)<<16
			last = s
		}
		room[len(in)] = int32(uint16(last))
		p.expand(out[:4*len(in)])
		copy(p[:pairTail], p[len(in):])
		out, mulaw = out[4*len(in):], mulaw[len(in):]
	}
	for i := range tail {
		tail[i] = int16(p[i])
	}
	archsimd.ClearAVXUpperBits()
	return true
}

// expand makes a block of two samples for each new one.
func (p *lanes) expand(out []byte) {
	const round, shift = 1 << (halfBandUnit - 3), halfBandUnit - 2 // back to 16 bits
	half, low := archsimd.BroadcastInt32x8(round), archsimd.BroadcastInt32x8(0xFFFF)
	most, least := archsimd.BroadcastInt32x8(1<<15-1), archsimd.BroadcastInt32x8(-1<<15)
	for n := 0; len(out) > 0; n += vector {
		w := (*window)(p[n:])
		middle := w.products(8)
		sum := w.products(0).Add(w.products(1)).Add(w.products(2)).Add(w.products(3)).
			Add(w.products(4)).Add(w.products(5)).Add(w.products(6)).Add(w.products(7)).Add(middle)
		other := w.products(16).Add(w.products(15)).Add(w.products(14)).Add(w.products(13)).
			Add(w.products(12)).Add(w.products(11)).Add(w.products(10)).Add(w.products(9)).Add(middle)
		sum = sum.Add(other).Add(half)
		sum = sum.ShiftAllRight(shift).Min(most).Max(least).And(low)
		y := sum.Or(archsimd.LoadInt32x8((*[vector]int32)(w[halfBandTaps/2:])).ShiftAllLeft(18)).AsUint8x32()
		if len(out) < 4*vector {
			var b [4 * vector]byte
			y.Store(&b)
			copy(out, b[:])
			return
		}
		y.Store((*[4 * vector]byte)(out))
		out = out[4*vector:]
	}
}

// products is what taps 2k and 2k+1 make of each of the samples.
func (w *window) products(k int) archsimd.Int32x8 {
	return archsimd.LoadInt32x8((*[vector]int32)(w[2*k:])).AsInt16x16().DotProductPairs(archsimd.LoadInt16x16(&half2[k]))
}
