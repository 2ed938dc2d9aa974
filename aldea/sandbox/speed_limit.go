package sandbox

import (
	"errors"
	"time"
)

// The speed limit of audio: Deepgram asks for at most 1.25 times real time.
const (
	speedNumerator, speedDenominator = 5, 4
	speedBurst                       = 500 * time.Millisecond
)

// errTooFast is the close reason for a client above the limit.
var errTooFast = errors.New("audio arrives faster than 1.25 times real time")

// A gauge measures how far audio is ahead of the speed limit.
type gauge struct {
	ahead time.Duration
	last  time.Time
}

// add adds audio and returns how much of it is too early.
func (g *gauge) add(audio time.Duration, now time.Time) time.Duration {
	if !g.last.IsZero() {
		g.ahead = max(0, g.ahead-now.Sub(g.last)*speedNumerator/speedDenominator)
	}
	g.last = now
	g.ahead += audio
	return max(0, g.ahead-speedBurst)
}

// limit applies the speed limit to audio that arrived.
func (w *worker) limit(audio time.Duration) error {
	switch w.fault.Speed {
	case SpeedClose:
		if w.gauge.add(audio, w.arrived) > 0 {
			return errTooFast
		}
	case SpeedDelay:
		now := time.Now()
		if early := w.gauge.add(audio, now); early > 0 {
			w.notBefore = now.Add(early * speedDenominator / speedNumerator)
		}
	}
	return nil
}
