package codec

import (
	"bytes"
	"unicode/utf8"
)

// sniffLength is the most that Sniff needs: three frames of MPEG audio at its highest rate.
const sniffLength = 8 << 10

// magics are what coded audio, containers, packed data and documents begin with.
var magics = []struct {
	at          int
	magic, name string
}{
	{0, "ID3\x02", "MP3"}, {0, "ID3\x03", "MP3"}, {0, "ID3\x04", "MP3"}, {0, "OggS", "Ogg"}, {0, "fLaC", "FLAC"},
	{0, "\x1A\x45\xDF\xA3", "WebM or Matroska"}, {4, "ftyp", "MP4 (M4A)"}, {4, "styp", "MP4 (M4A)"}, {4, "moov", "MP4 (M4A)"},
	{0, "RIFX", "big-endian RIFF"}, {0, "riff\x2E\x91\xCF\x11", "Wave64"}, {0, "FORM", "AIFF"}, {0, ".snd", "an .au file"},
	{0, "caff", "CAF"}, {0, "#!AMR", "AMR"}, {0, "#!SILK", "SILK"}, {0, "wvpk", "WavPack"}, {0, "MAC ", "Monkey's Audio"},
	{0, "\x30\x26\xB2\x75\x8E\x66\xCF\x11", "Windows Media"}, {0, "FLV\x01", "Flash video"}, {0, "OpusHead", "Opus"},
	{0, "MThd", "MIDI"}, {0, "ADIF", "AAC"}, {0, "TTA1", "True Audio"}, {0, "NIST_1A", "a NIST SPHERE file"},
	{0, "Creative Voice File", "a VOC file"}, {0, "#EXTM3U", "a playlist"}, {0, "\x1F\x8B\x08", "gzip"}, {0, "PK\x03\x04", "a ZIP file"},
	{0, "\x28\xB5\x2F\xFD", "Zstandard"}, {0, "%PDF-", "a PDF file"}, {0, "UklGR", "base64"}, {0, "data:audio/", "base64"},
}

// Sniff examines the first bytes of data that is labeled as samples. It returns the name of the actual content: coded audio
// such as "MP3", a container such as "Ogg", a document such as "JSON"; or "" where they can be samples. Magic numbers decide,
// and, where a format has none that is sure, several frames that fit together: random samples do not do that. more says
// that b is too short to tell; if no more bytes come, end is set. It never needs more than 8 KiB.
func Sniff(b []byte, end bool) (name string, more bool) {
	end = end || len(b) >= sniffLength
	for _, m := range magics {
		if len(b) > m.at && bytes.HasPrefix(b[m.at:], []byte(m.magic)) {
			return m.name, false
		}
		if len(b) <= m.at || bytes.HasPrefix([]byte(m.magic), b[m.at:]) {
			more = true
		}
	}
	for _, look := range []func([]byte, bool) (string, bool){mpegAudio, adts, transportStream, document} {
		name, open := look(b, end)
		if name != "" {
			return name, false
		}
		more = more || open
	}
	return "", more && !end
}

// framesThatFit is how many headers of frames must follow one another.
const framesThatFit = 3

// follow goes from frame to frame. size is the length of the frame whose header is at the beginning, or 0 if there is none
// that goes with the first. fits says that so many followed one another, or all to the end.
func follow(b []byte, end bool, header int, size func(first, b []byte) int) (fits, more bool) {
	rest := b
	for range framesThatFit {
		if len(rest) < header {
			return end && len(rest) == 0 && len(b) > 0, !end
		}
		n := size(b, rest)
		if n == 0 {
			return false, false
		}
		rest = rest[min(n, len(rest)):]
	}
	return true, false
}

// Bit rates of MPEG audio in kbit/s, by the header's index: MPEG-1 layers I, II and III, then MPEG-2 layer I, then II and III.
var mpegRates = [5][15]int{
	{0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448},
	{0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384},
	{0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320},
	{0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256},
	{0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160},
}

// mpegAudio finds MP3 and its relatives (ISO 11172-3 section 2.4.2.3) without an ID3 tag in front.
func mpegAudio(b []byte, end bool) (string, bool) {
	fits, more := follow(b, end, 4, mpegFrame)
	if fits {
		return "MP3", false
	}
	return "", more && (len(b) == 0 || b[0] == 0xFF)
}

