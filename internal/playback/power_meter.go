package playback

import (
	"time"

	"aldeabridge/codec"
)

const (
	// frame is how many samples are judged together: 10 ms.
	frame     = 80
	frameTime = frame * perSample
)

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
	sum := m.sum + sumOfSquares(mulaw[:n])
	if m.n += n; m.n < frame {
		m.sum = sum
		return n, 0, false
	}
	*m = meter{}
	return n, sum / frame, true
}

// sumOfSquares adds up in four places, for each addition waits for the one before it.
func sumOfSquares(mulaw []byte) float32 {
	var a, b, c, d float32
	for ; len(mulaw) >= 4; mulaw = mulaw[4:] {
		a += squares[mulaw[0]]
		b += squares[mulaw[1]]
		c += squares[mulaw[2]]
		d += squares[mulaw[3]]
	}
	for _, last := range mulaw {
		a += squares[last]
	}
	return (a + b) + (c + d)
}

// A metronome finds out when frames came out of the telephone. They come one after the other, and some are late: the
// earliest tell the time.
type metronome struct{ last time.Time }

const (
	// drift is how much slower than ours the telephone's clock may be: 1 %.
	drift = frameTime / 100
	// lull is how late a frame is when some before it never came.
	lull = time.Second
)

// tick takes the time when the next frame came.
func (m *metronome) tick(now time.Time) time.Time {
	m.last = earlier(now, m.last.Add(frameTime+drift))
	if now.Sub(m.last) > lull {
		m.last = now
	}
	return m.last
}
