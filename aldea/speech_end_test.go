package aldea

import (
	"bytes"
	"testing"
	"time"
)

func TestAFinalThatReachesIntoTheNextWordSettlesTheAudioOnlyUpToIt(t *testing.T) {
	ms := func(n int) time.Duration { return time.Duration(n) * time.Millisecond }
	voice, quiet := func(n int) []byte { return bytes.Repeat([]byte{0x90}, n*8) }, func(n int) []byte { return bytes.Repeat([]byte{0xFF}, n*8) }
	tests := map[string]struct {
		audio [][]byte
		final Results
		want  time.Duration
	}{
		"silence at the end":                    {[][]byte{voice(500), quiet(500)}, Results{End: ms(900)}, ms(900)},
		"a word begins 20 ms before the end":    {[][]byte{voice(500), quiet(380), voice(120)}, Results{End: ms(900)}, ms(870)},
		"in the middle of a step":               {[][]byte{voice(500), quiet(395), voice(105)}, Results{End: ms(900)}, ms(880)},
		"the beginning is in the word list":     {[][]byte{voice(500), quiet(380), voice(120)}, Results{End: ms(900), Words: []Word{{Start: ms(880), End: ms(900)}}}, ms(900)},
		"the last word ends before it":          {[][]byte{voice(500), quiet(380), voice(120)}, Results{End: ms(900), Words: []Word{{End: ms(500)}}}, ms(870)},
		"somebody who does not pause":           {[][]byte{voice(1000)}, Results{End: ms(900)}, ms(900)},
		"a recognizer that did not hear a word": {[][]byte{quiet(500), voice(500)}, Results{End: ms(900)}, ms(900)},
		"a result beyond what was sent":         {[][]byte{voice(500), quiet(500)}, Results{End: ms(5000)}, ms(1000)},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := source{ring: ring{limit: 16000}}
			for _, b := range test.audio {
				s.ring.append(b)
			}
			s.next = s.ring.end
			if got := timeOf(s.onset(&test.final)); got != test.want {
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
}
