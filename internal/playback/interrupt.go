package playback

import "time"

// current is the index of the item that is heard, or will be heard next: the first that has not been heard to its end.
func (p *Player) current(now time.Time) int {
	heard := p.clock.heard(now.Add(p.link.oneWay()))
	for i, e := range p.items {
		if !e.dead && (!e.sent || !e.echoed && e.to() > heard) {
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
		// Of those before i only the mark is missing.
		goes := j < i || all || e.Interruptible
		if goes && !e.dead {
			e.by = by
			e.halt()
			p.stopped = append(p.stopped, e)
		}
		if goes && len(stay) == 0 {
			gone = append(gone, e)
			continue
		}
		e.again()
		e.dead = e.dead || goes
		stay = append(stay, e)
	}
	p.items = stay
	p.audible.Store(false)
	p.settle(gone)
	p.start()
	return true
}

// halt makes the producer stop soon.
func (e *entry) halt() {
	if e.feed != nil {
		e.feed.cancel()
	}
}
