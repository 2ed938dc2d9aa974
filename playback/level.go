package playback

import "aldeabridge/codec"

// frame is how many samples are judged together: 20 ms.
const frame = 160

// squares is the square of the sample that each µ-law byte stands for. Nobody writes it.
var squares = func() (t [256]float32) {
	var code [256]byte
	var sample [256]int16
	for i := range code {
		code[i] = byte(i)
	}
	codec.DecodeMuLaw(sample[:], code[:])
	for i, s := range sample {
		t[i] = float32(s) * float32(s)
	}
	return t
}()

// A meter measures the power of frames, the mean square of their samples, however the audio is cut.
type meter struct {
	n   int
	sum float32
}

// take reads the beginning of mulaw and returns how many bytes. When they end a frame, ok is true and power is
// that of the frame.
func (m *meter) take(mulaw []byte) (n int, power float32, ok bool) {
	n = min(len(mulaw), frame-m.n)
	sum := m.sum
	for _, b := range mulaw[:n] {
		sum += squares[b]
	}
	if m.n += n; m.n < frame {
		m.sum = sum
		return n, 0, false
	}
	*m = meter{}
	return n, sum / frame, true
}
