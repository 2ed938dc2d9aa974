package playback

import (
	"slices"
	"time"
)

const (
	// ackTime is how long a carrier may take to forget, not counting the way.
	ackTime = 500 * time.Millisecond
	// onTime is how exactly a mark comes when it should.
	onTime = 40 * time.Millisecond
	// markGrace is how much later than its audio a mark may come.
	markGrace = time.Second
	// clears is how often a clear is sent when the carrier does not heed it.
	clears = 3
	// acks is how many marks are sent behind a clear. So many that come back together have not done so by chance.
	acks = 4
	// together is how far such marks lie apart at most.
	together = 10 * time.Millisecond
)

// A settling is what was stopped, until it is known when the carrier stopped. That shows in marks: those of the
// audio that it forgot, and those sent behind the clear. Nothing else is sent meanwhile, so that a clear that is late,
// or is sent again, takes nothing away that was meant to be heard.
type settling struct {
	items  []*entry
	clock  *clock
	marks  map[string]mark
	sent   int         // clears
	at     time.Time   // when the first clear left
	until  time.Time   // when to stop waiting
	late   []time.Time // when the carrier stopped, say marks that came too late for the first clear
	onward int         // marks that came when they would have come without a clear
	acked  time.Time   // when the carrier had heeded a clear that was sent again
	over   bool
	end    time.Time // when the carrier stopped
}

// settle begins to find out how much was heard of what was stopped, with a new clock for what comes behind the clear.
func (p *Player) settle(gone []*entry) {
	switch {
	case p.settling != nil: // nothing was sent since
		p.settling.items = append(p.settling.items, gone...)
	case !slices.ContainsFunc(gone, func(e *entry) bool { return e.begun }):
		for _, e := range gone {
			p.finish(e, 0)
		}
	default:
		p.settling = &settling{items: gone, clock: p.clock, marks: p.marks}
		p.clock = &clock{link: &p.link, base: p.clock.sent, sent: p.clock.sent}
		p.marks = map[string]mark{}
		p.marked = p.clock.sent
		p.clearing = true
	}
}

// clear notes that a clear leaves now and returns the names of the marks behind it.
func (p *Player) clear(now time.Time) (names []string) {
	p.clearing = false
	s := p.settling
	if s.sent++; s.sent == 1 {
		s.at = now
	}
	s.until = now.Add(p.link.rtt + ackTime)
	for range acks {
		name := p.name()
		s.marks[name] = mark{pos: s.clock.sent, ack: s.sent, at: now}
		names = append(names, name)
	}
	return names
}

// guess is when the carrier stopped if nothing says otherwise.
func (s *settling) guess(now time.Time) time.Time {
	if s.sent == 0 {
		return now
	}
	return s.at.Add(s.clock.link.oneWay())
}

// echo takes a mark that was asked for before the clear or right behind it, and tells whether it was one of those.
func (s *settling) echo(name string, now time.Time) bool {
	m, ok := s.marks[name]
	if !ok {
		return false
	}
	delete(s.marks, name)
	link := s.clock.link
	due := s.clock.when(m.pos).Add(link.oneWay())
	switch {
	case m.probe:
		link.echo(now.Sub(m.at))
	case s.sent == 0: // the clear is not on its way yet
		s.clock.mark(m.pos, now)
	case m.ack == 0 && !now.Before(due.Add(-onTime)):
		if now.After(s.at.Add(link.rtt + onTime)) {
			s.onward++
		}
	default:
		s.flushed(m, now)
	}
	return true
}

// flushed takes a mark that shows that the carrier has stopped. Marks that are late by chance differ; when some
// come together, it is the clear that was late.
func (s *settling) flushed(m mark, now time.Time) {
	link := s.clock.link
	if m.ack > 0 {
		link.echo(now.Sub(m.at))
	} else if !link.timed {
		link.echo(now.Sub(s.at))
	}
	stopped := now.Add(-link.oneWay())
	switch {
	case s.over:
	case !now.After(s.at.Add(link.rtt + onTime)):
		s.over, s.end = true, s.guess(now)
	case m.ack > 1 && !now.After(m.at.Add(link.rtt+onTime)): // in time for its own clear
		s.acked, s.until = stopped, now.Add(together) // older marks may come with it
	default:
		s.late = append(s.late, stopped)
		if soon := now.Add(together); s.until.Before(soon) {
			s.until = soon
		}
		if n := len(s.late); n >= acks && s.late[n-1].Sub(s.late[n-acks]) <= together {
			s.over, s.end = true, s.late[n-acks]
		}
	}
}

// wait returns how long to wait for more marks. When that is over, it sends another clear or ends the settling.
func (s *settling) wait(p *Player, now time.Time) time.Duration {
	if s.over {
		return 0
	}
	if left := s.until.Sub(now); left > 0 {
		return left
	}
	playsOn := s.onward > 1 && len(s.late) == 0 // what came late came still too early for its audio
	acked := !s.acked.IsZero()
	s.end = s.guess(now)
	switch {
	case acked && playsOn:
		s.end = s.acked
	case acked || len(s.late) > 0:
	case s.sent < clears && s.clock.link.timed: // its marks work
		p.clearing = true
		return 0
	case playsOn && s.clock.heard(now) < s.clock.sent:
		return max(time.Millisecond, s.clock.when(s.clock.sent).Sub(now))
	case playsOn:
		s.end = now
	}
	s.over = true
	return 0
}

// settled makes results of what was stopped.
func (p *Player) settled(s *settling, end time.Time) {
	pos := s.clock.heard(end)
	for _, e := range p.items {
		e.heardStale(pos)
	}
	for _, e := range s.items {
		e.heardStale(pos)
		at := pos
		if e.echoed {
			at = e.to()
		}
		p.finish(e, at)
	}
	p.sound.past, p.sound.stopped = s.clock, end
	p.settling = nil
}
