package voice

import (
	"bufio"
	"errors"
	"fmt"
	"io"

	"aldeabridge/codec"
)

// NewReader returns audio of another format as µ-law at 8000 Hz, mono, as it comes: what is read from r is
// converted and returned before more is read. Several channels become their mean. What begins as a WAV file is read as
// one, whatever f says; then f's rate is not looked at. Several WAV files, one behind the other, are one recording. Coded
// audio and documents are recognized by their content and refused, whatever f says; so is a document behind the audio.
// A WAV file that is shorter than its header says is read as far as it goes. Other errors than r's say what is
// wrong with the audio.
func NewReader(r io.Reader, f Format) io.Reader { return newReader(r, f, false) }

// newReader is NewReader with a strict mode. If strict, the audio must also be complete: a WAV file as long as its header says,
// nothing behind it that is no chunk, no half of a sample. That is for speech, which is made to order and kept: the
// recordings that people have are not all so.
func newReader(r io.Reader, f Format, strict bool) io.Reader {
	return &reader{src: bufio.NewReaderSize(r, readSize), format: f, strict: strict}
}

// parts is audio in one or more parts, each with a format of its own: a codec.WAVReader, or one part of raw audio.
type parts interface {
	Next() (codec.WAVHeader, error)
	io.Reader
	Missing() int64
}

type reader struct {
	src    *bufio.Reader
	format Format
	strict bool
	err    error // sticky

	parts  parts // nil until it is known what it is
	head   codec.WAVHeader
	known  bool // that the present part is no coded audio
	turns  int  // changes of the rate
	rate   codec.Rate
	rater  rater
	same   bool   // the present part is µ-law already
	raw    []byte // of the present part, read and not converted yet
	mono   []int16
	stereo []int16
	out    []byte // converted
	given  int    // of out
}

const (
	readSize = 4 << 10
	maxTurns = 16 // changes of the rate within one recording: each needs a filter
)

func (r *reader) Read(p []byte) (int, error) {
	for r.given == len(r.out) {
		if r.err != nil {
			return 0, r.err
		}
		if len(p) == 0 {
			return 0, nil
		}
		r.out, r.given = r.out[:0], 0
		r.err = r.fill()
	}
	n := copy(p, r.out[r.given:])
	r.given += n
	return n, nil
}

// fill reads once and converts the bytes. It returns io.EOF after the last part.
func (r *reader) fill() error {
	if r.parts == nil {
		if err := r.begin(); err != nil {
			return err
		}
	}
	if cap(r.raw)-len(r.raw) < readSize {
		r.raw = append(make([]byte, 0, 2*len(r.raw)+readSize), r.raw...)
	}
	n, err := r.parts.Read(r.raw[len(r.raw) : len(r.raw)+readSize])
	r.raw = r.raw[:len(r.raw)+n]
	end := errors.Is(err, io.EOF)
	if wrong := r.convert(end); wrong != nil {
		return wrong
	}
	if !end {
		return err
	}
	if err := r.complete(); err != nil {
		return err
	}
	return r.next()
}

// begin detects the format of the audio.
func (r *reader) begin() error {
	b, err := r.src.Peek(1)
	if len(b) == 1 && codec.MayBeWAV(b) {
		b, err = r.src.Peek(12)
	}
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	if len(b) >= 4 && codec.MayBeWAV(b) {
		r.format.BigEndian = false
		r.parts = codec.NewWAVReader(r.src)
	} else {
		r.parts = &rawAudio{Reader: r.src, format: r.format}
	}
	return r.next()
}

// next starts the next part.
func (r *reader) next() error {
	begun := r.head != codec.WAVHeader{}
	h, err := r.parts.Next()
	cut := errors.Is(err, codec.ErrTrailingWAV) || errors.Is(err, codec.ErrShortWAV)
	if begun && cut && !r.strict {
		err = io.EOF // the audio before it is whole
	}
	if errors.Is(err, io.EOF) {
		r.flush()
	}
	if err != nil {
		return err
	}
	return r.start(h)
}

// start prepares for a part with this header.
func (r *reader) start(h codec.WAVHeader) error {
	if (h == codec.WAVHeader{}) { // of raw audio of which nothing is known
		r.head = h
		return nil
	}
	if err := check(h); err != nil {
		return err
	}
	r.head, r.known, r.raw = h, false, r.raw[:0]
	r.same = h.Encoding == codec.EncodingMuLaw && h.Rate == phoneRate && h.Channels == 1
	if r.rate == h.Rate {
		return nil
	}
	if r.turns++; r.turns > maxTurns {
		return fmt.Errorf("its rate changes more than %d times", maxTurns)
	}
	r.flush()
	r.rate = h.Rate
	return nil
}

