package codec

import (
	"encoding/binary"
	"fmt"
)

// The codes of the fmt chunk (Microsoft, mmreg.h).
const (
	formatPCM        = 0x0001
	formatFloat      = 0x0003
	formatALaw       = 0x0006
	formatMuLaw      = 0x0007
	formatExtensible = 0xFFFE
)

// otherFormats are the names of codes whose audio is not decoded.
var otherFormats = map[int]string{
	0x0000: "an unknown coding", 0x0002: "Microsoft ADPCM", 0x0010: "OKI ADPCM", 0x0011: "IMA ADPCM", 0x0014: "G.723 ADPCM",
	0x0016: "G.723 ADPCM", 0x0017: "Dialogic ADPCM", 0x0020: "Yamaha ADPCM", 0x0022: "TrueSpeech", 0x0028: "LPC-10", 0x0031: "GSM 6.10",
	0x0034: "G.728", 0x0038: "OKI ADPCM", 0x0040: "G.721 ADPCM", 0x0041: "G.728", 0x0042: "G.723.1", 0x0045: "G.726 ADPCM",
	0x0050: "MPEG audio", 0x0055: "MP3", 0x0057: "AMR", 0x0058: "AMR-WB", 0x0064: "G.726 ADPCM", 0x0065: "G.722", 0x0083: "G.729",
	0x00FF: "AAC", 0x0111: "G.723.1", 0x0125: "ADPCM", 0x0140: "G.726 ADPCM", 0x0160: "Windows Media Audio", 0x0161: "Windows Media Audio",
	0x0162: "Windows Media Audio", 0x0163: "Windows Media Audio", 0x0200: "Creative ADPCM", 0x028E: "G.729", 0x028F: "G.722", 0x5346: "Flash ADPCM",
	0x1600: "AAC", 0x1602: "AAC", 0x1610: "AAC", 0x2000: "AC-3", 0x566F: "Vorbis", 0x674F: "Vorbis", 0x6750: "Vorbis",
	0x6751: "Vorbis", 0x704F: "Opus", 0xA109: "Speex", 0xF1AC: "FLAC",
}

// The ends of the GUIDs that stand for one of the codes above: those of WAVE_FORMAT_EXTENSIBLE, and those of Ambisonics.
const (
	extensibleTail = "\x00\x00\x00\x00\x10\x00\x80\x00\x00\xAA\x00\x38\x9B\x71"
	ambisonicTail  = "\x00\x00\x21\x07\xD3\x11\x86\x44\xC8\xC1\xCA\x00\x00\x00"
)

// parseFormat reads the first 16 to 40 bytes of a fmt chunk.
func parseFormat(b []byte) (h WAVHeader, err error) {
	code, bits := le16(b), le16(b[14:])
	if code == formatExtensible {
		if code, err = subFormat(b); err != nil {
			return h, err
		}
	}
	if name, ok := otherFormats[code]; ok {
		return h, fmt.Errorf("%w: %s (format code 0x%04x), want %s", ErrUnsupportedWAV, name, code, readable)
	}
	rate := binary.LittleEndian.Uint32(b[4:])
	h = WAVHeader{Rate: Rate(rate), Channels: le16(b[2:])}
	switch {
	case h.Channels == 0 || h.Channels > MaxChannels:
		return h, fmt.Errorf("%w: it has %d channels, want 1 to %d", ErrBadWAV, h.Channels, MaxChannels)
	case rate < uint32(MinRate) || rate > uint32(MaxRate):
		return h, fmt.Errorf("%w: its sample rate is %d Hz, want %d to %d", ErrBadWAV, rate, MinRate, MaxRate)
	}
	if h.Bits, err = container(code, bits, le16(b[12:]), h.Channels); err != nil {
		return h, err
	}
	h.Encoding, err = encoding(code, h.Bits)
	return h, err
}

// subFormat is the code in the GUID of an extensible format.
func subFormat(b []byte) (int, error) {
	if len(b) < 40 {
		return 0, fmt.Errorf("%w: its extensible fmt chunk has %d bytes, want 40", ErrBadWAV, len(b))
	}
	if tail := string(b[26:40]); tail != extensibleTail && tail != ambisonicTail {
		return 0, fmt.Errorf("%w: unknown sub-format %x, want %s", ErrUnsupportedWAV, b[24:40], readable)
	}
	return le16(b[24:]), nil
}

// container is how many bits a sample takes. It may use fewer than its bytes hold (20 in 24): they are the upper ones. Writers
// are careless with what nothing hangs on: the bits of G.711, and the size of a block where the bits tell it.
func container(code, bits, block, channels int) (int, error) {
	if code == formatMuLaw || code == formatALaw {
		return 8, nil
	}
	if block == 0 {
		block = (bits + 7) / 8 * channels
	}
	if block%channels != 0 || block == 0 {
		return 0, fmt.Errorf("%w: its blocks are %d bytes for %d channels, want a whole number of bytes a channel", ErrBadWAV, block, channels)
	}
	size := block / channels * 8
	if bits > size {
		return 0, fmt.Errorf("%w: its samples are %d bits but %d bytes", ErrBadWAV, bits, size/8)
	}
	return size, nil
}

const readable = "PCM of 8, 16, 24 or 32 bits, float of 32 or 64, µ-law or A-law (sox IN.wav -e signed -b 16 OUT.wav makes such a file)"

// encoding finds the encoding by its code.
func encoding(code, bits int) (Encoding, error) {
	switch {
	case code == formatPCM && (bits == 8 || bits == 16 || bits == 24 || bits == 32):
		return EncodingPCM, nil
	case code == formatFloat && (bits == 32 || bits == 64):
		return EncodingFloat, nil
	case code == formatMuLaw:
		return EncodingMuLaw, nil
	case code == formatALaw:
		return EncodingALaw, nil
	}
	return "", fmt.Errorf("%w: format code 0x%04x with %d bits, want %s", ErrUnsupportedWAV, code, bits, readable)
}

func le16(b []byte) int { return int(binary.LittleEndian.Uint16(b)) }
