package marker_test

import (
	"slices"
	"strings"
	"testing"

	"aldeabridge/aldea/sandbox/marker"
)

// harm is one thing that can go wrong with a frame, at sample i.
type harm struct {
	name string
	do   func(x []int16, i int) []int16
}

const frame = 160

var harms = []harm{
	{"lost", func(x []int16, i int) []int16 { return slices.Concat(x[:i], x[i+frame:]) }},
	{"doubled", func(x []int16, i int) []int16 { return slices.Concat(x[:i+frame], x[i:]) }},
	{"swapped with the next", func(x []int16, i int) []int16 {
		return slices.Concat(x[:i], x[i+frame:i+2*frame], x[i:i+frame], x[i+2*frame:])
	}},
	{"replaced by silence", func(x []int16, i int) []int16 {
		return slices.Concat(x[:i], make([]int16, frame), x[i+frame:])
	}},
	{"replaced by the frame before", func(x []int16, i int) []int16 {
		return slices.Concat(x[:i], x[i-frame:i], x[i+frame:])
	}},
}

// Wherever one frame is harmed, the text differs, unless the frame lay in silence but for 2.5 ms at most, or the
// harm left the same sound.
func TestHarmToAnyFrameIsSeen(t *testing.T) {
	const text = "ab aaa"
	for _, l := range []line{lines[1], lines[3]} { // µ-law, and that at 16 kHz
		clean := mulaw(marker.Encode(text))
		words := marker.Decode(clean, 8000)
		inWord := func(from, to int) (n int64) {
			for _, s := range words {
				n = max(n, min(int64(to), s.End)-max(int64(from), s.Start))
			}
			return n
		}
		for _, h := range harms {
			for i := frame; i+2*frame <= len(clean); i += 19 {
				x := h.do(clean, i)
				if slices.Equal(x, clean) || inWord(i, i+frame) < 20 && inWord(i+frame, i+2*frame) < 20 {
					continue
				}
				if h.name != "swapped with the next" && inWord(i, i+frame) < 20 {
					continue
				}
				if got := marker.Text(marker.Decode(l.pass(x), l.rate)); got == text {
					t.Errorf("%s: the frame at %d is %s, and the text is the same", l.name, i, h.name)
				}
			}
		}
	}
}

// Frames as a carrier cuts them: each harm is seen in exactly its word, or in it and its neighbor.
func TestHarmStaysInItsWord(t *testing.T) {
	words := []string{"one", "two", "three", "four"}
	x := marker.Encode(strings.Join(words, " "))
	clean := marker.Decode(x, 8000)
	for _, h := range harms {
		for i := frame; i+2*frame <= len(x); i += frame {
			got := strings.Fields(marker.Text(marker.Decode(h.do(x, i), 8000)))
			for k, s := range clean {
				near := int64(i+3*frame) >= s.Start-frame && int64(i) <= s.End+frame
				if !near && !slices.Contains(got, words[k]) {
					t.Errorf("the frame at %d is %s: got %q, want %q unharmed", i, h.name, got, words[k])
				}
			}
		}
	}
}

func TestMixedSignalsDestroyEachOther(t *testing.T) {
	const a, b = "the first speaker says this", "another one says that instead"
	x, y := marker.Encode(a), marker.Encode(b)
	for late := 0; late < len(y)/2; late += 811 {
		mixed := make([]int16, max(len(x), len(y)+late))
		for i := range mixed {
			var sum int
			if i < len(x) {
				sum += int(x[i]) / 2
			}
			if i >= late && i-late < len(y) {
				sum += int(y[i-late]) / 2
			}
			mixed[i] = int16(sum)
		}
		got := marker.Text(marker.Decode(mulaw(mixed), 8000))
		if got == a || got == b {
			t.Errorf("%d samples late: got %q out of the mixture", late, got)
		}
	}
}

func TestWordsThatAreLostOrComeAgainAreSeen(t *testing.T) {
	x := marker.Encode("no no no")
	words := marker.Decode(x, 8000)
	from, to := words[1].Start-80, words[2].Start-80
	if got := marker.Text(marker.Decode(slices.Concat(x[:from], x[to:]), 8000)); got != "no no" {
		t.Errorf("one lost: got %q", got)
	}
	again := marker.Decode(slices.Concat(x[:to], x[from:]), 8000)
	if got := marker.Text(again); got != "no no no no" {
		t.Errorf("one doubled: got %q", got)
	}
	if again[2].Number != 1 {
		t.Errorf("the word that came again has number %d, want 1", again[2].Number)
	}
	// From the middle of one to the same place in the next: the words are equal, their numbers are not.
	half := (words[1].Start + words[1].End) / 2
	if got := marker.Text(marker.Decode(slices.Concat(x[:half], x[half+to-from:]), 8000)); got == "no no" {
		t.Error("a word spliced from two is taken for whole")
	}
}

func TestOtherSoundsAreNoWords(t *testing.T) {
	x := marker.Encode("a word")
	for i := range x { // a buzz where the tones are, much like a busy tone
		x[i] = int16((i%18 - 9) * 800)
	}
	if got := marker.Decode(x, 8000); len(got) != 0 {
		t.Errorf("got %+v out of a buzz", got)
	}
}

// Any text, harmed at any places, and any noise behind it.
func FuzzDecoder(f *testing.F) {
	f.Add("seed é", []byte{}, []byte{}, uint16(161))
	for i := range harms {
		f.Add("two words", []byte{byte(i), 8, 30}, []byte{0, 255, 3}, uint16(i*97))
	}
	f.Fuzz(func(t *testing.T, text string, edits, noise []byte, piece uint16) {
		x := marker.Encode(text[:min(len(text), 40)])
		if len(edits) == 0 {
			if got, want := marker.Text(marker.Decode(x, 8000)), strings.Join(strings.Fields(text[:min(len(text), 40)]), " "); got != want {
				t.Fatalf("got %q, want %q", got, want)
			}
		}
		for ; len(edits) >= 3 && len(x) < 100_000; edits = edits[3:] {
			if room := len(x) - 3*frame; room > 0 {
				x = harms[int(edits[0])%len(harms)].do(x, frame+(int(edits[1])<<8|int(edits[2]))%room)
			}
		}
		for i, b := range noise[:min(len(noise), 2000)] {
			x = append(x, int16(b)<<8)
			x[i*7%len(x)] += int16(b)
		}
		n := int(piece)%2000 + 1
		for _, rate := range []int{8000, 16000} {
			same(t, x, rate, n)
		}
	})
}

// same wants the same words from x whole and in pieces of n samples, each in its place.
func same(t *testing.T, x []int16, rate, n int) {
	t.Helper()
	want := marker.Decode(x, rate)
	last := int64(0)
	for _, s := range want {
		if s.Start < last || s.End < s.Start || s.End > int64(len(x)) {
			t.Fatalf("%+v after %d in %d samples", s, last, len(x))
		}
		last = s.End
	}
	d := marker.NewDecoder(rate)
	var got []marker.Symbol
	for rest := x; len(rest) > 0; {
		k := min(len(rest), n)
		got = append(got, d.Write(rest[:k])...)
		rest = rest[k:]
	}
	if got = append(got, d.Flush()...); !slices.Equal(got, want) {
		t.Fatalf("in pieces of %d: got %+v, want %+v", n, got, want)
	}
}
