package playback

import "time"

const (
	// levels is how many frames of what was sent are remembered: those ahead of what is heard, and those whose echo may
	// still come.
	levels = 512
	// echoDelay is how late an echo comes at most, with the way to the carrier and back.
	echoDelay = 700 * time.Millisecond
	// echoLead is how much earlier than the playout clock says the caller may hear something.
	echoLead = 100 * time.Millisecond
	// taps is how many delays of an echo are told apart.
	taps = int((echoDelay + echoLead) / frameTime)
)

// A sound remembers how loud the audio was that was sent. The player's mutex guards it.
type sound struct {
	meter   meter
	frames  int64            // measured
	power   *[levels]float32 // nil until something is sent: most callers never hear us
	past    *clock           // the clock before the last clear
	stopped time.Time        // when it ended
}

// add measures what is sent.
func (s *sound) add(mulaw []byte) {
	if s.power == nil {
		s.power = new([levels]float32)
	}
	for len(mulaw) > 0 {
		n, power, ok := s.meter.take(mulaw)
		mulaw = mulaw[n:]
		if ok {
			s.power[s.frames%levels] = power
			s.frames++
		}
	}
}

// loudest is the power of the loudest frame that lies between two places, or a part of it.
func (s *sound) loudest(from, to int64) float32 {
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

// listen puts into powers how loud that was which the caller heard in each frame up to at, beginning with the latest.
func (s *sound) listen(c *clock, at, end time.Time, powers *[taps]float32) {
	to := c.heard(earlier(at, end))
	for i := range powers {
		at = at.Add(-frameTime)
		from := c.heard(earlier(at, end))
		powers[i] = max(powers[i], s.loudest(from, to))
		to = from
	}
}

// echoes puts into powers how loud that was whose echo may come in a frame that came out of the telephone at t,
// beginning with the latest.
func (p *Player) echoes(t time.Time, powers *[taps]float32) {
	s, at := &p.sound, t.Add(echoLead)
	s.listen(p.clock, at, at, powers)
	if old := p.settling; old != nil {
		s.listen(old.clock, at, at, powers)
	}
	if s.past != nil && t.Sub(s.stopped) < echoDelay {
		s.listen(s.past, at, s.stopped, powers)
	}
}
