package codec_test

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"aldeabridge/codec"
)

func TestExpanderMakesWhatDecodingAndResamplingMake(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	mulaw := make([]byte, 5000)
	for i := range mulaw {
		mulaw[i] = byte(rnd.Uint32())
	}
	for i := range 600 { // the loudest there is, in the worst order for the filter
		mulaw[2000+i] = []byte{0x00, 0x80}[i&1]
		if i/17%2 == 1 {
			mulaw[2000+i] ^= 0x80
		}
	}
	pcm := make([]int16, len(mulaw))
	codec.DecodeMuLaw(pcm, mulaw)
	for _, to := range []codec.Rate{8000, 16000} {
		r, err := codec.NewResampler(8000, to)
		if err != nil {
			t.Fatal(err)
		}
		e, err := codec.NewExpander(to)
		if err != nil {
			t.Fatal(err)
		}
		want := codec.AppendLinear16(nil, r.Flush(r.Resample(nil, pcm)))
		var got []byte
		for rest := mulaw; len(rest) > 0; {
			n := min(len(rest), rnd.IntN(400))
			got = e.Append(got, rest[:n])
			rest = rest[n:]
		}
		got = e.Flush(got)
		if !bytes.Equal(got, want) {
			t.Errorf("to %d Hz: the bytes differ", to)
		}
	}
}

func TestExpandersShareARoom(t *testing.T) {
	var room codec.Room
	var shared, alone [2]*codec.Expander
	var got, want [2][]byte
	for i := range shared {
		shared[i], _ = codec.NewExpander(16000)
		alone[i], _ = codec.NewExpander(16000)
	}
	for n := range 400 {
		for i := range shared { // two voices, by turns, in pieces of any length
			piece := make([]byte, (n*7+i*3)%331)
			for k := range piece {
				piece[k] = byte(n*31 + k*(5+2*i))
			}
			got[i] = shared[i].AppendIn(&room, got[i], piece)
			want[i] = alone[i].Append(want[i], piece)
		}
	}
	for i := range got {
		if !bytes.Equal(got[i], want[i]) || len(got[i]) == 0 {
			t.Errorf("voice %d is another in a room that two share", i)
		}
	}
}
