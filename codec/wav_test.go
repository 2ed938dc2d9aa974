package codec_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"aldeabridge/codec"
)

func TestEveryKindOfWAVIsRead(t *testing.T) {
	want := readGolden(t, "pcm16.wav")
	if want.Rate != 8000 || want.Channels != 1 || len(want.Samples) != 2000 {
		t.Fatalf("pcm16.wav: got %d Hz, %d channels, %d samples; want 8000, 1, 2000", want.Rate, want.Channels, len(want.Samples))
	}
	for name, off := range map[string]int{ // how far a sample may be off
		"pcm8.wav": 256, "pcm24-extensible.wav": 1, "pcm32-extensible.wav": 1, "float32.wav": 1, "float64.wav": 1,
		"mulaw.wav": 600, "alaw.wav": 600, "ffmpeg24.wav": 1, "ffmpeg-list.wav": 0, "ffmpeg-pipe.wav": 0, "sox-pipe.wav": 0,
		"rf64.wav": 0,
	} {
		got := readGolden(t, name)
		if got.Rate != want.Rate || got.Channels != 1 || len(got.Samples) != len(want.Samples) {
			t.Errorf("%s: got %d Hz, %d channels, %d samples; want %d, 1, %d", name, got.Rate, got.Channels, len(got.Samples), want.Rate, len(want.Samples))
			continue
		}
		for i, s := range got.Samples {
			if abs(int(s)-int(want.Samples[i])) > off {
				t.Errorf("%s: sample %d is %d, want %d within %d", name, i, s, want.Samples[i], off)
				break
			}
		}
	}
}

func TestChannelsAreTakenApart(t *testing.T) {
	w := readGolden(t, "stereo.wav")
	left, right, mono := w.Channel(0), w.Channel(1), w.Mono()
	if !slices.Equal(left, readGolden(t, "pcm16.wav").Samples) {
		t.Error("the first channel is not the tone it was made of")
	}
	if len(mono) != 2000 || len(right) != 2000 {
		t.Fatalf("got %d and %d samples, want 2000", len(mono), len(right))
	}
	for i, m := range mono {
		if d := int(left[i]) + int(right[i]) - 2*int(m); abs(d) > 1 {
			t.Fatalf("sample %d: the mean of %d and %d is %d", i, left[i], right[i], m)
		}
	}
}

// format is a fmt chunk's first 16 bytes.
func format(code, channels, rate, block, bits int) []byte {
	b := binary.LittleEndian.AppendUint16(nil, uint16(code))
	b = binary.LittleEndian.AppendUint16(b, uint16(channels))
	b = binary.LittleEndian.AppendUint32(b, uint32(rate))
	b = binary.LittleEndian.AppendUint32(b, uint32(rate*block))
	b = binary.LittleEndian.AppendUint16(b, uint16(block))
	return binary.LittleEndian.AppendUint16(b, uint16(bits))
}

// chunk is one RIFF chunk, padded.
func chunk(name string, body []byte) []byte {
	b := append([]byte(name), binary.LittleEndian.AppendUint32(nil, uint32(len(body)))...)
	b = append(b, body...)
	if len(body)%2 == 1 {
		b = append(b, 0)
	}
	return b
}

// riff puts chunks into a file.
func riff(chunks ...[]byte) []byte {
	return chunk("RIFF", append([]byte("WAVE"), bytes.Join(chunks, nil)...))
}

// withLength overwrites the length of the chunk that begins at the last place where name stands.
func withLength(b []byte, name string, n uint32) []byte {
	b = bytes.Clone(b)
	binary.LittleEndian.PutUint32(b[bytes.LastIndex(b, []byte(name))+4:], n)
	return b
}

var (
	mono16 = chunk("fmt ", format(1, 1, 8000, 2, 16))
	four   = chunk("data", []byte{1, 0, 2, 0, 3, 0, 4, 0})
)

