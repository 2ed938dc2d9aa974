package playback

import (
	"math"
	"time"
)

const (
	// speechFrames is the number of loud frames in a row that count as speech: 40 ms, longer than a click.
	speechFrames = 4
	// excludedFrames is for how many frames a delay stays excluded: 2 s.
	excludedFrames = 200
	// minSpeechPower is the least power of speech: -40 dB of full scale.
	minSpeechPower = 328 * 328
	// minNoiseRatio is the least ratio of the power of speech to that of the line's noise: 10 dB.
	minNoiseRatio = 10
	// noiseRise is the factor by which the noise estimate may grow per frame: 6 dB a second.
	noiseRise = 1.0139
	// blurBefore and blurAfter are the frames by which an echo may be blurred, before and after its delay.
	blurBefore, blurAfter = 5, 1
)

// echoDetector tells the caller's speech from an echo of the played audio. It does no I/O and reads no clock.
//
// The echo's delay is unknown but constant. So the detector notes each delay with which the caller's audio was too loud to be
// an echo. The caller speaks when every delay is excluded.
type echoDetector struct {
	meter      powerMeter
	arrivals   frameClock
	echoLoss   float32 // a factor of power
	noise      float32 // estimated power of the line without speech
	frames     int64   // number of frames measured
	loud       int     // loud frames in a row
	*echoState         // nil until something plays
}

// echoState has one element for each delay of an echo, in frames.
type echoState struct {
	played   [echoDelays]float32 // power of the audio that the caller heard then
	tooLoud  [echoDelays]int     // frames in a row that were too loud for an echo
	excluded [echoDelays]int64   // the frame that last excluded the delay
}

func newEchoDetector(echoLoss float64) echoDetector {
	return echoDetector{echoLoss: float32(math.Pow(10, -echoLoss/10)), noise: minSpeechPower / minNoiseRatio}
}

// allocate prepares for detect. Calls on which nothing plays do without the memory.
func (d *echoDetector) allocate() {
	if d.echoState == nil {
		d.echoState = &echoState{}
		d.reset()
	}
}

// detect adds the power of the caller's next frame and reports whether the caller speaks. allocate must have been called. If the
// frame is loud, d.played must be current.
func (d *echoDetector) detect(power float32) bool {
	d.frames++
	loud := d.isLoud(power)
	d.updateNoise(power)
	if !loud {
		d.loud, d.tooLoud = 0, [echoDelays]int{}
		return false
	}
	d.loud++
	speaks := d.loud >= speechFrames
	for i := range d.tooLoud {
		if power > d.maxEcho(i) {
			d.tooLoud[i]++
		} else {
			d.tooLoud[i] = 0
		}
		if d.tooLoud[i] >= speechFrames {
			d.excluded[i] = d.frames
		}
		speaks = speaks && d.frames-d.excluded[i] < excludedFrames
	}
	return speaks
}

// maxEcho returns the greatest power of an echo with a delay of i frames.
func (d *echoDetector) maxEcho(i int) float32 {
	most := float32(0)
	for _, p := range d.played[max(0, i-blurAfter):min(echoDelays, i+blurBefore+1)] {
		most = max(most, p)
	}
	return most * d.echoLoss
}

// isLoud reports whether a frame is loud enough for speech.
func (d *echoDetector) isLoud(power float32) bool {
	return power > max(minSpeechPower, d.noise*minNoiseRatio)
}

// updateNoise lowers the noise estimate at once and raises it slowly.
func (d *echoDetector) updateNoise(power float32) {
	d.noise = max(minSpeechPower/minNoiseRatio, min(power, d.noise*noiseRise))
}

// reset makes every delay possible again.
func (d *echoDetector) reset() {
	d.loud, d.tooLoud = 0, [echoDelays]int{}
	for i := range d.excluded {
		d.excluded[i] = d.frames - excludedFrames
	}
}

// Heard takes the caller's audio as it arrives: µ-law, 8000 Hz, in pieces of any length. If the audio is speech and not an
// echo of what plays, Heard interrupts playback. It does not block.
func (p *Player) Heard(mulaw []byte) {
	now := time.Now()
	audible := p.audible.Load()
	d := &p.echoDetector
	if !audible && d.loud != 0 {
		d.reset()
	}
	if audible {
		d.allocate()
	}
	for len(mulaw) > 0 {
		n, power, ok := d.meter.measure(mulaw)
		mulaw = mulaw[n:]
		if !ok {
			continue
		}
		t := d.arrivals.next(now)
		if !audible {
			d.updateNoise(power)
			continue
		}
		if d.isLoud(power) {
			d.played = [echoDelays]float32{}
			p.mu.Lock()
			p.playedPower(t, &d.played)
			p.mu.Unlock()
		}
		if d.detect(power) {
			d.reset()
			audible = !p.Interrupt(BySpeech)
		}
	}
}

// Confirm reports that the recognizer understood words of the caller. It interrupts playback if Heard has not.
func (p *Player) Confirm() { p.Interrupt(BySpeech) }
