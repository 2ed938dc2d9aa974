package voice

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"strings"
	"testing"
	"testing/iotest"

	"aldeabridge/codec"
)

// tone is a second of 1000 Hz with an amplitude of 10000.
func tone(rate codec.Rate) []int16 {
	out := make([]int16, rate)
	for i := range out {
		out[i] = int16(math.Round(10000 * math.Sin(2*math.Pi*1000*float64(i)/float64(rate))))
	}
	return out
}

// amplitude is that of 1000 Hz in the middle of what was µ-law.
func amplitude(mulaw []byte) float64 {
	pcm := make([]int16, len(mulaw))
	codec.DecodeMuLaw(pcm, mulaw)
	re, im, n := 0.0, 0.0, 0
	for i := 1600; i < 6400; i++ {
		phase := 2 * math.Pi * 1000 * float64(i) / 8000
		re, im, n = re+float64(pcm[i])*math.Cos(phase), im+float64(pcm[i])*math.Sin(phase), n+1
	}
	return 2 * math.Hypot(re, im) / float64(n)
}

func TestEveryFormatBecomesTheSameTone(t *testing.T) {
	stereo := func(s []int16) (out []int16) {
		for _, v := range s {
			out = append(out, v, v)
		}
		return out
	}
	wav := func(rate codec.Rate, channels int, s []int16) []byte {
		var b bytes.Buffer
		if err := codec.WriteWAV(&b, rate, channels, s); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	streamed := wav(22050, 1, tone(22050))
	copy(streamed[4:], "\xff\xff\xff\xff")
	copy(streamed[40:], "\xff\xff\xff\xff")
	chunkBehind := append(wav(16000, 1, tone(16000)), "LIST\x04\x00\x00\x00junk"...)
	alaw, mulaw := make([]byte, 8000), make([]byte, 8000)
	codec.EncodeALaw(alaw, tone(8000))
	codec.EncodeMuLaw(mulaw, tone(8000))
	eight := wav(8000, 1, nil)
	eight[34], eight[32] = 8, 1
	copy(eight[40:], "\x40\x1f\x00\x00")
	for _, s := range tone(8000) {
		eight = append(eight, byte(s>>8)+128)
	}
	big := codec.AppendLinear16(nil, tone(16000))
	swap(big)
	cases := map[string]struct {
		b []byte
		f Format
	}{
		"µ-law":           {mulaw, MuLaw},
		"A-law":           {alaw, ALaw},
		"big-endian":      {big, Format{Encoding: codec.EncodingPCM, Rate: 16000, Channels: 1, Bits: 16, BigEndian: true}},
		"stereo WAV":      {wav(44100, 2, stereo(tone(44100))), Format{}},
		"8-bit WAV":       {eight, Format{}},
		"streamed WAV":    {streamed, Format{}},
		"WAV and more":    {chunkBehind, Format{}},
		"WAV said PCM":    {wav(16000, 1, tone(16000)), Linear16(48000)},
		"PCM 4000 Hz":     {codec.AppendLinear16(nil, tone(4000)), Linear16(4000)},
		"PCM an odd rate": {codec.AppendLinear16(nil, tone(12345)), Linear16(12345)},
	}
	for _, r := range []codec.Rate{8000, 11025, 16000, 22050, 24000, 32000, 44100, 48000} {
		cases[fmt.Sprintf("PCM %d Hz", r)] = struct {
			b []byte
			f Format
		}{codec.AppendLinear16(nil, tone(r)), Linear16(r)}
	}
	for name, c := range cases {
		got, err := io.ReadAll(NewReader(bytes.NewReader(c.b), c.f))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if n := len(got); n < 8000 || n > 8000+48 {
			t.Errorf("%s: got %d samples, want a second and at most 6 ms of a filter's tail", name, n)
			continue
		}
		if a := amplitude(got); a < 9700 || a > 10300 {
			t.Errorf("%s: got a tone of amplitude %.0f, want 10000", name, a)
		}
		cut, err := io.ReadAll(NewReader(iotest.OneByteReader(bytes.NewReader(c.b)), c.f))
		if err != nil || !bytes.Equal(cut, got) {
			t.Errorf("%s: byte by byte it is not the same (%v)", name, err)
		}
	}
}

// Every rate keeps the telephone band and takes away what would fold into it.
func TestPolyphaseKeepsTheBandAndNothingElse(t *testing.T) {
	level := func(rate codec.Rate, hz float64) float64 {
		in := make([]int16, rate/2)
		for i := range in {
			in[i] = int16(math.Round(20000 * math.Sin(2*math.Pi*hz*float64(i)/float64(rate))))
		}
		p := newPolyphase(rate)
		out := p.Flush(p.Resample(nil, in))
		if len(out) != 4000 {
			t.Errorf("%d Hz: half a second became %d samples", rate, len(out))
		}
		sum := 0.0
		for _, s := range out[1000:3000] {
			sum += float64(s) * float64(s)
		}
		return 10 * math.Log10(sum/2000/(20000*20000/2)+1e-12)
	}
	for _, rate := range []codec.Rate{11025, 22050, 22051, 32000, 44100, 96000} {
		for _, hz := range []float64{300, 1000, 3300} {
			if l := level(rate, hz); math.Abs(l) > 0.1 {
				t.Errorf("%d Hz: a tone of %.0f Hz comes with %.2f dB, want 0 within 0.1", rate, hz, l)
			}
		}
		for _, hz := range []float64{4700, 5500} {
			if l := level(rate, hz); l > -60 {
				t.Errorf("%d Hz: a tone of %.0f Hz comes with %.1f dB, want -60 or less", rate, hz, l)
			}
		}
	}
}

func TestReaderGivesWhatCameBeforeItReadsMore(t *testing.T) {
	r, w := io.Pipe()
	defer func() { _ = w.Close() }()
	go func() { _, _ = w.Write(codec.AppendLinear16(nil, tone(22050)[:2205])) }() // 100 ms, and then nothing
	got := make([]byte, 4000)
	n, err := NewReader(r, Linear16(22050)).Read(got)
	if n < 400 || err != nil {
		t.Errorf("got %d samples and %v, want at least 50 ms of the first 100 before the rest comes", n, err)
	}
}

func TestReaderSaysWhatIsWrong(t *testing.T) {
	for _, c := range []struct {
		b    string
		f    Format
		want string
	}{
		{"<html>", Format{}, "it is HTML"},
		{"hello", Format{}, "neither a WAV file nor said to be raw audio"},
		{"ID3\x04rest", Linear16(16000), "it is MP3"},
		{".snd....", MuLaw, ".au file"},
		{"RIFF\x10\x00\x00\x00WAVEfmt ", Format{}, "it ends after 16 bytes, before any data chunk"},
		{"RIFF\x10\x00\x00\x00AVI fmt ", Format{}, "neither a WAV file"},
		{"abcd", Linear16(1), "a sample rate of 1 Hz; possible are 1000 to 768000"},
		{"abcd", Format{Encoding: codec.EncodingPCM, Rate: 8000, Channels: 99, Bits: 16}, "99 channels"},
	} {
		_, err := io.ReadAll(NewReader(strings.NewReader(c.b), c.f))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: got %v, want %q in it", c.b, err, c.want)
		}
	}
}

func FuzzReader(f *testing.F) {
	f.Add([]byte("RIFF\xff\xff\xff\xffWAVEfmt \x10\x00\x00\x00\x01\x00\x02\x00\x22\x56\x00\x00\x88\x58\x01\x00\x04\x00\x10\x00data\xff\xff\xff\xff12345678"))
	f.Add([]byte("raw audio"))
	f.Add([]byte("{\r\r\r\r\r\r\r\r\r\r \r\r\r\r\r\r\r\r\r\r{"))
	f.Add([]byte("samples, and then {\"error\":\"quota\"}\n"))
	f.Add(mp3())
	f.Fuzz(func(t *testing.T, b []byte) {
		whole, err := io.ReadAll(NewReader(bytes.NewReader(b), MuLaw))
		parts, err2 := io.ReadAll(NewReader(iotest.OneByteReader(bytes.NewReader(b)), MuLaw))
		if (err == nil) != (err2 == nil) || err == nil && !bytes.Equal(whole, parts) {
			t.Errorf("whole: %d, %v; byte by byte: %d, %v", len(whole), err, len(parts), err2)
		}
	})
}
