package playback

import (
	"math"
	"time"
)

const (
	// loudFrames in a row are the caller speaking.
	loudFrames = 2
	// quietest is the least power of speech: -40 dB of full scale.
	quietest = 328 * 328
	// overNoise is how much louder than the noise of the line speech is: 10 dB.
	overNoise = 10
	// rise is how much the noise may grow from frame to frame: 6 dB a second.
	rise = 1.028
)

// Ears decide from the caller's audio whether he speaks. They are arithmetic: what they may hear as an echo comes
// from outside.
type ears struct {
	meter meter
	loss  float32 // of an echo, as a factor of power
	noise float32 // power of the line without speech
	loud  int     // frames in a row
}

func newEars(echoLoss float64) ears {
	return ears{loss: float32(math.Pow(10, -echoLoss/10)), noise: quietest / overNoise}
}

// frame takes the power of the caller's next frame and that of the loudest frame he may send back as an echo,
// and tells whether he speaks.
func (e *ears) frame(power, heard float32) bool {
	if power > max(quietest, e.noise*overNoise, heard*e.loss) {
		e.loud++
	} else {
		e.loud = 0
	}
	e.follow(power)
	return e.loud >= loudFrames
}

// follow adapts to the noise: at once when it is less, slowly when it is more.
func (e *ears) follow(power float32) {
	e.noise = max(1, min(power, e.noise*rise))
}

// Heard takes the caller's audio, µ-law, 8000 Hz, in pieces of any length, as it comes in. When it is speech
// that is no echo of what plays, playback is interrupted. It does not wait.
func (p *Player) Heard(mulaw []byte) {
	audible := p.audible.Load()
	for len(mulaw) > 0 {
		n, power, ok := p.ears.meter.take(mulaw)
		mulaw = mulaw[n:]
		switch {
		case !ok:
		case !audible:
			p.ears.loud = 0
			p.ears.follow(power)
		default:
			p.mu.Lock()
			heard := p.heard(time.Now())
			p.mu.Unlock()
			if p.ears.frame(power, heard) {
				p.ears.loud = 0
				audible = !p.Interrupt(BySpeech)
			}
		}
	}
}

// Confirm takes word from the recogniser that the caller speaks, which interrupts playback if his audio alone did not.
func (p *Player) Confirm() { p.Interrupt(BySpeech) }
