package playback

import (
	"slices"
	"time"
)

const (
	// ackTime is how long a carrier may take to execute a clear, without the round trip.
	ackTime = 500 * time.Millisecond
	// onTime is the tolerance within which a mark returns in time.
	onTime = 40 * time.Millisecond
	// markGrace is how much later than the end of its audio a mark may return.
	markGrace = time.Second
	// maxClears is how often a clear is sent if the carrier ignores it.
	maxClears = 3
	// acks is how many marks are sent after a clear. That many do not return together by chance.
	acks = 4
	// together is the greatest distance of marks that return together.
	together = 10 * time.Millisecond
)

// pendingClear has the stopped items until the marks show when the carrier stopped: the marks of the audio that the carrier
// discarded, and those sent after the clear. Nothing else is sent until then, so that a clear that is late, or is sent
// again, removes no other audio. Player.mu guards it.
type pendingClear struct {
	items  []*entry
	clock  *clock
	marks  map[string]mark
	sent   int         // number of clears
	at     time.Time   // when the first clear was sent
	until  time.Time   // when to stop waiting for marks
	late   []time.Time // when the carrier stopped, according to marks too late for the first clear
	onward int         // number of marks that returned as without a clear
	acked  time.Time   // when the carrier stopped because of a repeated clear; zero if it did not
	over   bool
	end    time.Time // when the carrier stopped
}

// beginClear starts a pendingClear for the stopped items. It makes a new clock for the audio after the clear.
func (p *Player) beginClear(gone []*entry) {
	switch {
	case p.pendingClear != nil: // nothing was sent since then
		p.pendingClear.items = append(p.pendingClear.items, gone...)
	case !slices.ContainsFunc(gone, func(e *entry) bool { return e.begun }):
		for _, e := range gone {
			p.finish(e, 0)
		}
	default:
		p.pendingClear = &pendingClear{items: gone, clock: p.clock, marks: p.marks}
		p.clock = &clock{link: &p.link, base: p.clock.sent, sent: p.clock.sent}
		p.marks = map[string]mark{}
		p.marked = p.clock.sent
		p.clearing = true
	}
}

// clear records that a clear is sent now and returns the names of the marks to send after it.
func (p *Player) clear(now time.Time) (names []string) {
	p.clearing = false
	s := p.pendingClear
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

// expectedStop returns when the carrier stopped if it executed the first clear at once.
func (s *pendingClear) expectedStop(now time.Time) time.Time {
	if s.sent == 0 {
		return now
	}
	return s.at.Add(s.clock.link.oneWay())
}

// echo records the return of a mark that was sent before the clear or right after it. It reports whether name is such a mark.
func (s *pendingClear) echo(name string, now time.Time) bool {
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
	case s.sent == 0: // the clear has not been sent yet
		s.clock.mark(m.pos, now)
	case m.ack == 0 && !now.Before(due.Add(-onTime)):
		if now.After(s.at.Add(link.rtt + onTime)) {
			s.onward++
		}
	default:
		s.markFlushed(m, now)
	}
	return true
}

// markFlushed records a mark whose return shows that the carrier has stopped. Random delays of marks differ: if several
// return together, the clear was late.
func (s *pendingClear) markFlushed(m mark, now time.Time) {
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
		s.over, s.end = true, s.expectedStop(now)
	case m.ack > 1 && !now.After(m.at.Add(link.rtt+onTime)): // in time for its own clear
		s.acked, s.until = stopped, now.Add(together) // older marks may return with it
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

// wait returns how long to wait for more marks. After that time it requests another clear or sets s.over and s.end.
func (s *pendingClear) wait(p *Player, now time.Time) time.Duration {
	if s.over {
		return 0
	}
	if left := s.until.Sub(now); left > 0 {
		return left
	}
	playsOn := s.onward > 1 && len(s.late) == 0 // marks in s.late returned before the end of their audio
	acked := !s.acked.IsZero()
	s.end = s.expectedStop(now)
	switch {
	case acked && playsOn:
		s.end = s.acked
	case acked || len(s.late) > 0:
	case s.sent < maxClears && s.clock.link.timed: // it returns marks
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

// finishClear makes the results of the stopped items. end is when the carrier stopped.
func (p *Player) finishClear(s *pendingClear, end time.Time) {
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
	p.sentLevels.past, p.sentLevels.stopped = s.clock, end
	p.pendingClear = nil
}
