package marker_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"aldeabridge/aldea/sandbox/marker"
	"aldeabridge/codec"
)

// texts must come out as they went in.
var texts = []string{
	"hello",
	"The quick brown fox jumps over the lazy dog.",
	"a A b B aaaa aaaa aaaaaaaaaaaaaaaa 0 ~ \x7f",
	"“Grüß Gott!” she said – 東京 🎺 naïve déjà-vu 12:30 €5,00",
	"yes yes yes yes no no",
	strings.Repeat("w", 32) + " " + strings.Repeat("ü", 16),
	strings.Repeat("x", marker.MaxWord),
	"",
}

func TestTextComesOutAsItWentIn(t *testing.T) {
	for _, text := range texts {
		if got := marker.Text(marker.Decode(marker.Encode(text), 8000)); got != text {
			t.Errorf("got %q, want %q", got, text)
		}
	}
}

func TestLongWordsAreCutBetweenCharacters(t *testing.T) {
	long := "x" + strings.Repeat("ü", 300)
	got := marker.Decode(marker.Encode(long), 8000)
	var all string
	for _, s := range got {
		if strings.ContainsRune(s.Word, '\uFFFD') || len(s.Word) > marker.MaxWord {
			t.Errorf("got the piece %q", s.Word)
		}
		all += s.Word
	}
	if all != long || len(got) != 3 {
		t.Errorf("got %d pieces that make %q", len(got), all)
	}
}

// line is one way that a signal may have gone, harmlessly.
type line struct {
	name string
	rate int
	pass func([]int16) []int16
}

var lines = []line{
	{"straight", 8000, func(x []int16) []int16 { return x }},
	{"µ-law", 8000, mulaw},
	{"A-law", 8000, alaw},
	{"µ-law to 16 kHz", 16000, func(x []int16) []int16 { return resample(mulaw(x), 8000, 16000) }},
	{"A-law to 16 kHz", 16000, func(x []int16) []int16 { return resample(alaw(x), 8000, 16000) }},
	{"16 kHz and back, µ-law", 8000, func(x []int16) []int16 { return mulaw(resample(resample(x, 8000, 16000), 16000, 8000)) }},
	{"µ-law twice and A-law", 8000, func(x []int16) []int16 { return mulaw(alaw(mulaw(x))) }},
	{"48 kHz", 48000, func(x []int16) []int16 { return convert(x, 8000, 48000) }},
	{"through 11025 Hz", 8000, func(x []int16) []int16 { return convert(convert(x, 8000, 11025), 11025, 8000) }},
}

func TestTextSurvivesTheTelephone(t *testing.T) {
	const text = "Hello, wörld! aaaa 42"
	for _, l := range lines {
		for _, dB := range []float64{-3, -12, -30} {
			for _, late := range []int{0, 77} {
				x := append(make([]int16, late), level(marker.Encode(text), dB)...)
				if got := marker.Text(marker.Decode(l.pass(x), l.rate)); got != text {
					t.Errorf("%s, %v dB, %d samples late: got %q, want %q", l.name, dB, late, got, text)
				}
			}
		}
	}
}

func TestPlacesAreRight(t *testing.T) {
	const front, word, gap = 320, 160 * (6 + 3), 640 // 40 ms, a word of three letters, 80 ms
	for _, l := range lines {
		at := func(n int) int64 { return int64(n * l.rate / 8000) }
		for i, s := range marker.Decode(l.pass(marker.Encode("abc def ghi")), l.rate) {
			begin := front + i*(word+gap)
			if d := s.Start - at(begin); max(d, -d) > at(40) {
				t.Errorf("%s: word %d starts at %d, want %d within 5 ms", l.name, i, s.Start, at(begin))
			}
			if d := s.End - at(begin+word); max(d, -d) > at(40) {
				t.Errorf("%s: word %d ends at %d, want %d within 5 ms", l.name, i, s.End, at(begin+word))
			}
			if s.Number != i || s.Damaged {
				t.Errorf("%s: word %d: got %+v", l.name, i, s)
			}
		}
	}
}

