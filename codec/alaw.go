package codec

import "github.com/zaf/g711"

// aLaw maps each A-law byte to its linear sample. It is read-only.
var aLaw = decodeTable(g711.DecodeAlawFrame)

// aLawCode holds the A-law byte for each 12-bit sample: G.711 does not look at the four lowest bits of 16.
// It is read-only.
var aLawCode = func() (t [1 << 12]byte) {
	for i := range t {
		t[i] = g711.EncodeAlawFrame(int16(i << 4))
	}
	return t
}()

// DecodeALaw writes one 16-bit sample to dst for each A-law byte of src and returns len(src). It panics when
// dst is shorter than src.
func DecodeALaw(dst []int16, src []byte) int {
	dst = dst[:len(src)]
	for i, c := range src {
		dst[i] = aLaw[c]
	}
	return len(src)
}

// EncodeALaw writes one A-law byte to dst for each 16-bit sample of src and returns len(src). It panics when
// dst is shorter than src.
func EncodeALaw(dst []byte, src []int16) int {
	dst = dst[:len(src)]
	for i, s := range src {
		dst[i] = aLawCode[uint16(s)>>4]
	}
	return len(src)
}
