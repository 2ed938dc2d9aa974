package playback

import "time"

// current is the index of the item that is heard, or will be heard next: the first that has not been heard to its end.
func (p *Player) current(now time.Time) int {
	heard := p.clock.heard(now.Add(p.link.oneWay()))
	for i, e := range p.items {
		if !e.sent || !e.echoed && e.to() > heard {
			return i
		}
	}
	return len(p.items)
}

// stop takes back what must not be heard any more.
func (p *Player) stop(by string, all bool) bool {
	now := time.Now()
	p.mu.Lock()
	defer p.mu.Unlock()
	i := p.current(now)
	if p.closed || p.failed != nil || i == len(p.items) || !all && !p.items[i].Interruptible {
		return false
	}
	var gone, stay []*entry
	for j, e := range p.items {
		switch {
		case j < i: // only its mark is missing
			gone = append(gone, e)
		case all || e.Interruptible:
			e.by = by
			gone = append(gone, e)
		default:
			e.again()
			stay = append(stay, e)
		}
	}
	for _, e := range gone {
		e.halt()
	}
	p.stopped = append(p.stopped, gone...)
	p.items = stay
	p.audible.Store(false)
	p.settle(gone, now)
	p.start()
	return true
}

// halt makes the producer stop soon.
func (e *entry) halt() {
	if e.feed != nil {
		e.feed.cancel()
	}
}