// convert converts the whole samples of what was read. end means that the part ends there.
func (r *reader) convert(end bool) error {
	if !r.known {
		if known, err := r.look(end); !known || err != nil {
			return err
		}
	}
	b, document := withoutDocument(r.raw, end)
	if document != nil {
		return &documentError{"a message follows the audio, as of a service that fails", document}
	}
	b = b[:len(b)-len(b)%r.head.BlockSize()]
	if r.same {
		r.flush()
		r.out = append(r.out, b...)
	} else if len(b) > 0 {
		r.resample(b)
	}
	r.raw = r.raw[:copy(r.raw, r.raw[len(b):])]
	return nil
}

// look makes sure that a part is not coded audio or a document. It returns false where it needs more bytes.
func (r *reader) look(end bool) (bool, error) {
	if end && len(r.raw) == 0 {
		return false, nil
	}
	name, more := codec.Sniff(r.raw, end)
	switch {
	case name == "JSON":
		return false, &documentError{"it is JSON, not audio", append([]byte(nil), r.raw...)}
	case name != "":
		return false, fmt.Errorf("it is %s, whatever it is called; %s can be played", name, playable)
	case more:
		return false, nil
	case r.head == codec.WAVHeader{}:
		return false, errors.New("it is neither a WAV file nor said to be raw audio")
	}
	r.known = true
	return true, nil
}

// resample converts whole blocks.
func (r *reader) resample(b []byte) {
	if r.rater == nil {
		r.rater = newRater(r.rate)
	}
	if r.format.BigEndian {
		swap(b)
	}
	r.stereo, _ = r.head.AppendSamples(r.stereo[:0], b)
	r.mono = mean(r.mono[:0], r.stereo, r.head.Channels)
	r.emit(r.rater.Resample(nil, r.mono))
}

// complete returns an error if a part ends incompletely.
func (r *reader) complete() error {
	if !r.strict {
		return nil
	}
	if n := r.parts.Missing(); n > 0 && r.plausible() {
		return fmt.Errorf("the audio is cut short: %d of its %d bytes are missing", n, r.head.Length)
	}
	if len(r.raw) > 0 && r.head.Length < 0 && r.known {
		return errors.New("the audio is cut short: it ends inside a sample")
	}
	return nil
}

// plausible reports whether the length in a header can be correct. Writers that do not know the length write high numbers; a
// length beyond the limit of a text counts as one.
func (r *reader) plausible() bool {
	return r.head.Length/int64(r.head.BlockSize()) <= maxAudio/int64(phoneRate)*int64(r.head.Rate)
}

// flush emits the output that is left in the filter.
func (r *reader) flush() {
	if r.rater != nil {
		r.emit(r.rater.Flush(nil))
		r.rater = nil
	}
}

// emit appends samples at 8000 Hz to the output.
func (r *reader) emit(samples []int16) {
	at := len(r.out)
	r.out = append(r.out, make([]byte, len(samples))...)
	codec.EncodeMuLaw(r.out[at:], samples)
}

// rawAudio is audio without a header, as a single part.
type rawAudio struct {
	io.Reader
	format Format
	begun  bool
}

// Next returns the header that it would have: of an unknown length, or none where the format is not known.
func (a *rawAudio) Next() (codec.WAVHeader, error) {
	if a.begun {
		return codec.WAVHeader{}, io.EOF
	}
	a.begun = true
	if a.format == (Format{}) {
		return codec.WAVHeader{}, nil
	}
	return a.format.header(), nil
}

func (a *rawAudio) Missing() int64 { return 0 }

// mean appends the mean of all channels.
func mean(dst, src []int16, channels int) []int16 {
	if channels == 1 {
		return append(dst, src...)
	}
	for ; len(src) >= channels; src = src[channels:] {
		sum := 0
		for _, s := range src[:channels] {
			sum += int(s)
		}
		dst = append(dst, int16(sum/channels))
	}
	return dst
}

func swap(b []byte) {
	for i := 0; i+1 < len(b); i += 2 {
		b[i], b[i+1] = b[i+1], b[i]
	}
}
