package codec

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// Errors of reading WAV. The text around them says what was found and what would be right.
var (
	ErrNotWAV         = errors.New("codec: not a WAV file")
	ErrBadWAV         = errors.New("codec: broken WAV file")
	ErrUnsupportedWAV = errors.New("codec: WAV format not supported")
	// ErrShortWAV means that the header is not complete yet.
	ErrShortWAV = errors.New("codec: WAV header not complete")
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
	if short := min(len(b), 4); short < 4 && !isPrefix(b[:short]) {
		return h, 0, notWAV(b)
	}
	r := bytes.NewReader(b)
	h, err = readWAVHeader(r)
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return WAVHeader{}, 0, ErrShortWAV
	}
	if err != nil {
		return WAVHeader{}, 0, err
	}
	return h, len(b) - r.Len(), nil
}

// isPrefix says whether a WAV file can begin with b.
func isPrefix(b []byte) bool {
	return bytes.HasPrefix([]byte("RIFF"), b) || bytes.HasPrefix([]byte("RF64"), b)
}

// unknownLength says whether a writer that could not know the length left n in its place. FFmpeg writes
// 0xFFFFFFFF, SoX the highest multiple of a block below 2 GiB.
func unknownLength(n uint32) bool { return n >= 0x7FFF0000 }

// readWAVHeader reads up to the first sample. Where the input ends before that, the error is an
// io.ErrUnexpectedEOF too.
func readWAVHeader(r io.Reader) (h WAVHeader, err error) {
	var riff [12]byte
	if n, err := io.ReadFull(r, riff[:]); err != nil {
		if n > 0 && !isPrefix(riff[:min(n, 4)]) {
			return h, notWAV(riff[:n])
		}
		return h, cut(fmt.Sprintf("after %d bytes, inside the RIFF header", n), err)
	}
	id, size := string(riff[:4]), binary.LittleEndian.Uint32(riff[4:])
	if !isPrefix(riff[:4]) {
		return h, notWAV(riff[:])
	}
	if string(riff[8:]) != "WAVE" {
		return h, fmt.Errorf("%w: the RIFF file is of the kind %q, want \"WAVE\"", ErrNotWAV, riff[8:])
	}
	var (
		long   int64 = -1 // the data's length by the ds64 chunk of RF64
		before int64 = 4  // bytes of the RIFF chunk so far
	)
	for {
		var head [8]byte
		if _, err := io.ReadFull(r, head[:]); err != nil {
			return h, cut("before any data chunk", err)
		}
		name, length := string(head[:4]), binary.LittleEndian.Uint32(head[4:])
		before += 8
		switch name {
		case "fmt ":
			h, err = readFormat(r, length)
		case "ds64":
			long, err = readDS64(r, length)
		case "data":
			if h.Channels == 0 {
				return h, fmt.Errorf("%w: its data chunk comes before the fmt chunk that explains it", ErrBadWAV)
			}
			h.Length = int64(length)
			switch {
			case id == "RF64" && length == 0xFFFFFFFF:
				h.Length = long
			case unknownLength(length), length == 0 && (size == 0 || unknownLength(size) || int64(size) <= before):
				h.Length = -1
			}
			return h, nil
		default:
			err = skip(r, name, int64(length))
		}
		if err == nil && length%2 == 1 {
			err = skip(r, name, 1)
		}
		if err != nil {
			return h, err
		}
		before += int64(length) + int64(length%2)
	}
}

// skip passes over n bytes of a chunk.
func skip(r io.Reader, name string, n int64) error {
	if got, err := io.CopyN(io.Discard, r, n); err != nil {
		return cut(fmt.Sprintf("inside its %q chunk, %d bytes early", name, n-got), err)
	}
	return nil
}

// cut is the error for a reader's err: where that is its end, the words say where.
func cut(where string, err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("%w: it ends %s: %w", ErrBadWAV, where, io.ErrUnexpectedEOF)
	}
	return err
}

// readDS64 reads the data's length from the chunk that RF64 keeps it in (EBU Tech 3306).
func readDS64(r io.Reader, length uint32) (int64, error) {
	var b [16]byte
	if length < uint32(len(b)) {
		return 0, fmt.Errorf("%w: its ds64 chunk has %d bytes, want at least %d", ErrBadWAV, length, len(b))
	}
	if _, err := io.ReadFull(r, b[:]); err != nil {
		return 0, cut("inside its ds64 chunk", err)
	}
	n := binary.LittleEndian.Uint64(b[8:])
	if n > 1<<62 {
		return 0, fmt.Errorf("%w: its ds64 chunk says %d bytes of data", ErrBadWAV, n)
	}
	return int64(n), skip(r, "ds64", int64(length)-int64(len(b)))
}

// notWAV says what b begins like instead.
func notWAV(b []byte) error {
	for _, k := range []struct{ magic, name string }{
		{"RIFX", "big-endian RIFF"}, {"FORM", "AIFF"}, {".snd", "AU"}, {"fLaC", "FLAC"}, {"OggS", "Ogg"},
		{"ID3", "MP3"}, {"\xFF\xFB", "MP3"}, {"\x1A\x45\xDF\xA3", "WebM or Matroska"}, {"caff", "CAF"},
	} {
		if bytes.HasPrefix(b, []byte(k.magic)) {
			return fmt.Errorf("%w but %s (ffmpeg -i IN OUT.wav makes one)", ErrNotWAV, k.name)
		}
	}
	return fmt.Errorf("%w: it begins with %q, want \"RIFF\"", ErrNotWAV, b[:min(len(b), 4)])
}
