package playback

import (
	"slices"
	"time"
)

const (
	// ackTime is how long a carrier may take to forget, not counting the way.
	ackTime = 500 * time.Millisecond
	// onTime is how exactly a mark comes when it should.
	onTime = 60 * time.Millisecond
	// markGrace is how much later than its audio a mark may come.
	markGrace = time.Second
	// clears is how often a clear is sent when the carrier goes on playing.
	clears = 3
)

// A settling is what was stopped, until it is known how much of it was heard: the carrier stops when the clear
// arrives, which shows in marks that come back before their time.
type settling struct {
	items []*entry
	clock *clock
	marks map[string]mark
	sent  int       // clears
	at    time.Time // when the first clear left
	until time.Time // when to stop waiting
	over  bool
	end   time.Time // when the carrier stopped
}

// settle begins to find out how much was heard of what was stopped, with a new clock for what comes behind the clear.
func (p *Player) settle(gone []*entry, now time.Time) {
	old := p.settling
	if !slices.ContainsFunc(gone, func(e *entry) bool { return e.begun }) { // nothing to clear
		if old != nil {
			old.items = append(old.items, gone...)
			return
		}
		for _, e := range gone {
			p.finish(e, 0)
		}
		return
	}
	if old != nil {
		p.settled(old, old.guess(now))
	}
	p.settling = &settling{items: gone, clock: p.clock, marks: p.marks}
	p.clock = &clock{link: &p.link, base: p.clock.sent, sent: p.clock.sent}
	p.marks = map[string]mark{}
	p.marked = p.clock.sent
	p.clearing = true
}

// clear notes that a clear leaves now and returns the name of the mark behind it.
func (p *Player) clear(now time.Time) string {
	p.clearing = false
	s := p.settling
	if s.sent++; s.sent == 1 {
		s.at = now
	}
	s.until = now.Add(p.link.rtt + ackTime)
	name := p.name()
	s.marks[name] = mark{pos: s.clock.sent, probe: true, at: now}
	return name
}

// guess is when the carrier stopped if nothing says otherwise.
func (s *settling) guess(now time.Time) time.Time {
	if s.sent == 0 {
		return now
	}
	return s.at.Add(s.clock.link.oneWay())
}

// echo takes a mark that was asked for before the clear or right behind it, and tells whether it was one of those.
func (s *settling) echo(p *Player, name string, now time.Time) bool {
	m, ok := s.marks[name]
	if !ok {
		return false
	}
	delete(s.marks, name)
	link := s.clock.link
	due := s.clock.when(m.pos).Add(link.oneWay())
	switch {
	case s.sent == 0: // the clear is not on its way yet
		s.clock.mark(m.pos, now)
	case m.probe && m.pos < s.clock.sent:
		link.echo(now.Sub(m.at))
	case m.probe || now.Before(due.Add(-onTime)):
		end := now.Add(-link.oneWay())
		if least := s.guess(now); end.Before(least.Add(onTime)) {
			end = least
		}
		s.over, s.end = true, end
	default:
		s.clock.mark(m.pos, now)
		if now.After(s.at.Add(link.rtt + onTime)) {
			s.playsOn(p, now)
		}
	}
	return true
}

// playsOn notes that the carrier still plays although it should have got the clear. It gets another one, unless that
// could take away what was sent since.
func (s *settling) playsOn(p *Player, now time.Time) {
	s.until = s.clock.when(s.clock.sent).Add(s.clock.link.oneWay() + markGrace)
	if s.sent < clears && p.clock.sent == p.clock.base && !p.clearing {
		p.clearing = true
	}
}

// settled makes results of what was stopped.
func (p *Player) settled(s *settling, end time.Time) {
	pos := s.clock.heard(end)
	for _, e := range s.items {
		at := pos
		if e.echoed {
			at = e.to()
		}
		p.finish(e, at)
	}
	p.sound.past, p.sound.stopped = s.clock, end
	p.settling = nil
}
