package mediatest

import (
	"math/rand/v2"
	"slices"
	"time"
)

// Faults are what a carrier does wrong with what the server wants to be played. The zero value is Twilio: marks come
// back when everything before them has been played, and at once when a clear takes that away.
type Faults struct {
	// LostMarks, LateMarks and RepeatedMarks are the shares, 0 to 1, of marks that do not come back, come up to
	// MarkDelay too late, or come twice.
	LostMarks, LateMarks, RepeatedMarks float64
	MarkDelay                           time.Duration
	// NoFlushedMarks keeps back the marks of audio that a clear takes away, as Plivo and Asterisk do.
	NoFlushedMarks bool
	// LostClears and RepeatedClears are the shares, 0 to 1, of clears that do nothing, or are done twice. All are
	// done ClearDelay too late, the second time another ClearDelay later: they also remove the audio that arrived since.
	LostClears, RepeatedClears float64
	ClearDelay                 time.Duration
}

// A playback simulates the playout to the caller by the clock: audio is played back to back in the order of arrival. Times are on
// the wall, lengths and delays on the time line of the audio.
type playback struct {
	speed  float64
	faults Faults
	rng    *rand.Rand
	until  time.Time // when all audio so far has been played
	marks  []pendingMark
	clears []time.Time // that are due, in order

	most  int       // how much of heard is kept
	began time.Time // of heard
	heard []byte    // up to until
}

type pendingMark struct {
	name  string
	at    time.Time     // when it has been reached
	delay time.Duration // on the wall: how much later it comes back
}

func (m pendingMark) due() time.Time { return m.at.Add(m.delay) }

// newPlayback makes the playback of a call that is total long.
func newPlayback(c *Call, speed float64, began time.Time, total time.Duration) playback {
	p := playback{speed: speed, faults: c.Faults, rng: rand.New(rand.NewPCG(c.Seed, 0x706c)), began: began}
	if c.Record {
		p.most = int(total / perSample)
	}
	return p
}

// wall is how long d takes on the wall.
func (p *playback) wall(d time.Duration) time.Duration {
	return time.Duration(float64(d) / p.speed)
}

func (p *playback) chance(share float64) bool { return share > 0 && p.rng.Float64() < share }

// play queues µ-law that came at now.
func (p *playback) play(media []byte, now time.Time) {
	p.catchUp(now)
	if p.until.Before(now) {
		p.until = now
		p.pad(now)
	}
	p.until = p.until.Add(p.wall(time.Duration(len(media)) * perSample))
	p.heard = append(p.heard, media[:min(len(media), p.most-len(p.heard))]...)
}

// place is the sample of heard that is played at t.
func (p *playback) place(t time.Time) int {
	return max(0, int(float64(t.Sub(p.began))*p.speed/float64(perSample)))
}

// pad makes heard silent up to t.
func (p *playback) pad(t time.Time) {
	for n := min(p.most, p.place(t)) - len(p.heard); n > 0; n-- {
		p.heard = append(p.heard, 0xFF)
	}
}

// mark notes a mark behind everything queued.
func (p *playback) mark(name string, now time.Time) {
	p.catchUp(now)
	at := p.until
	if at.Before(now) {
		at = now
	}
	if p.chance(p.faults.LostMarks) {
		return
	}
	times := 1
	if p.chance(p.faults.RepeatedMarks) {
		times = 2
	}
	for range times {
		m := pendingMark{name: name, at: at}
		if p.faults.MarkDelay > 0 && p.chance(p.faults.LateMarks) {
			m.delay = p.wall(time.Duration(p.rng.Int64N(int64(p.faults.MarkDelay))))
		}
		p.marks = append(p.marks, m)
	}
}

// clear schedules a clear of the server.
func (p *playback) clear(now time.Time) {
	p.catchUp(now)
	if p.chance(p.faults.LostClears) {
		return
	}
	late := p.wall(p.faults.ClearDelay)
	p.clears = append(p.clears, now.Add(late))
	if p.chance(p.faults.RepeatedClears) {
		p.clears = append(p.clears, now.Add(2*late))
		slices.SortFunc(p.clears, time.Time.Compare)
	}
	p.catchUp(now)
}

// catchUp applies the clears that are due.
func (p *playback) catchUp(now time.Time) {
	for len(p.clears) > 0 && !p.clears[0].After(now) {
		p.forget(p.clears[0])
		p.clears = p.clears[1:]
	}
}

// forget removes the audio that has not been played at t.
func (p *playback) forget(t time.Time) {
	if p.until.After(t) {
		p.until = t
		p.heard = p.heard[:min(len(p.heard), p.place(t))]
	}
	kept := p.marks[:0]
	for _, m := range p.marks {
		if m.at.After(t) {
			if p.faults.NoFlushedMarks {
				continue
			}
			m.at = t
		}
		kept = append(kept, m)
	}
	p.marks = kept
}

// next is the index of the mark that comes back first; marks must not be empty.
func (p *playback) next() int {
	first := 0
	for i, m := range p.marks {
		if m.due().Before(p.marks[first].due()) {
			first = i
		}
	}
	return first
}

// nextDue returns when the next mark or clear is due.
func (p *playback) nextDue() (t time.Time, ok bool) {
	if len(p.marks) > 0 {
		t, ok = p.marks[p.next()].due(), true
	}
	if len(p.clears) > 0 && (!ok || p.clears[0].Before(t)) {
		t, ok = p.clears[0], true
	}
	return t, ok
}

// due removes and returns a mark that is due.
func (p *playback) due(now time.Time) (string, bool) {
	p.catchUp(now)
	if len(p.marks) == 0 {
		return "", false
	}
	i := p.next()
	m := p.marks[i]
	if m.due().After(now) {
		return "", false
	}
	p.marks = slices.Delete(p.marks, i, i+1)
	return m.name, true
}

// end returns what was heard up to t.
func (p *playback) end(t time.Time) []byte {
	p.catchUp(t)
	p.pad(t)
	return p.heard[:min(len(p.heard), p.place(t))]
}
