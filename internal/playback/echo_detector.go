package playback

import (
	"math"
	"time"
)

const (
	// loudFrames is how much of the caller's audio must be loud to be speech: 40 ms, longer than a click.
	loudFrames = 4
	// memory is how many frames long a delay of the echo is out of the question: 2 s.
	memory = 200
	// quietest is the least power of speech: -40 dB of full scale.
	quietest = 328 * 328
	// overNoise is how much louder than the noise of the line speech is: 10 dB.
	overNoise = 10
	// rise is how much the noise may grow from frame to frame: 6 dB a second.
	rise = 1.0139
	// before and after are how many frames an echo may be blurred by, around the one that its delay says.
	before, after = 5, 1
)

// Ears decide from the caller's audio whether he speaks. They are arithmetic: what they may hear as an echo comes
// from outside.
//
// Whether a sound is an echo can be told although nobody knows its delay: it has one. So ears remember for which delays
// there was audio that was too loud for an echo. The caller speaks when there was for every delay.
type ears struct {
	meter     meter
	metronome metronome
	loss      float32 // of an echo, as a factor of power
	noise     float32 // power of the line without speech
	frames    int64   // so far
	loud      int     // frames in a row
	*delays           // nil until something plays
}

// Delays are what ears know about the echo, by how late it is.
type delays struct {
	heard [taps]float32
	alien [taps]int   // frames in a row that were too loud for an echo
	no    [taps]int64 // when there last were enough: no echo has this delay
}

func newEars(echoLoss float64) ears {
	return ears{loss: float32(math.Pow(10, -echoLoss/10)), noise: quietest / overNoise}
}

// listen gets ready for frame. Most callers never hear us, and need nothing for it.
func (e *ears) listen() {
	if e.delays == nil {
		e.delays = &delays{}
		e.forget()
	}
}

// frame takes the power of the caller's next frame, after listen. When it is loud, e.heard must hold what may be heard as an echo.
// It tells whether the caller speaks.
func (e *ears) frame(power float32) bool {
	e.frames++
	loud := e.isLoud(power)
	e.follow(power)
	if !loud {
		e.loud, e.alien = 0, [taps]int{}
		return false
	}
	e.loud++
	speaks := e.loud >= loudFrames
	for i := range e.alien {
		if power > e.echo(i) {
			e.alien[i]++
		} else {
			e.alien[i] = 0
		}
		if e.alien[i] >= loudFrames {
			e.no[i] = e.frames
		}
		speaks = speaks && e.frames-e.no[i] < memory
	}
	return speaks
}

// echo is how loud an echo with the delay i can be.
func (e *ears) echo(i int) float32 {
	most := float32(0)
	for _, h := range e.heard[max(0, i-after):min(taps, i+before+1)] {
		most = max(most, h)
	}
	return most * e.loss
}

// isLoud tells whether a frame can be speech.
func (e *ears) isLoud(power float32) bool { return power > max(quietest, e.noise*overNoise) }

// follow adapts to the noise: at once when it is less, slowly when it is more.
func (e *ears) follow(power float32) {
	e.noise = max(quietest/overNoise, min(power, e.noise*rise))
}

// forget begins anew.
func (e *ears) forget() {
	e.loud, e.alien = 0, [taps]int{}
	for i := range e.no {
		e.no[i] = e.frames - memory
	}
}

// Heard takes the caller's audio, µ-law, 8000 Hz, in pieces of any length, as it comes in. When it is speech
// that is no echo of what plays, playback is interrupted. It does not wait.
func (p *Player) Heard(mulaw []byte) {
	now := time.Now()
	audible := p.audible.Load()
	e := &p.ears
	if !audible && e.loud != 0 {
		e.forget()
	}
	if audible {
		e.listen()
	}
	for len(mulaw) > 0 {
		n, power, ok := e.meter.take(mulaw)
		mulaw = mulaw[n:]
		if !ok {
			continue
		}
		t := e.metronome.tick(now)
		if !audible {
			e.follow(power)
			continue
		}
		if e.isLoud(power) {
			e.heard = [taps]float32{}
			p.mu.Lock()
			p.echoes(t, &e.heard)
			p.mu.Unlock()
		}
		if e.frame(power) {
			e.forget()
			audible = !p.Interrupt(BySpeech)
		}
	}
}

// Confirm takes word from the recognizer that the caller speaks, which interrupts playback if his audio alone did not.
func (p *Player) Confirm() { p.Interrupt(BySpeech) }
