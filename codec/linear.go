package codec

import "encoding/binary"

// AppendLinear16 appends samples as 16-bit little-endian bytes to dst.
func AppendLinear16(dst []byte, samples []int16) []byte {
	for _, s := range samples {
		dst = binary.LittleEndian.AppendUint16(dst, uint16(s))
	}
	return dst
}

// DecodeLinear16 appends the samples of 16-bit little-endian bytes to dst. A last odd byte is not looked at.
func DecodeLinear16(dst []int16, src []byte) []int16 {
	for ; len(src) >= 2; src = src[2:] {
		dst = append(dst, int16(binary.LittleEndian.Uint16(src)))
	}
	return dst
}

// clip is v, or the nearest 16-bit sample.
func clip[T int32 | int64](v T) int16 {
	if T(int16(v)) == v {
		return int16(v)
	}
	if v < 0 {
		return -1 << 15
	}
	return 1<<15 - 1
}