// mpegFrame is the length of a frame of MPEG audio with the version, layer and sample rate of the first.
func mpegFrame(first, b []byte) int {
	version, layer, rate := b[1]>>3&3, b[1]>>1&3, b[2]>>2&3 // 3 is MPEG-1; layer I is 3
	kbits := b[2] >> 4
	if b[0] != 0xFF || b[1] < 0xE0 || version == 1 || layer == 0 || rate == 3 || kbits == 0 || kbits == 15 ||
		b[1]&0xFE != first[1]&0xFE || b[2]&0x0C != first[2]&0x0C {
		return 0
	}
	hz := []int{44100, 48000, 32000}[rate]
	row, samples := 3-int(layer), 1152
	if version != 3 {
		hz /= 2
		row = min(row, 1) + 3
	}
	if version == 0 {
		hz /= 2
	}
	switch {
	case layer == 3:
		return (12*mpegRates[row][kbits]*1000/hz + int(b[2]>>1&1)) * 4
	case layer == 1 && version != 3:
		samples = 576
	}
	return samples/8*mpegRates[row][kbits]*1000/hz + int(b[2]>>1&1)
}

// adts finds AAC as it is streamed (ISO 14496-3 section 1.A.2.2).
func adts(b []byte, end bool) (string, bool) {
	fits, more := follow(b, end, 7, adtsFrame)
	if fits {
		return "AAC", false
	}
	return "", more && (len(b) == 0 || b[0] == 0xFF)
}

// adtsFrame is the length of a frame with the profile and sample rate of the first. A frame of two channels has at most 1536
// bytes behind its header.
func adtsFrame(first, b []byte) int {
	if b[0] != 0xFF || b[1]&0xF6 != 0xF0 || b[2]>>2&15 > 12 || b[1] != first[1] || b[2]&0xFC != first[2]&0xFC {
		return 0
	}
	if n := int(b[3]&3)<<11 | int(b[4])<<3 | int(b[5])>>5; n > 7 && n <= 2048 {
		return n
	}
	return 0
}

// transportStream finds MPEG-TS (ISO 13818-1), as live streams have it.
func transportStream(b []byte, end bool) (string, bool) {
	const packet = 188
	fits, more := follow(b, end, 4, func(_, b []byte) int {
		if b[0] == 0x47 && b[1]&0x80 == 0 && b[3]&0x30 != 0 { // no error, and something in it
			return packet
		}
		return 0
	})
	if fits && len(b) >= packet {
		return "MPEG-TS", false
	}
	return "", more && (len(b) == 0 || b[0] == 0x47)
}

// document finds JSON, HTML and XML: a bracket, what may follow it, and text.
func document(b []byte, end bool) (string, bool) {
	const enough = 16
	text := bytes.TrimLeft(bytes.TrimPrefix(b, []byte("\xEF\xBB\xBF")), " \t\r\n")
	if len(text) == 0 {
		return "", true
	}
	if text[0] != '{' && text[0] != '[' && text[0] != '<' || !isText(text[:min(len(text), enough)]) {
		return "", false
	}
	if len(text) < enough && !end {
		return "", true
	}
	inside := bytes.TrimLeft(text[1:], " \t\r\n")
	if len(inside) == 0 {
		return "", !end
	}
	second := inside[0]
	switch {
	case text[0] == '{' && (second == '"' || second == '}'), text[0] == '[' && (second == '"' || second == '{' || second == '[' || second == ']'):
		return "JSON", false
	case text[0] == '<' && (second == '!' || second >= 'A' && second <= 'Z' || second >= 'a' && second <= 'z'):
		if bytes.Contains(bytes.ToLower(text[:min(len(text), 256)]), []byte("html")) {
			return "HTML", false
		}
		return "XML or HTML", false
	case text[0] == '<' && second == '?':
		return "XML", false
	}
	return "", false
}

// isText says whether b is UTF-8 without control characters, but for a last character that is cut.
func isText(b []byte) bool {
	for len(b) > 0 && utf8.FullRune(b) {
		c, n := utf8.DecodeRune(b)
		if c < ' ' && c != '\t' && c != '\r' && c != '\n' || c == 0x7F || c == utf8.RuneError {
			return false
		}
		b = b[n:]
	}
	return true
}