// wavs is what a parser may meet: good files with what they hold, and bad ones with the error and words of it.
var wavs = []struct {
	name  string
	file  []byte
	want  []int16
	err   error
	words string
}{
	{name: "plain", file: riff(mono16, four), want: []int16{1, 2, 3, 4}},
	{name: "no samples", file: riff(mono16, chunk("data", nil)), want: nil},
	{name: "odd chunk in front", file: riff(chunk("junk", []byte("abc")), mono16, four), want: []int16{1, 2, 3, 4}},
	{name: "odd LIST chunk between", file: riff(mono16, chunk("LIST", []byte("INFOISFT\x01\x00\x00\x00x")), four), want: []int16{1, 2, 3, 4}},
	{name: "chunks behind the data", file: riff(mono16, four, chunk("LIST", []byte("INFO"))), want: []int16{1, 2, 3, 4}},
	{name: "length unknown, all ones", file: withLength(withLength(riff(mono16, four), "data", 0xFFFFFFFF), "RIFF", 0xFFFFFFFF), want: []int16{1, 2, 3, 4}},
	{name: "length unknown, zero", file: withLength(withLength(riff(mono16, four), "data", 0), "RIFF", 0), want: []int16{1, 2, 3, 4}},
	{name: "length unknown, zero in a header never mended", file: withLength(withLength(riff(mono16, four), "data", 0), "RIFF", 36), want: []int16{1, 2, 3, 4}},
	{name: "length unknown, cut in a sample", file: append(withLength(riff(mono16, four), "data", 0xFFFFFFFF), 9), want: []int16{1, 2, 3, 4}},
	{name: "20 bits in 3 bytes", file: riff(chunk("fmt ", format(1, 1, 8000, 3, 20)), chunk("data", []byte{0, 0, 0x12})), want: []int16{0x1200}},
	{name: "full scale in 32 bits", file: riff(chunk("fmt ", format(1, 1, 8000, 4, 32)), chunk("data", []byte{0xFF, 0xFF, 0xFF, 0x7F, 0, 0, 0, 0x80})), want: []int16{32767, -32768}},
	{name: "floats beyond full scale and none", file: riff(chunk("fmt ", format(3, 1, 8000, 4, 32)), chunk("data", []byte{0, 0, 0x80, 0x40, 0, 0, 0x80, 0xC0, 0, 0, 0xC0, 0x7F})), want: []int16{32767, -32768, 0}},

	{name: "empty", file: nil, err: codec.ErrBadWAV, words: "ends after 0 bytes"},
	{name: "text", file: []byte("hello, this is no audio"), err: codec.ErrNotWAV, words: `begins with "hell", want "RIFF"`},
	{name: "Ogg", file: []byte("OggS\x00\x02aaaaaaaaaaaa"), err: codec.ErrNotWAV, words: "Ogg"},
	{name: "WebM", file: []byte("\x1A\x45\xDF\xA3aaaaaaaaaaaa"), err: codec.ErrNotWAV, words: "WebM"},
	{name: "AVI", file: []byte("RIFF\x04\x00\x00\x00AVI "), err: codec.ErrNotWAV, words: `want "WAVE"`},
	{name: "cut in the header", file: riff(mono16, four)[:30], err: codec.ErrBadWAV, words: "inside its fmt chunk"},
	{name: "cut in the samples", file: riff(mono16, four)[:48], err: codec.ErrBadWAV, words: "after 4 of the 8 bytes"},
	{name: "no data", file: riff(mono16), err: codec.ErrBadWAV, words: "before any data chunk"},
	{name: "data before fmt", file: riff(four, mono16), err: codec.ErrBadWAV, words: "before the fmt chunk"},
	{name: "fmt too short", file: riff(chunk("fmt ", []byte{1, 0}), four), err: codec.ErrBadWAV, words: "want at least 16"},
	{name: "no channels", file: riff(chunk("fmt ", format(1, 0, 8000, 2, 16)), four), err: codec.ErrBadWAV, words: "want at least 1"},
	{name: "no rate", file: riff(chunk("fmt ", format(1, 1, 0, 2, 16)), four), err: codec.ErrBadWAV, words: "0 Hz"},
	{name: "blocks of nothing", file: riff(chunk("fmt ", format(1, 1, 8000, 0, 16)), four), err: codec.ErrBadWAV, words: "blocks are 0 bytes"},
	{name: "more bits than bytes", file: riff(chunk("fmt ", format(1, 1, 8000, 2, 24)), four), err: codec.ErrBadWAV, words: "24 bits but 2 bytes"},
	{name: "ADPCM", file: riff(chunk("fmt ", format(2, 1, 8000, 1, 4)), four), err: codec.ErrUnsupportedWAV, words: "0x0002"},
	{name: "half a sample", file: riff(mono16, chunk("data", []byte{1, 0, 2})), err: codec.ErrBadWAV, words: "want a multiple of 2"},
	{name: "a chunk longer than the file", file: append(riff(mono16), "LIST\xFF\xFF\xFF\x7F1234"...), err: codec.ErrBadWAV, words: `inside its "LIST" chunk`},
	{name: "unknown sub-format", file: riff(chunk("fmt ", append(format(0xFFFE, 1, 8000, 2, 16), make([]byte, 24)...)), four), err: codec.ErrUnsupportedWAV, words: "sub-format"},
}

func TestWAVTable(t *testing.T) {
	for _, c := range wavs {
		for how, r := range map[string]io.Reader{"whole": bytes.NewReader(c.file), "byte by byte": iotest.OneByteReader(bytes.NewReader(c.file))} {
			w, err := codec.ReadWAV(r)
			if !errors.Is(err, c.err) || err != nil && !strings.Contains(err.Error(), c.words) {
				t.Errorf("%s, %s: got error %v, want %v with %q", c.name, how, err, c.err, c.words)
				continue
			}
			if err == nil && !slices.Equal(w.Samples, c.want) {
				t.Errorf("%s, %s: got %v, want %v", c.name, how, w.Samples, c.want)
			}
		}
	}
}

