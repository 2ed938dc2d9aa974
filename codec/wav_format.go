package codec

import (
	"encoding/binary"
	"fmt"
	"io"
)

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

// readFormat reads the fmt chunk.
func readFormat(r io.Reader, length uint32) (h WAVHeader, err error) {
	if length < 16 {
		return h, fmt.Errorf("%w: its fmt chunk has %d bytes, want at least 16", ErrBadWAV, length)
	}
	var b [40]byte
	n := min(length, uint32(len(b)))
	if _, err := io.ReadFull(r, b[:n]); err != nil {
		return h, cut("inside its fmt chunk", err)
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
	if (bits+7)/8*8 != h.Bits {
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
