package playback

import "time"

// current returns the index of the item that is heard now or next: the first that was not heard to its end. The caller holds
// p.mu.
func (p *Player) current(now time.Time) int {
	heard := p.clock.heard(now.Add(p.link.oneWay()))
	for i, e := range p.items {
		if !e.interrupted && (!e.sent || !e.echoed && e.to() > heard) {
			return i
		}
	}
	return len(p.items)
}

// interrupt stops the interruptible items, or all. It reports whether there was something to stop.
func (p *Player) interrupt(by string, all bool) bool {
	now := time.Now()
	p.mu.Lock()
	defer p.mu.Unlock()
	i := p.current(now)
	if p.closed || p.failed != nil || i == len(p.items) || !all && !p.items[i].Interruptible {
		return false
	}
	var gone, stay []*entry
	for j, e := range p.items {
		// Items before i have been played; only their marks have not returned.
		goes := j < i || all || e.Interruptible
		if goes && !e.interrupted {
			e.by = by
			e.cancel()
			p.stopped = append(p.stopped, e)
		}
		if goes && len(stay) == 0 {
			gone = append(gone, e)
			continue
		}
		e.resetSent()
		e.interrupted = e.interrupted || goes
		stay = append(stay, e)
	}
	p.items = stay
	p.audible.Store(false)
	p.beginClear(gone)
	p.start()
	return true
}

// cancel ends the context of the Source's Next.
func (e *entry) cancel() {
	if e.buffer != nil {
		e.buffer.cancel()
	}
}
