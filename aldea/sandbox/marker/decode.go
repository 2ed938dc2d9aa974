package marker

import (
	"fmt"
	"math"
	"strings"
)

// A Symbol is one word as a Decoder heard it.
type Symbol struct {
	Word string // as it was encoded; Damage where it did not arrive whole
	// Start and End are the places of its first sample and of the one after its last, counted from the decoder's
	// first sample at the decoder's rate. They are right to a millisecond; the End of a damaged word is where
	// the damage was seen.
	Start, End int64
	// Number is the word's running number modulo 256. Where it is not that of the word before plus one, a word has
	// been lost or has come again. It is -1 where it was not heard.
	Number  int
	Damaged bool
}

// Text is the words of symbols, with spaces between.
func Text(symbols []Symbol) string {
	words := make([]string, len(symbols))
	for i, s := range symbols {
		words[i] = s.Word
	}
	return strings.Join(words, " ")
}

// Decode returns the words in a whole signal. It panics where NewDecoder does.
func Decode(samples []int16, rate int) []Symbol {
	d := NewDecoder(rate)
	return append(d.Write(samples), d.Flush()...)
}

const (
	hop = 20 // samples that are loud or quiet together: 2.5 ms
	// quietPower is the power of a hop that is silence: 54 dB below full scale.
	quietPower = hop * 64 * 64
	quietLead  = 10 * hop // the silence that must go before a word
	settle     = 8        // samples in which a filter on the way may ring on behind a word
	quietTail  = 8 * hop  // the silence that must come then
	search     = 2 * hop  // how far from the first loud hop the preamble may begin, to either side
)

// stage says what a Decoder waits for.
type stage int

const (
	listening stage = iota // a loud hop
	searching              // enough sound to find the preamble in
	reading                // the next byte
	trailing               // the trailer
	silent                 // the silence behind the word
)

// A Decoder finds words in a stream, however the stream is cut. It remembers at most 50 ms of sound.
//
// A stream may begin anywhere. A word whose preamble was not heard is ignored, one whose preamble was heard is reported
// as soon as it is complete (20 ms after its end) or has turned out to be damaged.
//
// Make it with NewDecoder. It must not be used concurrently.
type Decoder struct {
	rate *decimator
	buf  []float32 // sound at 8000 Hz, from the sample with number base on
	base int64
	pos  int64 // the first sample not dealt with

	stage stage
	quiet int64 // samples of silence before pos, while listening

	start     int64   // of the word
	preamble  float64 // the power that its preamble had
	amplitude float64 // that its tones should have
	word      []byte  // number, length, text, check, as far as read
}

// CanDecode says whether there is a Decoder for a rate: multiples of 8000 Hz up to 48000.
func CanDecode(rate int) bool {
	return rate > 0 && rate <= 6*SampleRate && rate%SampleRate == 0
}

// NewDecoder returns a Decoder for samples at the given rate in Hz. It panics where CanDecode(rate) is false.
func NewDecoder(rate int) *Decoder {
	if !CanDecode(rate) {
		panic(fmt.Sprintf("marker: no decoder for %d Hz", rate))
	}
	return &Decoder{
		rate:  newDecimator(rate / SampleRate),
		buf:   make([]float32, 0, 4*slot),
		quiet: quietLead, // the beginning counts as silence
		word:  make([]byte, 0, frontCost+MaxWord+checkCost),
	}
}

// Write takes the next samples and returns the words that they completed, oldest first. It keeps no reference to
// samples, and allocates only for words.
func (d *Decoder) Write(samples []int16) []Symbol {
	var found []Symbol
	for len(samples) > 0 {
		n := min(len(samples), d.rate.block())
		d.buf = d.rate.append(d.buf, samples[:n])
		samples = samples[n:]
		found = d.run(found)
	}
	return found
}

// Flush is for the end of the stream: it returns the word that the stream broke off in, damaged, or whole where only the
// silence behind it is missing. The Decoder is then as new.
func (d *Decoder) Flush() []Symbol {
	var found []Symbol
	switch d.stage {
	case silent:
		found = d.whole(found)
	case reading, trailing:
		d.pos = d.base + int64(len(d.buf))
		found = d.damaged(found)
	}
	*d = *NewDecoder(d.rate.by * SampleRate)
	return found
}

// Sounding returns where the word began that is being heard now, and whether there is one.
func (d *Decoder) Sounding() (start int64, ok bool) {
	return d.place(d.start), d.stage == reading || d.stage == trailing || d.stage == silent
}

// run deals with all that can be dealt with and forgets what is no longer needed.
func (d *Decoder) run(found []Symbol) []Symbol {
	for more := true; more; {
		found, more = d.step(found)
	}
	// A preamble may begin a little before the hop that was loud.
	keep := d.pos - search
	if drop := keep - d.base; drop > 0 {
		n := copy(d.buf, d.buf[drop:])
		d.buf = d.buf[:n]
		d.base = keep
	}
	return found
}

