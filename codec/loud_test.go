package codec_test

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"aldeabridge/codec"
)

// Every byte value, at every place of a word and in the rest behind the last word, beside silence and at the edge of enough.
func TestMayBeSpeechCountsTheLoudSamples(t *testing.T) {
	pcm := make([]int16, 1)
	loud := func(b byte) bool {
		codec.DecodeMuLaw(pcm, []byte{b})
		return pcm[0] >= 260 || pcm[0] <= -260
	}
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 20_000 {
		mulaw := make([]byte, rnd.IntN(200))
		count := 0
		for i := range mulaw {
			mulaw[i] = codec.MuLawSilence
			if rnd.IntN(24) == 0 {
				mulaw[i] = byte(rnd.Uint32())
			}
			if loud(mulaw[i]) {
				count++
			}
		}
		if got, want := codec.MayBeSpeech(mulaw), count*32 > len(mulaw); got != want {
			t.Fatalf("%d loud of %d: got %v, want %v: %x", count, len(mulaw), got, want, mulaw)
		}
	}
}

func TestMayBeSpeechTellsSpeechFromTheNoiseOfALine(t *testing.T) {
	const ms = 8 // samples
	audio := func(from, to int, b byte) []byte {
		mulaw := bytes.Repeat([]byte{codec.MuLawSilence}, 60*ms)
		for i := from; i < to; i++ {
			mulaw[i] = b
		}
		return mulaw
	}
	for name, test := range map[string]struct {
		mulaw []byte
		want  bool
	}{
		"nothing":                    {nil, false},
		"noise, -45 dB":              {audio(0, 60*ms, codec.MuLawSilence-19), false},
		"a click of 1 ms":            {audio(100, 100+1*ms, 0x20), false},
		"8 ms of a word's beginning": {audio(100, 100+8*ms, 0x20), true},
	} {
		if got := codec.MayBeSpeech(test.mulaw); got != test.want {
			t.Errorf("%s: got %v, want %v", name, got, test.want)
		}
	}
}

func BenchmarkMayBeSpeech(b *testing.B) {
	mulaw := make([]byte, 160)
	for i := range mulaw {
		mulaw[i] = byte(i * 7)
	}
	for b.Loop() {
		codec.MayBeSpeech(mulaw)
	}
}
