package playback

import "time"

const (
	// levels is how many frames of what was sent are remembered: those ahead of what is heard, and those whose echo may
	// still come.
	levels = 256
	// echoDelay is how late an echo comes at most, with the way to the carrier and back.
	echoDelay = 600 * time.Millisecond
	// echoLead is how much earlier than the playout clock says the caller may hear something.
	echoLead = 100 * time.Millisecond
)

// A sound remembers how loud the audio was that was sent. The player's mutex guards it.
type sound struct {
	meter   meter
	frames  int64 // measured
	power   [levels]float32
	past    *clock    // the clock before the last clear
	stopped time.Time // when it ended
}

// add measures what is sent.
func (s *sound) add(mulaw []byte) {
	for len(mulaw) > 0 {
		n, power, ok := s.meter.take(mulaw)
		mulaw = mulaw[n:]
		if ok {
			s.power[s.frames%levels] = power
			s.frames++
		}
	}
}

// loudest is the power of the loudest frame between two places.
func (s *sound) loudest(from, to int64) float32 {
	most := float32(0)
	first, last := max(from/frame, s.frames-levels), min(to/frame, s.frames-1)
	for i := first; i <= last; i++ {
		most = max(most, s.power[i%levels])
	}
	return most
}

// heard is the power of the loudest frame of what can be heard as an echo now.
func (p *Player) heard(now time.Time) float32 {
	s := &p.sound
	since, until := now.Add(-echoDelay), now.Add(echoLead)
	most := s.loudest(p.clock.heard(since), p.clock.heard(until))
	if t := p.settling; t != nil {
		most = max(most, s.loudest(t.clock.heard(since), t.clock.heard(until)))
	}
	if s.past != nil && s.stopped.After(since) {
		most = max(most, s.loudest(s.past.heard(since), s.past.heard(earlier(s.stopped, until))))
	}
	return most
}