func TestPausesAreWhereTheyWereAskedFor(t *testing.T) {
	x := marker.EncodeUtterances([]string{"one", "two three"}, 990*time.Millisecond)
	got := marker.Decode(x, 8000)
	if marker.Text(got) != "one two three" {
		t.Fatalf("got %q", marker.Text(got))
	}
	if pause := got[1].Start - got[0].End; pause != 8000+640 {
		t.Errorf("the pause is %d samples, want 1 s and the 80 ms between words", pause)
	}
	if got[2].Number != 2 {
		t.Errorf("the third word has number %d, want 2", got[2].Number)
	}
	if len(x)%160 != 0 {
		t.Errorf("the signal has %d samples, want whole 20 ms", len(x))
	}
}

func TestWordsFollowEachOtherFastEnough(t *testing.T) {
	const text = "could you please tell me when the next train to Berlin is going to leave"
	words := float64(len(strings.Fields(text)))
	if rate := words / (float64(len(marker.Encode(text))) / 8000); rate < 3 {
		t.Errorf("%.1f words a second, want 3 or more", rate)
	}
}

// A recognizer's stand-in needs each word as soon as it is there, whatever the chunks.
func TestStreamGivesTheSameHoweverItIsCut(t *testing.T) {
	for _, rate := range []int{8000, 16000} {
		x := mulaw(marker.Encode("one two three four"))
		x = append(x[:5000:5000], x[5160:]...) // with a damaged word
		if rate == 16000 {
			x = resample(x, 8000, 16000)
		}
		want := marker.Decode(x, rate)
		rnd := rand.New(rand.NewPCG(5, 6))
		for range 10 {
			var got []marker.Symbol
			d := marker.NewDecoder(rate)
			written := int64(0)
			for rest := x; len(rest) > 0; {
				n := min(len(rest), 1+rnd.IntN([]int{2, 100, 3000}[rnd.IntN(3)]))
				found := d.Write(rest[:n])
				rest = rest[n:]
				for _, s := range found {
					if !s.Damaged && written > s.End+int64(rate)*30/1000 {
						t.Errorf("%q came %d samples after its end", s.Word, written-s.End)
					}
				}
				written += int64(n)
				got = append(got, found...)
			}
			got = append(got, d.Flush()...)
			if !slices.Equal(got, want) {
				t.Fatalf("%d Hz: got %+v, want %+v", rate, got, want)
			}
		}
	}
}

func TestStreamMayBeginAndEndAnywhere(t *testing.T) {
	const text = "one two three"
	words := strings.Fields(text)
	x := mulaw(marker.Encode(text))
	for from := 0; from < len(x); from += 101 {
		got := strings.Fields(marker.Text(marker.Decode(x[from:], 8000)))
		if len(got) > 0 && got[0] == marker.Damage {
			got = got[1:]
		}
		if want := words[len(words)-min(len(got), len(words)):]; !slices.Equal(got, want) {
			t.Errorf("from sample %d on: got %q, want the last words of %q", from, got, text)
		}
	}
	for to := 0; to < len(x); to += 101 {
		got := strings.Fields(marker.Text(marker.Decode(x[:to], 8000)))
		if n := len(got); n > 0 && got[n-1] == marker.Damage {
			got = got[:n-1]
		}
		if !slices.Equal(got, words[:min(len(got), len(words))]) {
			t.Errorf("up to sample %d: got %q, want the first words of %q", to, got, text)
		}
	}
}

func TestWordBeingHeardIsTold(t *testing.T) {
	x := marker.Encode("word")
	d := marker.NewDecoder(8000)
	if _, ok := d.Sounding(); ok {
		t.Error("a new decoder hears a word")
	}
	d.Write(x[:320+320])
	if at, ok := d.Sounding(); !ok || at != 320 {
		t.Errorf("in a word: got %d, %v, want 320", at, ok)
	}
	d.Write(x[320+320:])
	if _, ok := d.Sounding(); ok {
		t.Error("a word is heard in the silence behind it")
	}
}

