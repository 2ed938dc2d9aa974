package voice

import (
	"slices"
	"strings"
	"testing"
	"time"
)

func TestTextIsCutWhereOneBreathes(t *testing.T) {
	for _, c := range []struct {
		text string
		most int
		want []string
	}{
		{"One. Two! Three?", 4, []string{"One.", "Two!", "Thre", "e?"}},
		{"One two. Three four? Five.", 20, []string{"One two. Three four?", "Five."}},
		{"Dr. J. Smith is in. Version 1.5 too.", 20, []string{"Dr. J. Smith is in.", "Version 1.5 too."}},
		{"first line\nsecond line", 12, []string{"first line", "second line"}},
		{"一つ。二つ。", 3, []string{"一つ。", "二つ。"}},
		{"... !!! ???", 20, nil},
		{"100 €", 20, []string{"100 €"}},
	} {
		if got := pieces(c.text, c.most); !slices.Equal(got, c.want) {
			t.Errorf("%q by %d: got %q, want %q", c.text, c.most, got, c.want)
		}
	}
}

func TestAlignedReadsTimesOfEitherKind(t *testing.T) {
	const whole = `{"audio_base64":"` + "AAAAAAAAAAA=" + `","alignment":{"characters":["h","i"," ","y"],"character_start_times_seconds":[0,0.5,1,1.1],"character_end_times_seconds":[0.5,1,1.1,1.5]}}` + "\n\n"
	want := []Word{{"hi", 0, time.Second}, {"you", 1100 * time.Millisecond, 2 * time.Second}}
	for name, second := range map[string]string{
		"from the beginning": `data: {"audio_base64":"","alignment":{"characters":["o","u"],"character_start_times_seconds":[1.5,1.7],"character_end_times_seconds":[1.7,2]}}`,
		"from the line":      `{"audio_base64":"","alignment":{"characters":["o","u"],"character_start_times_seconds":[0.5,0.7],"character_end_times_seconds":[0.7,1.0]}}`,
	} {
		f := MuLaw
		f.Rate = 8 // so that eight bytes are a second
		a := newAligned(strings.NewReader(whole+second), f, "hi you")
		buf := make([]byte, 100)
		for _, err := a.Read(buf); err == nil; _, err = a.Read(buf) {
		}
		if !slices.Equal(a.Words(), want) {
			t.Errorf("%s: got %v, want %v", name, a.Words(), want)
		}
	}
}
