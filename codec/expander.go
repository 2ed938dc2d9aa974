package codec

import (
	"encoding/binary"
	"fmt"
	"slices"
	"time"
)

// An Expander turns µ-law bytes at 8000 Hz into 16-bit little-endian bytes at 8000 or 16000 Hz, in one pass.
// What it makes is what DecodeMuLaw followed by a Resampler makes, to the bit, sooner.
//
// It belongs to one direction of one call and must not be used concurrently. Make it with NewExpander.
type Expander struct {
	to   Rate
	tail [pairTail]int16 // the last samples, of 14 bits
}

// muLaw14 maps each µ-law byte to its sample in 14 bits. It is read-only.
var muLaw14 = func() (t [256]int64) {
	for i, s := range muLaw {
		t[i] = int64(s >> 2) // the two lowest bits of 16 are zero
	}
	return t
}()

// NewExpander returns an Expander to the given rate: 8000 or 16000 Hz. The error names them.
func NewExpander(to Rate) (*Expander, error) {
	if to != 8000 && to != 16000 {
		return nil, fmt.Errorf("codec: expand to %d Hz: %w: possible are 8000 and 16000 Hz", to, ErrRate)
	}
	return &Expander{to: to}, nil
}

// Rate is the rate of the output.
func (e *Expander) Rate() Rate { return e.to }

// Delay is how much later a sound is in the output than in the input: 2.0625 ms to 16000 Hz, nothing to 8000.
func (e *Expander) Delay() time.Duration {
	if e.to == 8000 {
		return 0
	}
	return delay(halfBandDelay, 16000)
}

// Append appends the output for some more input to dst: two bytes a sample to 8000 Hz, four to 16000 Hz. It
// allocates only when dst has no room. dst and mulaw must not overlap.
func (e *Expander) Append(dst, mulaw []byte) []byte {
	var r Room
	return e.AppendIn(&r, dst, mulaw)
}

// AppendIn is Append in a room that the caller keeps.
func (e *Expander) AppendIn(r *Room, dst, mulaw []byte) []byte {
	if e.to == 8000 {
		return appendMuLaw(dst, mulaw)
	}
	n := len(dst)
	dst = slices.Grow(dst, 4*len(mulaw))[:n+4*len(mulaw)]
	if !r.expandVector(&e.tail, dst[n:], mulaw) {
		r.expand(&e.tail, dst[n:], mulaw)
	}
	return dst
}

// expand is the way to 16000 Hz that every processor can go.
func (r *Room) expand(tail *[pairTail]int16, out, mulaw []byte) {
	r.pairs.load(tail)
	for len(mulaw) > 0 {
		in := mulaw[:min(len(mulaw), halfBandBlock)]
		r.block(out[:4*len(in)], in)
		out, mulaw = out[4*len(in):], mulaw[len(in):]
	}
	r.pairs.save(tail)
}

// Flush appends the filter's tail to dst: what the last samples still have to say, 4.125 ms to 16000 Hz. The
// Expander is then as new.
func (e *Expander) Flush(dst []byte) []byte {
	if e.to == 8000 {
		return dst
	}
	var silence [halfBandTaps - 1]byte
	for i := range silence {
		silence[i] = MuLawSilence
	}
	return e.Append(dst, silence[:])
}

// Reset forgets all input, so that the Expander is as new.
func (e *Expander) Reset() { clear(e.tail[:]) }

// block expands at most halfBandBlock bytes.
func (r *Room) block(out, in []byte) {
	room := r.pairs.room(len(in))
	last := room[0]
	for i, c := range in {
		s := muLaw14[c]
		room[i] = last + s<<32
		last = s
	}
	room[len(in)] = last
	var sums [halfBandBlock / 2]int64
	sum, x := sums[:(len(in)+1)/2], r.pairs.window(len(in))
	halfBand(sum, x)
	const round, shift = 1 << (halfBandUnit - 3), halfBandUnit - 2 // back to 16 bits
	x = x[halfBandTaps/2:]
	for _, s := range sum {
		first, second := int32(s), int32((s+1<<31)>>32)
		y := uint64(uint16(clip((first+round)>>shift))) | uint64(uint16(x[0]<<2))<<16 |
			uint64(uint16(clip((second+round)>>shift)))<<32 | uint64(uint16(x[1]<<2))<<48
		if len(out) < 8 {
			binary.LittleEndian.PutUint32(out, uint32(y))
			break
		}
		binary.LittleEndian.PutUint64(out, y)
		out, x = out[8:], x[2:]
	}
	r.pairs.done(len(in))
}

// appendMuLaw is the way to 8000 Hz: look-up only.
func appendMuLaw(dst, mulaw []byte) []byte {
	n := len(dst)
	dst = slices.Grow(dst, 2*len(mulaw))[:n+2*len(mulaw)]
	out := dst[n:]
	for _, c := range mulaw {
		binary.LittleEndian.PutUint16(out, uint16(muLaw[c]))
		out = out[2:]
	}
	return dst
}