func TestFlushMakesTheDecoderAsNew(t *testing.T) {
	x := marker.Encode("word again")
	d := marker.NewDecoder(16000)
	y := resample(x, 8000, 16000)
	want := append(d.Write(y), d.Flush()...)
	d.Write(y[:5000])
	d.Flush()
	if got := append(d.Write(y), d.Flush()...); !slices.Equal(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestOtherRatesAreRefused(t *testing.T) {
	for _, rate := range []int{0, -8000, 11025, 44100, 56000} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("NewDecoder(%d) did not panic", rate)
				}
			}()
			marker.NewDecoder(rate)
		}()
	}
}

func TestSilenceAllocatesNothing(t *testing.T) {
	d := marker.NewDecoder(16000)
	x := make([]int16, 960)
	if n := testing.AllocsPerRun(100, func() { d.Write(x) }); n != 0 {
		t.Errorf("%v allocations a chunk, want 0", n)
	}
}

func ExampleDecoder() {
	d := marker.NewDecoder(8000)
	sound := marker.Encode("Hello, world!")
	for len(sound) > 0 { // as a call brings it: 20 ms at a time
		for _, s := range d.Write(sound[:160]) {
			fmt.Printf("%d to %d ms: %s\n", s.Start/8, s.End/8, s.Word)
		}
		sound = sound[160:]
	}
	// Output:
	// 40 to 280 ms: Hello,
	// 360 to 600 ms: world!
}

// A frame that is lost takes its word with it.
func ExampleDecode() {
	sound := marker.Encode("nothing is lost")
	sound = append(sound[:3200], sound[3360:]...) // 20 ms
	fmt.Println(marker.Text(marker.Decode(sound, 8000)))
	// Output: nothing � lost
}

func BenchmarkDecode(b *testing.B) {
	speech := mulaw(marker.Encode(strings.Repeat("could you tell me the time please ", 10)))
	for name, x := range map[string][]int16{"speech": speech, "silence": make([]int16, len(speech))} {
		for _, rate := range []int{8000, 16000} {
			y := x
			if rate == 16000 {
				y = resample(x, 8000, 16000)
			}
			b.Run(fmt.Sprint(name, "/", rate), func(b *testing.B) {
				for b.Loop() {
					marker.Decode(y, rate)
				}
				seconds := float64(len(x)) / 8000
				b.ReportMetric(b.Elapsed().Seconds()*1e6/float64(b.N)/seconds, "µs/audio-s")
			})
		}
	}
}

func mulaw(x []int16) []int16 {
	b, y := make([]byte, len(x)), make([]int16, len(x))
	codec.EncodeMuLaw(b, x)
	codec.DecodeMuLaw(y, b)
	return y
}

func alaw(x []int16) []int16 {
	b, y := make([]byte, len(x)), make([]int16, len(x))
	codec.EncodeALaw(b, x)
	codec.DecodeALaw(y, b)
	return y
}

func resample(x []int16, from, to codec.Rate) []int16 {
	r, err := codec.NewResampler(from, to)
	if err != nil {
		panic(err)
	}
	return r.Flush(r.Resample(nil, x))
}

func convert(x []int16, from, to codec.Rate) []int16 {
	y, err := codec.ConvertRate(x, from, to)
	if err != nil {
		panic(err)
	}
	return y
}

// level brings the peak to dB below full scale.
func level(x []int16, dB float64) []int16 {
	peak := 1.0
	for _, s := range x {
		peak = max(peak, math.Abs(float64(s)))
	}
	y := make([]int16, len(x))
	for i, s := range x {
		y[i] = int16(math.Round(float64(s) / peak * 32767 * math.Pow(10, dB/20)))
	}
	return y
}
