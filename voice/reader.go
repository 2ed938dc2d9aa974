package voice

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"aldeabridge/codec"
)

// NewReader returns audio of another format as µ-law at 8000 Hz, mono, as it comes: what is read from r is
// converted and returned before more is read. Several channels become their mean. What begins as a WAV file is read as
// one, whatever f says; then f's rate is not looked at. Other errors than r's say what is wrong with the audio.
func NewReader(r io.Reader, f Format) io.Reader { return &reader{src: r, format: f} }

type reader struct {
	src    io.Reader
	format Format
	err    error // sticky

	begun bool
	head  codec.WAVHeader
	same  bool  // the audio is µ-law already
	left  int64 // bytes of audio to come; -1: to the end
	rate  rater

	raw     []byte // read and not converted yet
	samples []int16
	mono    []int16
	out     []byte // converted
	given   int    // of out
}

const (
	readSize  = 4 << 10
	maxHeader = 64 << 10 // of a WAV file
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
		r.fill()
	}
	n := copy(p, r.out[r.given:])
	r.given += n
	return n, nil
}

// fill reads once and converts what came.
func (r *reader) fill() {
	if cap(r.raw)-len(r.raw) < readSize {
		r.raw = append(make([]byte, 0, len(r.raw)+2*readSize), r.raw...)
	}
	n, err := r.src.Read(r.raw[len(r.raw) : len(r.raw)+readSize])
	r.raw = r.raw[:len(r.raw)+n]
	end := errors.Is(err, io.EOF)
	if wrong := r.convert(end); wrong != nil {
		err = wrong
	}
	if end && r.rate != nil {
		r.emit(r.rate.Flush(nil))
	}
	if err == nil && r.left == 0 && r.begun { // what follows in a WAV file is no audio
		err = io.EOF
		if r.rate != nil {
			r.emit(r.rate.Flush(nil))
		}
	}
	r.err = err
}

// convert converts the whole samples of what was read.
func (r *reader) convert(end bool) error {
	if !r.begun {
		if ok, err := r.begin(end); !ok || err != nil {
			return err
		}
	}
	b := r.raw
	if r.left >= 0 {
		b = b[:min(int64(len(b)), r.left)]
	}
	b = b[:len(b)-len(b)%r.head.BlockSize()]
	switch {
	case r.same:
		r.out = append(r.out, b...)
	default:
		if r.format.BigEndian {
			swap(b)
		}
		r.samples, _ = r.head.AppendSamples(r.samples[:0], b)
		r.mono = mean(r.mono[:0], r.samples, r.head.Channels)
		r.emit(r.rate.Resample(nil, r.mono))
	}
	if r.left >= 0 {
		r.left -= int64(len(b))
	}
	r.raw = r.raw[:copy(r.raw, r.raw[len(b):])]
	return nil
}

// begin finds out what the audio is. It returns false where it needs more bytes.
func (r *reader) begin(end bool) (bool, error) {
	riff := []byte("RIFF")
	n := min(len(r.raw), len(riff))
	if !bytes.Equal(r.raw[:n], riff[:n]) || end && len(r.raw) < len(riff) {
		return r.beginRaw(end)
	}
	h, size, err := codec.ParseWAVHeader(r.raw)
	switch {
	case errors.Is(err, codec.ErrShortWAV) && !end && len(r.raw) < maxHeader:
		return false, nil
	case errors.Is(err, codec.ErrShortWAV):
		return false, errors.New("the WAV file ends in its header, or the header does not end")
	case err != nil:
		return false, err
	}
	r.raw = r.raw[:copy(r.raw, r.raw[size:])]
	r.format.BigEndian = false
	return true, r.start(h)
}

func (r *reader) beginRaw(end bool) (bool, error) {
	switch {
	case len(r.raw) == 0:
		return false, nil
	case len(r.raw) < 4 && !end:
		return false, nil
	case r.format == Format{}:
		return false, errors.New("it is neither a WAV file nor said to be raw audio")
	case bytes.HasPrefix(r.raw, []byte("ID3")):
		return false, fmt.Errorf("it is MP3, whatever it is called; %s can be played", playable)
	case bytes.HasPrefix(r.raw, []byte(".snd")):
		return false, fmt.Errorf("it is an .au file; %s can be played", playable)
	}
	return true, r.start(r.format.header())
}

// start makes ready for audio with such a header.
func (r *reader) start(h codec.WAVHeader) error {
	if err := check(h); err != nil {
		return err
	}
	r.begun, r.head, r.left = true, h, h.Length
	r.same = h.Encoding == codec.EncodingMuLaw && h.Rate == phoneRate && h.Channels == 1
	if !r.same {
		r.rate = newRater(h.Rate)
	}
	return nil
}

// emit gives out samples at 8000 Hz.
func (r *reader) emit(samples []int16) {
	at := len(r.out)
	r.out = append(r.out, make([]byte, len(samples))...)
	codec.EncodeMuLaw(r.out[at:], samples)
}

// mean appends the mean of the channels.
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
