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

// The codes of the fmt chunk (Microsoft, mmreg.h).
const (
	formatPCM        = 0x0001
	formatFloat      = 0x0003
	formatALaw       = 0x0006
	formatMuLaw      = 0x0007
	formatExtensible = 0xFFFE
)

// extensibleTail is the end of each GUID that stands for one of the codes above.
const extensibleTail = "\x00\x00\x00\x00\x10\x00\x80\x00\x00\xAA\x00\x38\x9B\x71"

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
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
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

// readWAVHeader reads up to the first sample. It returns io.EOF or io.ErrUnexpectedEOF, wrapped, where the input
// ends before that.
func readWAVHeader(r io.Reader) (h WAVHeader, err error) {
	var riff [12]byte
	if n, err := io.ReadFull(r, riff[:]); err != nil {
		if n > 0 && !isPrefix(riff[:min(n, 4)]) {
			return h, notWAV(riff[:n])
		}
		return h, fmt.Errorf("%w: it ends after %d bytes, inside the RIFF header: %w", ErrBadWAV, n, err)
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
		if n, err := io.ReadFull(r, head[:]); err != nil {
			return h, fmt.Errorf("%w: it ends after %d bytes of a chunk's header, before any data chunk: %w", ErrBadWAV, n, err)
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
	got, err := io.CopyN(io.Discard, r, n)
	if errors.Is(err, io.EOF) {
		return fmt.Errorf("%w: it ends inside its %q chunk, %d bytes early: %w", ErrBadWAV, name, n-got, io.ErrUnexpectedEOF)
	}
	return err
}

// readFormat reads the fmt chunk.
func readFormat(r io.Reader, length uint32) (h WAVHeader, err error) {
	if length < 16 {
		return h, fmt.Errorf("%w: its fmt chunk has %d bytes, want at least 16", ErrBadWAV, length)
	}
	var b [40]byte
	n := min(length, uint32(len(b)))
	if _, err := io.ReadFull(r, b[:n]); err != nil {
		return h, fmt.Errorf("%w: it ends inside its fmt chunk: %w", ErrBadWAV, io.ErrUnexpectedEOF)
	}
	if err := skip(r, "fmt ", int64(length-n)); err != nil {
		return h, err
	}
	code := binary.LittleEndian.Uint16(b[0:])
	rate := binary.LittleEndian.Uint32(b[4:])
	block := int(binary.LittleEndian.Uint16(b[12:]))
	h = WAVHeader{Rate: Rate(rate), Channels: int(binary.LittleEndian.Uint16(b[2:])), Bits: int(binary.LittleEndian.Uint16(b[14:]))}
	if code == formatExtensible {
		if n < 40 {
			return h, fmt.Errorf("%w: its extensible fmt chunk has %d bytes, want 40", ErrBadWAV, n)
		}
		if string(b[26:40]) != extensibleTail {
			return h, fmt.Errorf("%w: unknown sub-format %x", ErrUnsupportedWAV, b[24:40])
		}
		code = binary.LittleEndian.Uint16(b[24:])
	}
	switch {
	case h.Channels == 0:
		return h, fmt.Errorf("%w: it has no channels, want at least 1", ErrBadWAV)
	case rate == 0 || rate > maxRate:
		return h, fmt.Errorf("%w: its sample rate is %d Hz, want 1 to %d", ErrBadWAV, rate, maxRate)
	case block%h.Channels != 0 || block == 0:
		return h, fmt.Errorf("%w: its blocks are %d bytes for %d channels, want a whole number of bytes a channel", ErrBadWAV, block, h.Channels)
	}
	// A sample may use fewer bits than its bytes hold (20 in 24): they are the upper ones.
	bits := h.Bits
	h.Bits = block / h.Channels * 8
	if bits > h.Bits || bits+7 < h.Bits-7 && bits != 0 {
		return h, fmt.Errorf("%w: its samples are %d bits but %d bytes", ErrBadWAV, bits, h.Bits/8)
	}
	h.Encoding, err = encoding(code, h.Bits)
	return h, err
}

// encoding finds the encoding by its code.
func encoding(code uint16, bits int) (Encoding, error) {
	switch {
	case code == formatPCM && (bits == 8 || bits == 16 || bits == 24 || bits == 32):
		return EncodingPCM, nil
	case code == formatFloat && (bits == 32 || bits == 64):
		return EncodingFloat, nil
	case code == formatMuLaw && bits == 8:
		return EncodingMuLaw, nil
	case code == formatALaw && bits == 8:
		return EncodingALaw, nil
	}
	return "", fmt.Errorf("%w: format code 0x%04x with %d bits, want PCM of 8, 16, 24 or 32 bits, float of 32 or 64, "+
		"µ-law or A-law of 8 (sox IN.wav -e signed -b 16 OUT.wav makes such a file)", ErrUnsupportedWAV, code, bits)
}

// readDS64 reads the data's length from the chunk that RF64 keeps it in (EBU Tech 3306).
func readDS64(r io.Reader, length uint32) (int64, error) {
	var b [16]byte
	if length < uint32(len(b)) {
		return 0, fmt.Errorf("%w: its ds64 chunk has %d bytes, want at least %d", ErrBadWAV, length, len(b))
	}
	if _, err := io.ReadFull(r, b[:]); err != nil {
		return 0, fmt.Errorf("%w: it ends inside its ds64 chunk: %w", ErrBadWAV, io.ErrUnexpectedEOF)
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
