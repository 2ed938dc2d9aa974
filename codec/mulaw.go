package codec

import "github.com/zaf/g711"

// muLaw maps each µ-law byte to its linear sample. It is read-only.
var muLaw = decodeTable(g711.DecodeUlawFrame)

// muLawCode holds the µ-law byte for each 14-bit sample: G.711 does not look at the two lowest bits of 16.
// It is read-only.
var muLawCode = func() (t [1 << 14]byte) {
	for i := range t {
		t[i] = g711.EncodeUlawFrame(int16(i << 2))
	}
	return t
}()

// MuLawSilence is the µ-law byte for a sample of zero. (0x7F is zero too, from below.)
const MuLawSilence = 0xFF

// DecodeMuLaw writes one 16-bit sample to dst for each µ-law byte of src and returns len(src). It panics when
// dst is shorter than src.
func DecodeMuLaw(dst []int16, src []byte) int {
	dst = dst[:len(src)]
	for i, c := range src {
		dst[i] = muLaw[c]
	}
	return len(src)
}

// EncodeMuLaw writes one µ-law byte to dst for each 16-bit sample of src and returns len(src). It panics when
// dst is shorter than src.
func EncodeMuLaw(dst []byte, src []int16) int {
	dst = dst[:len(src)]
	for i, s := range src {
		dst[i] = muLawCode[uint16(s)>>2]
	}
	return len(src)
}

// decodeTable asks frame for all 256 codes.
func decodeTable(frame func(uint8) int16) (t [256]int16) {
	for i := range t {
		t[i] = frame(uint8(i))
	}
	return t
}
