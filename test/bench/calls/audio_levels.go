package main

import (
	"encoding/base64"
	"encoding/binary"
	"math/rand/v2"

	"aldeabridge/codec"
)

const (
	frame        = 160 // samples in 20 ms
	cycle        = 250 // frames from one utterance to the next: three seconds of speech, two of silence
	spoken       = 150 // frames of a cycle that are speech
	digits       = 4   // how many digits name a call, at the beginning of its audio
	digitFrames  = 5   // frames that a digit lasts
	samplesBytes = 216 // base64 of a frame
)

// level is what a digit sounds like: sixteen steady levels, far enough apart to survive µ-law and resampling.
func level(digit int) int16 { return int16(-22500 + 3000*digit) }

// digitOf reads a level.
func digitOf(level int16) int { return (int(level) + 22500 + 1500) / 3000 }

// digit returns digit number i of a call's name.
func digit(call, i int) int { return call >> (4 * i) & 15 }

// phase is where in the cycle a call's audio begins, so that calls do not all speak at once.
func phase(call int) int { return call * 37 % cycle }

// voices are the payloads of all frames, ready to be sent.
type voices struct {
	digit [16][]byte
	cycle [cycle][]byte
}

func newVoices() *voices {
	v := &voices{}
	encode := func(sample func() int16) []byte {
		var pcm [frame]int16
		for i := range pcm {
			pcm[i] = sample()
		}
		var mulaw [frame]byte
		codec.EncodeMuLaw(mulaw[:], pcm[:])
		return base64.StdEncoding.AppendEncode(nil, mulaw[:])
	}
	for d := range v.digit {
		v.digit[d] = encode(func() int16 { return level(d) })
	}
	random := rand.New(rand.NewPCG(1, 1))
	for i := range v.cycle {
		loud := 8 // a quiet line
		if i < spoken {
			loud = 12000
		}
		v.cycle[i] = encode(func() int16 { return int16(random.IntN(2*loud) - loud) })
	}
	return v
}

// payload is frame n of a call.
func (v *voices) payload(call, n int) []byte {
	if n < digits*digitFrames {
		return v.digit[digit(call, n/digitFrames)]
	}
	return v.cycle[(n+phase(call))%cycle]
}

// isSpeech tells whether frame n of a call is speech.
func isSpeech(call, n int) bool { return (n+phase(call))%cycle < spoken }

// nameSample is the number of the sample, 16000 a second, in the middle of digit i.
func nameSample(i int) int { return (i*digitFrames*frame + digitFrames*frame/2) * 2 }

// sampleAt reads a sample of a masked payload (RFC 6455 section 5.3).
func sampleAt(payload []byte, mask [4]byte, i int) int16 {
	b := [2]byte{payload[2*i] ^ mask[2*i%4], payload[2*i+1] ^ mask[(2*i+1)%4]}
	return int16(binary.LittleEndian.Uint16(b[:]))
}
