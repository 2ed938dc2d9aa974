package playback

import (
	"time"

	"aldeabridge/codec"
)

const (
	// frame is the number of samples that are measured together: 10 ms.
	frame     = 80
	frameTime = frame * perSample
)

// squares has the square of the sample that each µ-law byte encodes. It is read-only.
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

// powerMeter measures the power of each frame, the mean square of its samples. Frames may span pieces of audio.
type powerMeter struct {
	n   int
	sum float32
}

// measure consumes the first n bytes of mulaw. If they complete a frame, ok is true and power is the frame's.
func (m *powerMeter) measure(mulaw []byte) (n int, power float32, ok bool) {
	n = min(len(mulaw), frame-m.n)
	sum := m.sum + sumOfSquares(mulaw[:n])
	if m.n += n; m.n < frame {
		m.sum = sum
		return n, 0, false
	}
	*m = powerMeter{}
	return n, sum / frame, true
}

// sumOfSquares uses four sums because each addition depends on the one before it.
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

// frameClock estimates when frames left the telephone. Frames are evenly spaced, and some arrive late, so the earliest
// arrivals set the clock.
type frameClock struct{ last time.Time }

const (
	// drift is how much slower the telephone's clock may run: 1 %.
	drift = frameTime / 100
	// maxDelay is the delay from which frames must have been lost, so that the clock restarts.
	maxDelay = time.Second
)

// next returns the estimate for a frame that arrived at now.
func (m *frameClock) next(now time.Time) time.Time {
	m.last = earlier(now, m.last.Add(frameTime+drift))
	if now.Sub(m.last) > maxDelay {
		m.last = now
	}
	return m.last
}
