package main

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"aldeabridge/aldea/sandbox"
	"aldeabridge/codec"
	"aldeabridge/events"
	"aldeabridge/internal/voice"
	"aldeabridge/internal/voice/voicetest"
)

// A play and `bridge call` take the same files: what people have, whole or not, and no others.
func TestPlayAndCallReadTheSameFiles(t *testing.T) {
	var b bytes.Buffer
	if err := codec.WriteWAV(&b, 8000, 1, voicetest.Tone("one two three four", 8000)); err != nil {
		t.Fatal(err)
	}
	plain := b.Bytes()
	chunk := func(name string, body []byte) []byte {
		c := binary.LittleEndian.AppendUint32([]byte(name), uint32(len(body)))
		return append(c, append(body, make([]byte, len(body)%2)...)...)
	}
	with := func(in []byte) []byte { return append(append(bytes.Clone(plain[:12]), in...), plain[12:]...) }
	lengths := func(riff, data uint32) []byte {
		f := bytes.Clone(plain)
		binary.LittleEndian.PutUint32(f[4:], riff)
		binary.LittleEndian.PutUint32(f[40:], data)
		return f
	}
	long := func(id string) []byte {
		f := lengths(1<<32-1, 1<<32-1)
		copy(f, id)
		ds64 := binary.LittleEndian.AppendUint64(make([]byte, 8), uint64(len(plain)-44))
		return append(f[:12:12], append(chunk("ds64", append(ds64, make([]byte, 12)...)), f[12:]...)...)
	}
	size := uint32(len(plain) - 44)
	other := func(code, bits byte) []byte {
		f := bytes.Clone(plain)
		f[20], f[34] = code, bits
		return f
	}
	for _, c := range []struct {
		name  string
		file  []byte
		times int    // how often the recording is heard
		want  string // of the error
	}{
		{"plain", plain, 1, ""},
		{"a large iXML chunk", with(chunk("iXML", bytes.Repeat([]byte(" "), 100_000))), 1, ""},
		{"cover art", with(chunk("id3 ", bytes.Repeat([]byte{1}, 300_001))), 1, ""},
		{"RF64", long("RF64"), 1, ""},
		{"BW64", long("BW64"), 1, ""},
		{"2,000,000,000", lengths(2_000_000_036, 2_000_000_000), 1, ""},
		{"1 GiB", lengths(1<<30+36, 1<<30), 1, ""},
		{"0xFFFFFFFF", lengths(1<<32-1, 1<<32-1), 1, ""},
		{"cut", lengths(36+2*size, 2*size), 1, ""},
		{"0", lengths(0, 0), 1, ""},
		{"0 in a RIFF of the true length", lengths(36+size, 0), 1, ""},
		{"three files", bytes.Repeat(plain, 3), 3, ""},
		{"GSM", other(0x31, 0), 0, "not supported: GSM 6.10"},
		{"IMA ADPCM", other(0x11, 4), 0, "not supported: IMA ADPCM"},
		{"Microsoft ADPCM", other(0x02, 4), 0, "not supported: Microsoft ADPCM"},
		{"no samples", plain[:44], 0, "no audio in it"},
		{"half a header", plain[:30], 0, "broken WAV file: it ends"},
		{"FLAC", []byte("fLaC\x00\x00\x00\x22\x10\x00\x10\x00"), 0, "FLAC"},
	} {
		name := filepath.Join(t.TempDir(), "x.wav")
		if err := os.WriteFile(name, c.file, 0o600); err != nil {
			t.Fatal(err)
		}
		said, callErr := readVoices(name)
		audio, playErr := voice.Decode(t.Context(), c.file, voice.Format{})
		if c.want != "" {
			if callErr == nil || playErr == nil || !strings.Contains(callErr.Error(), c.want) || !strings.Contains(playErr.Error(), c.want) {
				t.Errorf("%s: call says %v, play %v; want %q in both", c.name, callErr, playErr, c.want)
			}
			continue
		}
		if callErr != nil || playErr != nil {
			t.Errorf("%s: call says %v, play %v", c.name, callErr, playErr)
			continue
		}
		length, whole := audio.Length()
		want := codec.Rate(8000).Duration(int64(size) / 2 * int64(c.times))
		if got := codec.Rate(8000).Duration(int64(len(said.inbound))); got != want || length != want || !whole {
			t.Errorf("%s: call says %v, play %v of %t, want %v of both", c.name, got, length, whole, want)
		}
		_ = audio.Close()
	}
}

// Content that is not audio is reported and counted, not played.
func TestWhatIsNoAudioIsToldAndCounted(t *testing.T) {
	frame := append([]byte("\xFF\xF3\x64\xC4"), bytes.Repeat([]byte{0x5A, 0xA5, 0x11, 0x30}, 35)...)
	w := newWorld(t, sandbox.Options{Source: sandbox.Marker()}, nil)
	answering(w.webhook, events.TypeUtteranceFinal,
		`{"actions":[{"type":"play","format":"mulaw","audio":"`+base64.StdEncoding.EncodeToString(bytes.Repeat(frame, 20))+`"},{"type":"hangup"}]}`)
	if heard := heardBy(t, w, w.call("CA1", append(say("hello"), silence(30*time.Second)...))); len(heard) > 0 {
		t.Errorf("%d bytes of it were heard", len(heard))
	}
	w.ended(t, 1)
	failed := of[events.ActionFailed](w.delivered(t)["CA1"])
	if len(failed) != 1 || !strings.HasPrefix(failed[0].Reason, "it is MP3, whatever it is called") {
		t.Errorf("got %+v, want one action.failed that names MP3", failed)
	}
	if want := `bridge_audio_failures_total{action="play",cause="bad_audio"} 1`; !strings.Contains(metricsOf(t, w), want) {
		t.Errorf("missing in the metrics: %s", want)
	}
}