func TestReadErrorsArePassedOn(t *testing.T) {
	file := riff(mono16, four)
	for n := range file {
		broken := errors.New("line broken")
		_, err := codec.ReadWAV(io.MultiReader(bytes.NewReader(file[:n]), iotest.ErrReader(broken)))
		if !errors.Is(err, broken) {
			t.Errorf("after %d bytes: got error %v, want the reader's own", n, err)
		}
	}
}

func TestHeaderIsFoundAtTheBeginningOfAStream(t *testing.T) {
	file := riff(mono16, chunk("LIST", []byte("INFOx")), four)
	for n := range len(file) + 1 {
		h, used, err := codec.ParseWAVHeader(file[:n])
		switch want := len(file) - 8; {
		case n < want && !errors.Is(err, codec.ErrShortWAV):
			t.Errorf("%d bytes: got error %v, want ErrShortWAV", n, err)
		case n >= want && (err != nil || used != want || h.Rate != 8000 || h.Channels != 1 || h.Encoding != codec.EncodingPCM || h.Bits != 16 || h.Length != 8):
			t.Errorf("%d bytes: got %+v, %d, %v; want 16-bit PCM at 8000 Hz and %d", n, h, used, err, want)
		}
	}
	for _, b := range []string{"R", "RIF"} {
		if _, _, err := codec.ParseWAVHeader([]byte(b)); !errors.Is(err, codec.ErrShortWAV) {
			t.Errorf("%q: got error %v, want ErrShortWAV", b, err)
		}
	}
	for _, b := range []string{"\x00", "RX", "OggS", "\xff\xff\xff\xff\xff"} {
		if _, _, err := codec.ParseWAVHeader([]byte(b)); !errors.Is(err, codec.ErrNotWAV) {
			t.Errorf("%q: got error %v, want ErrNotWAV", b, err)
		}
	}
}

func TestWhatIsWrittenIsReadBack(t *testing.T) {
	samples := make([]int16, 30000)
	for i := range samples {
		samples[i] = int16(i * 7)
	}
	for _, channels := range []int{1, 2, 3} {
		var b bytes.Buffer
		if err := codec.WriteWAV(&b, 44100, channels, samples); err != nil {
			t.Fatal(err)
		}
		w, err := codec.ReadWAV(&b)
		if err != nil || w.Rate != 44100 || w.Channels != channels || !slices.Equal(w.Samples, samples) {
			t.Errorf("%d channels: error %v, or something else came back", channels, err)
		}
	}
	var b bytes.Buffer
	if err := codec.WriteMuLawWAV(&b, []byte{0x00, 0x80, 0xFF}); err != nil {
		t.Fatal(err)
	}
	if b.Len()%2 != 0 {
		t.Error("an odd number of bytes is not padded")
	}
	w, err := codec.ReadWAV(&b)
	if err != nil || !slices.Equal(w.Samples, []int16{-32124, 32124, 0}) {
		t.Errorf("µ-law: got %v, error %v", w, err)
	}
	if err := codec.WriteWAV(io.Discard, 8000, 2, samples[:3]); err == nil {
		t.Error("three samples for two channels: got no error")
	}
	if err := codec.WriteWAV(io.Discard, 0, 1, samples); !errors.Is(err, codec.ErrRate) {
		t.Errorf("0 Hz: got error %v, want ErrRate", err)
	}
}

func FuzzReadWAV(f *testing.F) {
	for _, c := range wavs {
		f.Add(c.file)
	}
	files, err := filepath.Glob("testdata/*.wav")
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b[:min(len(b), 300)])
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		h, n, err := codec.ParseWAVHeader(b)
		if err == nil && (n > len(b) || h.BlockSize() < 1 || h.Rate < 1) {
			t.Fatalf("header %+v of %d bytes out of %d", h, n, len(b))
		}
		w, err := codec.ReadWAV(bytes.NewReader(b))
		if err != nil {
			return
		}
		if len(w.Samples)%w.Channels != 0 || len(w.Samples) > len(b) {
			t.Fatalf("%d samples for %d channels out of %d bytes", len(w.Samples), w.Channels, len(b))
		}
		var again bytes.Buffer
		if err := codec.WriteWAV(&again, w.Rate, w.Channels, w.Samples); err != nil {
			return // more channels than WriteWAV takes
		}
		v, err := codec.ReadWAV(&again)
		if err != nil || v.Rate != w.Rate || v.Channels != w.Channels || !slices.Equal(v.Samples, w.Samples) {
			t.Fatalf("written and read again it differs (error %v)", err)
		}
	})
}

func readGolden(t *testing.T, name string) *codec.WAV {
	t.Helper()
	w, err := codec.ReadWAV(bytes.NewReader(golden(t, name)))
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return w
}
