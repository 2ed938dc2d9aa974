package playback

import "time"

const (
	// levels is the number of sent frames whose power is kept: those not heard yet, and those whose echo may still arrive.
	levels = 512
	// echoDelay is the greatest delay of an echo, including the round trip to the carrier.
	echoDelay = 700 * time.Millisecond
	// echoLead is how much earlier the caller may hear audio than the playout clock says.
	echoLead = 100 * time.Millisecond
	// echoDelays is the number of echo delays that are distinguished.
	echoDelays = int((echoDelay + echoLead) / frameTime)
)

// sentLevels has the power of the audio that was sent. Player.mu guards it.
type sentLevels struct {
	meter   powerMeter
	frames  int64            // measured
	power   *[levels]float32 // nil until something is sent: on most calls nothing is
	past    *clock           // the clock before the last clear
	stopped time.Time        // when past ended
}

// add measures audio that is sent.
func (s *sentLevels) add(mulaw []byte) {
	if s.power == nil {
		s.power = new([levels]float32)
	}
	for len(mulaw) > 0 {
		n, power, ok := s.meter.measure(mulaw)
		mulaw = mulaw[n:]
		if ok {
			s.power[s.frames%levels] = power
			s.frames++
		}
	}
}

// maxPower returns the power of the loudest frame that overlaps the samples from up to to.
func (s *sentLevels) maxPower(from, to int64) float32 {
	most := float32(0)
	if from == to {
		return most
	}
	first, last := max(from/frame, s.frames-levels), min((to-1)/frame, s.frames-1)
	for i := first; i <= last; i++ {
		most = max(most, s.power[i%levels])
	}
	return most
}

// addHeard raises powers to the power of the audio that the caller heard in each frame up to at, the latest first. The clock c
// is valid up to end.
func (s *sentLevels) addHeard(c *clock, at, end time.Time, powers *[echoDelays]float32) {
	to := c.heard(earlier(at, end))
	for i := range powers {
		at = at.Add(-frameTime)
		from := c.heard(earlier(at, end))
		powers[i] = max(powers[i], s.maxPower(from, to))
		to = from
	}
}

// playedPower sets powers to the power of the audio whose echo may be in a frame that left the telephone at t, the latest
// first. The caller holds p.mu.
func (p *Player) playedPower(t time.Time, powers *[echoDelays]float32) {
	s, at := &p.sentLevels, t.Add(echoLead)
	s.addHeard(p.clock, at, at, powers)
	if old := p.pendingClear; old != nil {
		s.addHeard(old.clock, at, at, powers)
	}
	if s.past != nil && t.Sub(s.stopped) < echoDelay {
		s.addHeard(s.past, at, s.stopped, powers)
	}
}
