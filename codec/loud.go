package codec

import (
	"encoding/binary"
	"math/bits"
)

const (
	// loudMuLaw is the least magnitude of a loud sample as µ-law has it, in the lower seven bits, inverted: it stands for 260 of
	// 32768, -42 dB of full scale. The noise of a telephone line is below.
	loudMuLaw = 0x18
	// oneInLoud is how many samples may be for each loud one.
	oneInLoud = 32
)

// MayBeSpeech reports whether µ-law audio may be part of a word: more than one sample in 32 is beyond -42 dB of full scale.
// It errs towards speech.
func MayBeSpeech(mulaw []byte) bool {
	const (
		every     = 0x0101010101010101
		magnitude = 0x7F * every
		toTop     = (0x80 - loudMuLaw) * every // takes a loud magnitude to the top bit, and none beyond it
	)
	loud, all := 0, len(mulaw)
	for ; len(mulaw) >= 8; mulaw = mulaw[8:] {
		eight := ^binary.LittleEndian.Uint64(mulaw) & magnitude
		loud += bits.OnesCount64((eight + toTop) &^ magnitude)
	}
	for _, b := range mulaw {
		if ^b&0x7F >= loudMuLaw {
			loud++
		}
	}
	return loud*oneInLoud > all
}
