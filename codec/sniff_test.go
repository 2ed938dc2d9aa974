package codec_test

import (
	"bytes"
	"math"
	"math/rand/v2"
	"os/exec"
	"strings"
	"testing"

	"aldeabridge/codec"
)

// frames are n frames of coded audio: a header and noise up to their length.
func frames(header string, length, n int) []byte {
	random := rand.New(rand.NewPCG(1, 2))
	var b []byte
	for range n {
		b = append(b, header...)
		for range length - len(header) {
			b = append(b, byte(random.UintN(256)))
		}
	}
	return b
}

func TestSniffNamesWhatIsNoSamples(t *testing.T) {
	pad := strings.Repeat("\x00\x01\x02\x03", 100)
	for _, c := range []struct {
		name string
		b    []byte
		want string
	}{
		{"MP3 with a tag", []byte("ID3\x04\x00" + pad), "MP3"},
		{"MP3, MPEG-1 layer III, 128 kbit/s, 44100 Hz", frames("\xFF\xFB\x90\x64", 417, 4), "MP3"},
		{"MP3, MPEG-2 layer III, 48 kbit/s, 24000 Hz", frames("\xFF\xF3\x64\xC4", 144, 4), "MP3"},
		{"MP3, MPEG-2.5 layer III, 16 kbit/s, 8000 Hz", frames("\xFF\xE3\x28\xC4", 144, 4), "MP3"},
		{"MP3, one frame and no more", frames("\xFF\xFB\x90\x64", 417, 1), "MP3"},
		{"MPEG-1 layer II, 192 kbit/s, 48000 Hz", frames("\xFF\xFD\xA4\x00", 576, 4), "MP3"},
		{"MPEG-1 layer I, 384 kbit/s, 32000 Hz", frames("\xFF\xFF\xC8\x00", 576, 4), "MP3"},
		{"AAC", frames("\xFF\xF1\x50\x80\x0C\x9F\xFC", 100, 4), "AAC"},
		{"Ogg", []byte("OggS\x00\x02" + pad), "Ogg"},
		{"FLAC", []byte("fLaC\x00\x00" + pad), "FLAC"},
		{"WebM", []byte("\x1A\x45\xDF\xA3" + pad), "WebM or Matroska"},
		{"M4A", []byte("\x00\x00\x00\x1CftypM4A " + pad), "MP4 (M4A)"},
		{"AU", []byte(".snd" + pad), "an .au file"},
		{"AIFF", []byte("FORM\x00\x00\x01\x00AIFF" + pad), "AIFF"},
		{"AMR", []byte("#!AMR\n" + pad), "AMR"},
		{"MPEG-TS", frames("\x47\x40\x00\x10", 188, 4), "MPEG-TS"},
		{"gzip", []byte("\x1F\x8B\x08\x00" + pad), "gzip"},
		{"JSON", []byte(`{"detail":{"status":"quota_exceeded"}}`), "JSON"},
		{"JSON, short", []byte(`{"a":1}`), "JSON"},
		{"JSON with spaces", []byte("\n {\n  \"error\": \"überlastet, später\"}"), "JSON"},
		{"JSON, a list", []byte(`[{"error":"x"}, {"error":"y"}]`), "JSON"},
		{"HTML", []byte("<!DOCTYPE html><title>502</title>"), "HTML"},
		{"XML", []byte(`<?xml version="1.0"?><Error><Code>NoSuchKey</Code></Error>`), "XML"},
		{"XML without a declaration", []byte(`<Error><Code>AccessDenied</Code></Error>`), "XML or HTML"},
		{"WAV as text", []byte("UklGRiQAAABXQVZFZm10IBAAAAABAAEA"), "base64"},
		{"nothing", nil, ""},
		{"one byte", []byte{0xFF}, ""},
	} {
		if got, more := codec.Sniff(c.b, true); got != c.want || more {
			t.Errorf("%s: got %q, %t; want %q", c.name, got, more, c.want)
		}
		if got, _ := sniffBytewise(c.b); got != c.want {
			t.Errorf("%s, byte by byte: got %q, want %q", c.name, got, c.want)
		}
	}
}

