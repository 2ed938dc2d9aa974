package sandbox

import "bytes"

// sniffLength is how many bytes tell a container from samples.
const sniffLength = 12

// container names the container that audio beginning with b is in, in ffmpeg's words, or "" for bare samples. Samples
// that by chance look like an MPEG frame header are the one ambiguity; it only arises where the client
// did not say that it sends samples.
func container(b []byte) string {
	switch {
	case isWAV(b):
		return "wav"
	case bytes.HasPrefix(b, []byte("\x1a\x45\xdf\xa3")):
		return "matroska"
	case bytes.HasPrefix(b, []byte("OggS")):
		return "ogg"
	case bytes.HasPrefix(b, []byte("fLaC")):
		return "flac"
	case bytes.HasPrefix(b, []byte("ID3")):
		return "mp3"
	case len(b) >= 8 && bytes.Equal(b[4:8], []byte("ftyp")):
		return "mov"
	case len(b) >= 4 && b[0] == 0xff && b[1]&0xf6 == 0xf0 && b[2]>>2&0xf < 13: // ADTS: layer 0, a legal rate
		return "aac"
	case len(b) >= 4 && b[0] == 0xff && b[1]&0xe6 == 0xe2 && b[2]>>4 != 0 && b[2]>>4 != 15 && b[2]>>2&3 != 3: // layer III
		return "mp3"
	}
	return ""
}

// demuxer is ffmpeg's name for an encoding of the URL, for audio that does not show what it is.
func demuxer(encoding string) string {
	switch encoding {
	case "mp3", "aac", "flac", "ogg":
		return encoding
	case "opus":
		return "ogg"
	case "webm":
		return "matroska"
	case "m4a":
		return "mov"
	}
	return ""
}

// isWAV reports whether b begins like a RIFF file of type WAVE.
func isWAV(b []byte) bool {
	return len(b) >= sniffLength && bytes.Equal(b[:4], []byte("RIFF")) && bytes.Equal(b[8:12], []byte("WAVE"))
}
