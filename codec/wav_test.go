package codec_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
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

// extensible is a fmt chunk whose code stands in a GUID.
func extensible(code, rate, block, bits int) []byte {
	b := append(format(0xFFFE, 1, rate, block, bits), 22, 0, byte(bits), 0, 0, 0, 0, 0, byte(code), 0)
	return append(b, "\x00\x00\x00\x00\x10\x00\x80\x00\x00\xAA\x00\x38\x9B\x71"...)
}

// riff64 puts chunks into a file of one of the long kinds.
func riff64(name string, chunks ...[]byte) []byte {
	b := withLength(riff(chunks...), "RIFF", 0xFFFFFFFF)
	copy(b, name)
	return b
}

// long is such a file with four samples, and what its ds64 chunk says about their length.
func long(name string, length int64) []byte {
	ds64 := binary.LittleEndian.AppendUint64(make([]byte, 8), uint64(length))
	return riff64(name, chunk("ds64", append(ds64, make([]byte, 12)...)), mono16, withLength(four, "data", 0xFFFFFFFF))
}

var (
	mono8  = chunk("fmt ", format(1, 1, 8000, 1, 8))
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
	{name: "cut in the samples", file: riff(mono16, four)[:48], want: []int16{1, 2}},
	{name: "cut in a sample", file: riff(mono16, four)[:49], want: []int16{1, 2}},
	{name: "half a sample", file: riff(mono16, chunk("data", []byte{1, 0, 2})), want: []int16{1}},
	{name: "length unknown, 2,000,000,000", file: withLength(riff(mono16, four), "data", 2e9), want: []int16{1, 2, 3, 4}},
	{name: "length unknown, 1 GiB", file: withLength(riff(mono16, four), "data", 1<<30), want: []int16{1, 2, 3, 4}},
	{name: "length never filled in, but that of RIFF", file: withLength(riff(mono16, four), "data", 0), want: []int16{1, 2, 3, 4}},
	{name: "no samples, and a chunk behind", file: riff(mono16, chunk("data", nil), chunk("LIST", []byte("INFO"))), want: nil},
	{name: "no samples, and another file", file: append(withLength(riff(mono16, chunk("data", nil)), "RIFF", 100), riff(mono16, four)...), want: []int16{1, 2, 3, 4}},
	{name: "cover art of a megabyte in front", file: riff(mono16, chunk("id3 ", bytes.Repeat([]byte{1}, 1<<20+1)), four), want: []int16{1, 2, 3, 4}},
	{name: "odd chunk without its padding", file: append(riff(chunk("junk", []byte("abc"))[:11]), append(mono16[:len(mono16):len(mono16)], four...)...), want: []int16{1, 2, 3, 4}},
	{name: "odd chunk padded with a letter", file: riff(append(chunk("junk", []byte("abc"))[:11], 'x'), mono16, four), want: []int16{1, 2, 3, 4}},
	{name: "odd samples without their padding, and a chunk", file: riff(mono8, chunk("data", []byte{128, 129, 130})[:11], chunk("LIST", []byte("INFO"))), want: []int16{0, 256, 512}},
	{name: "RF64", file: long("RF64", 8), want: []int16{1, 2, 3, 4}},
	{name: "BW64", file: long("BW64", 8), want: []int16{1, 2, 3, 4}},
	{name: "RF64 that never was told its length", file: long("RF64", 0), want: []int16{1, 2, 3, 4}},
	{name: "RF64 with all ones", file: long("RF64", -1), want: []int16{1, 2, 3, 4}},
	{name: "RF64 without a ds64 chunk", file: riff64("RF64", chunk("JUNK", make([]byte, 28)), mono16, withLength(four, "data", 0xFFFFFFFF)), want: []int16{1, 2, 3, 4}},
	{name: "extensible PCM", file: riff(chunk("fmt ", extensible(1, 8000, 2, 16)), four), want: []int16{1, 2, 3, 4}},
	{name: "extensible µ-law", file: riff(chunk("fmt ", extensible(7, 8000, 1, 8)), chunk("data", []byte{0xFF, 0x80})), want: []int16{0, 32124}},
	{name: "Ambisonics", file: riff(chunk("fmt ", append(extensible(1, 8000, 2, 16)[:26], "\x00\x00\x21\x07\xD3\x11\x86\x44\xC8\xC1\xCA\x00\x00\x00"...)), four), want: []int16{1, 2, 3, 4}},
	{name: "µ-law that claims 16 bits", file: riff(chunk("fmt ", format(7, 1, 8000, 1, 16)), chunk("data", []byte{0xFF, 0x80})), want: []int16{0, 32124}},
	{name: "blocks that were left out", file: riff(chunk("fmt ", format(1, 1, 8000, 0, 16)), four), want: []int16{1, 2, 3, 4}},
	{name: "bits that were left out", file: riff(chunk("fmt ", format(1, 1, 8000, 2, 0)), four), want: []int16{1, 2, 3, 4}},
	{name: "24 bits in 4 bytes", file: riff(chunk("fmt ", format(1, 1, 8000, 4, 24)), chunk("data", []byte{0, 0, 0x34, 0x12})), want: []int16{0x1234}},
	{name: "two files", file: append(riff(mono16, four), riff(mono16, four)...), want: []int16{1, 2, 3, 4, 1, 2, 3, 4}},
	{name: "two files with a chunk between", file: append(riff(mono16, four, chunk("LIST", []byte("INFOx"))), riff(mono16, four)...), want: []int16{1, 2, 3, 4, 1, 2, 3, 4}},
	{name: "two files without lengths", file: bytes.Repeat(withLength(withLength(riff(mono16, four), "data", 0xFFFFFFFF), "RIFF", 0xFFFFFFFF), 2), want: []int16{1, 2, 3, 4, 1, 2, 3, 4}},
	{name: "two files with lengths of zero", file: bytes.Repeat(withLength(withLength(riff(mono16, four), "data", 0), "RIFF", 0), 2), want: []int16{1, 2, 3, 4, 1, 2, 3, 4}},
	{name: "two files, the first shorter than it says", file: append(withLength(riff(mono16, four), "data", 4000), riff(mono16, four)...), want: []int16{1, 2, 3, 4, 1, 2, 3, 4}},
	{name: "two files, the second cut in its header", file: append(riff(mono16, four), riff(mono16, four)[:30]...), want: []int16{1, 2, 3, 4}},
	{name: "two files of two encodings", file: append(riff(mono16, four), riff(mono8, chunk("data", []byte{129}))...), want: []int16{1, 2, 3, 4, 256}},
	{name: "two data chunks", file: riff(mono16, four, four), want: []int16{1, 2, 3, 4, 1, 2, 3, 4}},
	{name: "zeros behind the file", file: append(riff(mono16, four), make([]byte, 500)...), want: []int16{1, 2, 3, 4}},
	{name: "something behind the file", file: append(riff(mono16, four), "{\"error\":1}"...), want: []int16{1, 2, 3, 4}},
	{name: "a chunk behind that is cut", file: append(riff(mono16, four), "LIST\x10\x00\x00\x00INFO"...), want: []int16{1, 2, 3, 4}},
	{name: "samples that begin like a file", file: riff(mono16, chunk("data", []byte("RIFF\x00\x00\x00\x00WAVx"))), want: []int16{0x4952, 0x4646, 0, 0, 0x4157, 0x7856}},
	{name: "samples that end like a file", file: riff(mono16, chunk("data", []byte("RIFF\x00\x00"))), want: []int16{0x4952, 0x4646, 0}},

	{name: "more in front of the samples than is read", file: riff(mono16, append([]byte("JUNK\xFF\xFF\xFF\xFF"), make([]byte, 100)...)), err: codec.ErrBadWAV, words: "more than 16 MiB stand in front"},
	{name: "chunks without end", file: riff(bytes.Repeat(chunk("JUNK", nil), 10_001), mono16, four), err: codec.ErrBadWAV, words: "more than 10000 chunks"},
	{name: "files without end", file: bytes.Repeat(riff(mono16, chunk("data", nil)), 5001), err: codec.ErrBadWAV, words: "more than 10000 chunks"},
	{name: "empty", file: nil, err: codec.ErrBadWAV, words: "ends after 0 bytes"},
	{name: "text", file: []byte("hello, this is no audio"), err: codec.ErrNotWAV, words: `begins with "hell", want "RIFF"`},
	{name: "Ogg", file: []byte("OggS\x00\x02aaaaaaaaaaaa"), err: codec.ErrNotWAV, words: "Ogg"},
	{name: "WebM", file: []byte("\x1A\x45\xDF\xA3aaaaaaaaaaaa"), err: codec.ErrNotWAV, words: "WebM"},
	{name: "AVI", file: []byte("RIFF\x04\x00\x00\x00AVI "), err: codec.ErrNotWAV, words: `want "WAVE"`},
	{name: "cut in the header", file: riff(mono16, four)[:30], err: codec.ErrBadWAV, words: "inside its fmt chunk"},
	{name: "too many channels", file: riff(chunk("fmt ", format(1, 65, 8000, 130, 16)), four), err: codec.ErrBadWAV, words: "want 1 to 64"},
	{name: "no data", file: riff(mono16), err: codec.ErrBadWAV, words: "before any data chunk"},
	{name: "data before fmt", file: riff(four, mono16), err: codec.ErrBadWAV, words: "before the fmt chunk"},
	{name: "fmt too short", file: riff(chunk("fmt ", []byte{1, 0}), four), err: codec.ErrBadWAV, words: "want at least 16"},
	{name: "no channels", file: riff(chunk("fmt ", format(1, 0, 8000, 2, 16)), four), err: codec.ErrBadWAV, words: "want 1 to 64"},
	{name: "no rate", file: riff(chunk("fmt ", format(1, 1, 0, 2, 16)), four), err: codec.ErrBadWAV, words: "0 Hz"},
	{name: "blocks of nothing", file: riff(chunk("fmt ", format(1, 1, 8000, 0, 0)), four), err: codec.ErrBadWAV, words: "blocks are 0 bytes"},
	{name: "blocks that no channels share", file: riff(chunk("fmt ", format(1, 2, 8000, 3, 16)), four), err: codec.ErrBadWAV, words: "blocks are 3 bytes"},
	{name: "more bits than bytes", file: riff(chunk("fmt ", format(1, 1, 8000, 2, 24)), four), err: codec.ErrBadWAV, words: "24 bits but 2 bytes"},
	{name: "Microsoft ADPCM", file: riff(chunk("fmt ", format(2, 1, 8000, 256, 4)), four), err: codec.ErrUnsupportedWAV, words: "not supported: Microsoft ADPCM (format code 0x0002)"},
	{name: "IMA ADPCM", file: riff(chunk("fmt ", format(0x11, 1, 8000, 256, 4)), four), err: codec.ErrUnsupportedWAV, words: "not supported: IMA ADPCM (format code 0x0011)"},
	{name: "GSM", file: riff(chunk("fmt ", format(0x31, 1, 8000, 65, 0)), four), err: codec.ErrUnsupportedWAV, words: "not supported: GSM 6.10 (format code 0x0031)"},
	{name: "GSM without channels", file: riff(chunk("fmt ", format(0x31, 0, 8000, 65, 0)), four), err: codec.ErrUnsupportedWAV, words: "GSM 6.10"},
	{name: "MP3 inside", file: riff(chunk("fmt ", format(0x55, 2, 44100, 1, 0)), four), err: codec.ErrUnsupportedWAV, words: "not supported: MP3 (format code 0x0055)"},
	{name: "GSM in an extensible header", file: riff(chunk("fmt ", extensible(0x31, 8000, 65, 0)), four), err: codec.ErrUnsupportedWAV, words: "GSM 6.10"},
	{name: "a code without a name", file: riff(chunk("fmt ", format(0x1234, 1, 8000, 2, 16)), four), err: codec.ErrUnsupportedWAV, words: "format code 0x1234"},
	{name: "PCM of 64 bits", file: riff(chunk("fmt ", format(1, 1, 8000, 8, 64)), four), err: codec.ErrUnsupportedWAV, words: "with 64 bits"},
	{name: "two rates", file: append(riff(mono16, four), riff(chunk("fmt ", format(1, 1, 16000, 2, 16)), four)...), err: codec.ErrUnsupportedWAV, words: "8000 Hz and 1 channels, and another 16000 Hz"},
	{name: "a chunk longer than the file", file: append(riff(mono16), "LIST\xFF\xFF\x0F\x001234"...), err: codec.ErrBadWAV, words: `inside its "LIST" chunk`},
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

// What is given and what is missing does not depend on how the input is cut.
func TestWAVReaderTellsOfEachFile(t *testing.T) {
	streamed := withLength(withLength(riff(mono16, four), "data", 0xFFFFFFFF), "RIFF", 0xFFFFFFFF)
	for _, c := range []struct {
		name string
		file []byte
		want string // what each file has, and how it ends
	}{
		{"one", riff(mono16, four), "8 of 8; EOF"},
		{"length unknown", streamed, "8 of -1; EOF"},
		{"cut", riff(mono16, four)[:48], "4 of 8, 4 missing; EOF"},
		{"cut behind the header", riff(mono16, four)[:44], "0 of 8, 8 missing; EOF"},
		{"two", append(streamed[:len(streamed):len(streamed)], riff(chunk("fmt ", format(1, 2, 8000, 4, 16)), four)...), "8 of -1; 8 of 8; EOF"},
		{"the first too short", append(withLength(riff(mono16, four), "data", 10), riff(mono16, four)...), "8 of 10, 2 missing; 8 of 8; EOF"},
		{"more behind", append(riff(mono16, four), 1, 2, 3), "8 of 8; " + codec.ErrTrailingWAV.Error()},
		{"samples that are not counted", append(riff(mono16, four), bytes.Repeat([]byte{0xF0, 1}, 20)...), "8 of 8; " + codec.ErrTrailingWAV.Error()},
		{"a document behind", append(riff(mono16, four), `{"detail":"quota"}`...), "8 of 8; " + codec.ErrTrailingWAV.Error()},
		{"a header that is cut behind", append(riff(mono16, four), riff(mono16)[:20]...), "8 of 8; broken WAV file: it ends after 72 bytes, inside its fmt chunk"},
	} {
		for how, r := range map[string]io.Reader{"whole": bytes.NewReader(c.file), "byte by byte": iotest.OneByteReader(bytes.NewReader(c.file))} {
			if got := listWAV(r); got != c.want {
				t.Errorf("%s, %s: got %q, want %q", c.name, how, got, c.want)
			}
		}
	}
}

// listWAV says in words what a WAVReader gives.
func listWAV(r io.Reader) string {
	var all strings.Builder
	w := codec.NewWAVReader(r)
	for {
		h, err := w.Next()
		if err != nil {
			return all.String() + err.Error()
		}
		b, err := io.ReadAll(w)
		fmt.Fprintf(&all, "%d of %d", len(b), h.Length)
		if n := w.Missing(); n > 0 {
			fmt.Fprintf(&all, ", %d missing", n)
		}
		if err != nil {
			fmt.Fprintf(&all, ", %v", err)
		}
		all.WriteString("; ")
	}
}

func TestWAVReaderGivesWhatCameBeforeItReadsMore(t *testing.T) {
	r, w := io.Pipe()
	defer func() { _ = r.Close() }()                        // it returns nil always
	go func() { _, _ = w.Write(riff(mono16, four)[:50]) }() // and then nothing
	in := codec.NewWAVReader(r)
	if _, err := in.Next(); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 100)
	for got := 0; got < 6; {
		n, err := in.Read(b)
		if err != nil {
			t.Fatalf("after %d bytes: %v", got, err)
		}
		got += n
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
		if whole, parts := listWAV(bytes.NewReader(b)), listWAV(iotest.OneByteReader(bytes.NewReader(b))); whole != parts {
			t.Fatalf("whole: %q; byte by byte: %q", whole, parts)
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
