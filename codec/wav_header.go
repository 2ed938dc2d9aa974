package codec

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
)

// Errors of reading WAV. The text around them says what was found and what would be right. They have no package
// name in front, because users who gave the file read them.
var (
	ErrNotWAV         = errors.New("not a WAV file")
	ErrBadWAV         = errors.New("broken WAV file")
	ErrUnsupportedWAV = errors.New("WAV format not supported")
	// ErrShortWAV means that the input ends inside a header.
	ErrShortWAV = errors.New("WAV header not complete")
	// ErrTrailingWAV means that bytes follow the samples which are neither a chunk nor another WAV file.
	ErrTrailingWAV = errors.New("bytes behind the samples that the WAV header does not count")
)

// The limits of a WAV file.
const (
	MinRate     Rate = 1000   // Hz
	MaxRate     Rate = 768000 // Hz
	MaxChannels      = 64

	maxWAVHeader = 16 << 20 // bytes in front of the samples: cover art can be large
	maxWAVChunks = 10_000   // of one input, all of its WAV files together
)

// An Encoding is how samples are written in a WAV file.
type Encoding string

// The encodings that can be read.
const (
	EncodingPCM   Encoding = "pcm" // integers: 8 bits unsigned, more bits signed
	EncodingFloat Encoding = "float"
	EncodingMuLaw Encoding = "mulaw"
	EncodingALaw  Encoding = "alaw"
)

// A WAVHeader is what stands in front of the samples of a WAV file.
type WAVHeader struct {
	Encoding Encoding
	Rate     Rate
	Channels int
	Bits     int   // a sample of one channel: 8, 16, 24, 32 or 64
	Length   int64 // bytes of sample data; -1 where the writer did not know it and the data goes on to the end
}

// BlockSize is the number of bytes of one sample of all channels.
func (h WAVHeader) BlockSize() int { return h.Channels * h.Bits / 8 }

// ParseWAVHeader parses the beginning of a WAV file, as the first bytes of a stream that may be one. It
// returns the header and how many bytes it took: the samples begin there. The error is ErrShortWAV while b
// ends inside the header (try again with more; the caller decides how much is too much), ErrNotWAV where b
// cannot become WAV, ErrBadWAV or ErrUnsupportedWAV where it should not have.
func ParseWAVHeader(b []byte) (h WAVHeader, n int, err error) {
	if !MayBeWAV(b) {
		return h, 0, notWAV(b)
	}
	all := bytes.NewReader(b)
	w := &WAVReader{src: bufio.NewReaderSize(all, wavBuffer)}
	h, err = w.readHeader()
	switch {
	case errors.Is(err, ErrShortWAV):
		return WAVHeader{}, 0, ErrShortWAV
	case err != nil:
		return WAVHeader{}, 0, err
	}
	return h, len(b) - all.Len() - w.src.Buffered(), nil
}

// MayBeWAV reports whether a WAV file can begin with b: RIFF, RF64 (EBU Tech 3306) or BW64 (ITU-R BS.2088) of the kind WAVE.
// With 12 bytes or more it is certain.
func MayBeWAV(b []byte) bool {
	for _, id := range []string{"RIFF", "RF64", "BW64"} {
		if bytes.HasPrefix(b[:min(len(b), 4)], []byte(id)[:min(len(b), 4)]) {
			return len(b) <= 8 || bytes.HasPrefix([]byte("WAVE"), b[8:min(len(b), 12)])
		}
	}
	return false
}

// cutError says that the input ends where it should not. It is an ErrBadWAV and an ErrShortWAV.
type cutError struct{ where string }

func (e *cutError) Error() string { return ErrBadWAV.Error() + ": it ends " + e.where }

func (e *cutError) Is(target error) bool { return target == ErrBadWAV || target == ErrShortWAV }

// notWAV says what b begins like instead.
func notWAV(b []byte) error {
	if len(b) >= 12 && string(b[:4]) == "RIFF" {
		return fmt.Errorf("%w: the RIFF file is of the kind %q, want \"WAVE\"", ErrNotWAV, b[8:12])
	}
	if name, _ := Sniff(b, true); name != "" {
		return fmt.Errorf("%w but %s (ffmpeg -i IN OUT.wav makes one)", ErrNotWAV, name)
	}
	return fmt.Errorf("%w: it begins with %q, want \"RIFF\"", ErrNotWAV, b[:min(len(b), 4)])
}