// sniffBytewise gives Sniff one byte more as long as it asks for it. It returns how many that were.
func sniffBytewise(b []byte) (string, int) {
	for n := range len(b) {
		if name, more := codec.Sniff(b[:n+1], false); !more {
			return name, n + 1
		}
	}
	name, _ := codec.Sniff(b, true)
	return name, len(b)
}

// Samples may look a little like a frame, as they come from a quiet line. Three frames decide.
func TestSniffTakesSamplesForSamples(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	tone := func(amplitude float64) []int16 {
		out := make([]int16, 8000)
		for i := range out {
			out[i] = int16(amplitude*math.Sin(float64(i)/3) + random.Float64()*4 - 2)
		}
		return out
	}
	for _, amplitude := range []float64{0, 3, 100, 1000, 30000} {
		pcm := tone(amplitude)
		mulaw, alaw := make([]byte, len(pcm)), make([]byte, len(pcm))
		codec.EncodeMuLaw(mulaw, pcm)
		codec.EncodeALaw(alaw, pcm)
		for name, b := range map[string][]byte{"16 bits": codec.AppendLinear16(nil, pcm), "µ-law": mulaw, "A-law": alaw} {
			for at := range 3000 {
				if got, n := sniffBytewise(b[at:]); got != "" || n > 3*1441 {
					t.Fatalf("%s, amplitude %g, from %d on: got %q after %d bytes, want none after three frames at most", name, amplitude, at, got, n)
				}
			}
		}
	}
	for _, b := range []byte{0x00, 0x47, 0x7F, 0x80, 0xD5, 0xFF} {
		if got, _ := codec.Sniff(bytes.Repeat([]byte{b}, 9000), false); got != "" {
			t.Errorf("a line that rests at 0x%02x is taken for %s", b, got)
		}
	}
}

// FFmpeg is no dependency of the tests: where it is, what it makes is named too.
func TestSniffNamesWhatFFmpegMakes(t *testing.T) {
	ffmpeg, err := exec.LookPath("ffmpeg")
	if err != nil {
		t.Log("no ffmpeg here: the made-up frames above are all")
		return
	}
	for format, want := range map[string]string{"mp3": "MP3", "mp2": "MP3", "adts": "AAC", "ogg": "Ogg", "flac": "FLAC", "webm": "WebM or Matroska", "mpegts": "MPEG-TS", "au": "an .au file", "aiff": "AIFF", "caf": "CAF"} {
		b, err := exec.CommandContext(t.Context(), ffmpeg, "-v", "error", "-f", "lavfi", "-i", "sine=d=1:r=48000", "-map_metadata", "-1", "-write_id3v2", "0", "-id3v2_version", "0", "-f", format, "-").Output()
		if err != nil {
			b, err = exec.CommandContext(t.Context(), ffmpeg, "-v", "error", "-f", "lavfi", "-i", "sine=d=1:r=48000", "-f", format, "-").Output()
		}
		if err != nil {
			t.Logf("%s: this ffmpeg does not make it: %v", format, err)
			continue
		}
		if got, _ := sniffBytewise(b); got != want {
			t.Errorf("%s: got %q, want %q; it begins with % x", format, got, want, b[:16])
		}
	}
}

func FuzzSniff(f *testing.F) {
	f.Add(frames("\xFF\xFB\x90\x64", 417, 4))
	f.Add(frames("\xFF\xF1\x50\x80\x0C\x9F\xFC", 100, 4))
	f.Add([]byte(`{"a":1}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		whole, more := codec.Sniff(b, true)
		if more {
			t.Fatal("it asks for more behind the end")
		}
		if parts, n := sniffBytewise(b); (parts == "") != (whole == "") {
			t.Fatalf("whole: %q; byte by byte: %q after %d", whole, parts, n)
		}
	})
}