// window is n samples from the given one on, or nil while they have not all come.
func (d *Decoder) window(from int64, n int) []float32 {
	i := int(from - d.base)
	if i+n > len(d.buf) {
		return nil
	}
	return d.buf[i : i+n]
}

// step deals with the next hop or slot. It returns false when that has not come yet.
func (d *Decoder) step(found []Symbol) ([]Symbol, bool) {
	switch d.stage {
	case listening:
		return found, d.listen()
	case searching:
		return found, d.find()
	}
	if d.stage == silent {
		w := d.window(d.pos+settle, quietTail)
		if w == nil {
			return found, false
		}
		return d.hush(found, w), true
	}
	w := d.window(d.pos, slot)
	if w == nil {
		return found, false
	}
	if d.stage == trailing {
		return d.trail(found, (*[slot]float32)(w)), true
	}
	return d.read(found, (*[slot]float32)(w)), true
}

// listen looks at one hop.
func (d *Decoder) listen() bool {
	w := d.window(d.pos, hop)
	switch {
	case w == nil:
		return false
	case power(w) < quietPower:
		d.quiet += hop
		d.pos += hop
	case d.quiet >= quietLead:
		d.stage = searching
	default: // in the middle of something that we did not hear begin
		d.quiet = 0
		d.pos += hop
	}
	return true
}

// find looks for the preamble about the loud hop.
func (d *Decoder) find() bool {
	first := max(d.pos-search, d.base)
	last := d.pos + search
	if d.window(first, int(last-first)+slot) == nil {
		return false
	}
	best, most := int64(0), 0.0
	for at := first; at <= last; at++ {
		if p := preamblePower((*[slot]float32)(d.window(at, slot))); p > most {
			best, most = at, p
		}
	}
	d.quiet = 0
	if most < chirpLikeness*power(d.window(best, slot)) || most < quietPower {
		d.stage = listening
		d.pos += hop
		return true
	}
	d.start, d.preamble, d.amplitude = best, most, math.Sqrt(most/slot)
	d.word = d.word[:0]
	d.stage = reading
	d.pos = best + slot
	return true
}

// read reads one byte.
func (d *Decoder) read(found []Symbol, w *[slot]float32) []Symbol {
	b, ok := readTones(w, len(d.word), d.amplitude)
	if !ok {
		return d.damaged(found)
	}
	d.word = append(d.word, b^mask(len(d.word)))
	d.pos += slot
	if len(d.word) < frontCost {
		return found
	}
	length := int(d.word[1])
	if length == 0 {
		return d.damaged(found)
	}
	if end := frontCost + length; len(d.word) == end+checkCost {
		if crc(crcStart, d.word[:end]...) != uint16(d.word[end])<<8|uint16(d.word[end+1]) {
			return d.damaged(found)
		}
		d.stage = trailing
	}
	return found
}

// trail looks at the trailer.
func (d *Decoder) trail(found []Symbol, w *[slot]float32) []Symbol {
	t := trailerPower(w)
	if min(t, d.preamble) < chirpBalance*max(t, d.preamble) {
		return d.damaged(found)
	}
	d.pos += slot
	d.stage = silent
	return found
}

// hush looks at the silence behind the word.
func (d *Decoder) hush(found []Symbol, w []float32) []Symbol {
	limit := max(quietPower, d.preamble/slot*hop/10)
	for ; len(w) > 0; w = w[hop:] {
		if power(w[:hop]) > limit {
			return d.damaged(found)
		}
	}
	found = d.whole(found)
	d.pos += settle + quietTail
	d.stage = listening
	d.quiet = quietTail
	return found
}

// whole adds the word that has arrived. Its end is pos.
func (d *Decoder) whole(found []Symbol) []Symbol {
	s := d.symbol()
	s.Word = string(d.word[frontCost : len(d.word)-checkCost])
	return append(found, s)
}

// damaged adds a damaged word and listens on from where the damage is, pos.
func (d *Decoder) damaged(found []Symbol) []Symbol {
	s := d.symbol()
	s.Word, s.Damaged = Damage, true
	d.stage = listening
	d.quiet = 0
	return append(found, s)
}

// symbol is the word from start to pos, without its text.
func (d *Decoder) symbol() Symbol {
	s := Symbol{Start: d.place(d.start), End: d.place(d.pos), Number: -1}
	if len(d.word) > 0 {
		s.Number = int(d.word[0])
	}
	return s
}

// place is a sample's place at the rate of the stream.
func (d *Decoder) place(at int64) int64 {
	return max(0, at*int64(d.rate.by)-int64(d.rate.delay()))
}
