package mediatest

import "time"

// A playback is what the caller hears, by the clock: audio is played back to back in the order it came.
type playback struct {
	speed float64
	until time.Time // when all audio so far has been played
	marks []pendingMark
}

type pendingMark struct {
	name string
	at   time.Time
}

// play queues samples of µ-law that came at now.
func (p *playback) play(samples int, now time.Time) {
	if p.until.Before(now) {
		p.until = now
	}
	p.until = p.until.Add(time.Duration(float64(time.Duration(samples)*perSample) / p.speed))
}

// mark notes a mark behind everything queued.
func (p *playback) mark(name string, now time.Time) {
	at := p.until
	if at.Before(now) {
		at = now
	}
	p.marks = append(p.marks, pendingMark{name, at})
}

// clear forgets the queue. All marks come back at once.
func (p *playback) clear(now time.Time) {
	p.until = now
	for i := range p.marks {
		if p.marks[i].at.After(now) {
			p.marks[i].at = now
		}
	}
}

// nextDue is when the first mark comes back.
func (p *playback) nextDue() (time.Time, bool) {
	if len(p.marks) == 0 {
		return time.Time{}, false
	}
	return p.marks[0].at, true
}

// due takes the first mark off the list if its time has come.
func (p *playback) due(now time.Time) (string, bool) {
	if len(p.marks) == 0 || p.marks[0].at.After(now) {
		return "", false
	}
	name := p.marks[0].name
	p.marks = p.marks[1:]
	return name, true
}
