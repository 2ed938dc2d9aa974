package playback

import "time"

const perSample = time.Second / 8000

func duration(samples int64) time.Duration { return time.Duration(samples) * perSample }

func samples(d time.Duration) int64 { return int64(d / perSample) }

const (
	// thinLead is what must be left to play so that the carrier cannot have run dry before more arrives.
	thinLead = 300 * time.Millisecond
	// window is how many echoes of a stretch are remembered.
	window = 16
	// enough is how many echoes are always compared, also when the carrier may have run dry between them.
	enough = 4
	// alike is how far echoes lie apart at most that agree.
	alike = 10 * time.Millisecond
)

// A clock is the playout clock: what the carrier has played of what was sent to it. Places are counted in samples
// since the player's first. It is arithmetic: the time comes from outside.
type clock struct {
	link *link
	base int64 // the first place
	sent int64 // the place behind the last sample sent
	runs []run // oldest first
}

// A link is what is known of the way to the carrier. It outlives a clear.
type link struct {
	// rtt is the shortest time an echo took, not counting the audio before its mark: there and back.
	rtt time.Duration
	// lag is the shortest lag of a run that is sure.
	lag          time.Duration
	timed, known bool // rtt, lag
}

// echo notes how long an echo took at most for the way.
func (l *link) echo(d time.Duration) {
	if d = max(d, 0); !l.timed || d < l.rtt {
		l.rtt, l.timed = d, true
	}
}

// oneWay is how long a message is under way.
func (l *link) oneWay() time.Duration { return l.rtt / 2 }

// usual is the lag to expect.
func (l *link) usual() time.Duration {
	if l.known {
		return l.lag
	}
	return l.rtt
}

// A run is a stretch of audio that plays without a gap.
type run struct {
	pos, end int64
	at       time.Time     // when it was sent: pos would play then if nothing took time
	sure     bool          // its echoes have told its lag
	lag      time.Duration // how much later than that echoes come
	thin     int64         // the carrier may have run dry just before this place, and have started again later
	echoes   []echo
}

// An echo is how late a mark came back.
type echo struct {
	pos int64
	lag time.Duration
}

// due is when a place of the run has been played, without delay.
func (r *run) due(pos int64) time.Time { return r.at.Add(duration(pos - r.pos)) }

// lag is how much later than due the echoes of a run come.
func (c *clock) lag(r *run) time.Duration {
	if r.sure {
		return r.lag
	}
	return c.link.usual()
}

// delay is how much later than due it is played.
func (c *clock) delay(r *run) time.Duration { return c.lag(r) - c.link.oneWay() }

// when is the time when everything before pos has been played.
func (c *clock) when(pos int64) time.Time {
	r := c.run(pos)
	if r == nil {
		return time.Time{}
	}
	return r.due(pos).Add(c.delay(r))
}

// run is the one that pos ends or lies in.
func (c *clock) run(pos int64) *run {
	for i := range c.runs {
		if pos <= c.runs[i].end {
			return &c.runs[i]
		}
	}
	return nil
}

// heard is the place up to which the caller has heard at t.
func (c *clock) heard(t time.Time) int64 {
	for i := len(c.runs) - 1; i >= 0; i-- {
		r := &c.runs[i]
		if since := t.Sub(r.at.Add(c.delay(r))); since >= 0 {
			return min(r.end, r.pos+samples(since))
		}
	}
	return c.base
}

// dry tells whether the carrier has nothing left to play when what is sent now arrives.
func (c *clock) dry(now time.Time) bool { return c.left(now) <= 0 }

// left is how much the carrier has left to play when what is sent now arrives.
func (c *clock) left(now time.Time) time.Duration {
	if len(c.runs) == 0 {
		return 0
	}
	return c.when(c.sent).Sub(now.Add(c.link.oneWay()))
}

// ahead is how much was sent that has not been heard.
func (c *clock) ahead(now time.Time) time.Duration { return duration(c.sent - c.heard(now)) }

// send notes that n samples leave now.
func (c *clock) send(n int, now time.Time) {
	left := c.left(now)
	if left <= 0 {
		c.forget(now)
		c.runs = append(c.runs, run{pos: c.sent, end: c.sent, at: now, thin: c.sent})
	}
	r := &c.runs[len(c.runs)-1]
	if left < thinLead {
		r.thin = c.sent
	}
	c.sent += int64(n)
	r.end = c.sent
}

// forget drops runs that are of no use any more.
func (c *clock) forget(now time.Time) {
	for len(c.runs) > 1 && now.Sub(c.when(c.runs[0].end)) > 2*time.Second {
		c.base = c.runs[0].end
		c.runs = c.runs[1:]
	}
}

// mark takes the echo of a mark behind pos. It tells whether the audio before it can have been played: a carrier that
// forgets audio without being asked returns its marks too early.
func (c *clock) mark(pos int64, now time.Time) bool {
	r := c.run(pos)
	if r == nil || pos <= r.pos {
		return false
	}
	lag := now.Sub(r.due(pos))
	if lag < 0 {
		return false
	}
	c.link.echo(lag)
	if best, sure := r.note(echo{pos, lag}); sure || best < c.lag(r) {
		r.sure, r.lag = true, best
		if !c.link.known || best < c.link.lag {
			c.link.lag, c.link.known = best, true
		}
	}
	return true
}

// note keeps an echo and returns the best of the last ones. An echo can be late and never early: the least late is the
// best. But the lag grows when the carrier runs dry for a moment, so only the last few count unless that cannot have
// happened. Marks that are late by chance differ; when as many as enough agree on the best, it is sure.
func (r *run) note(e echo) (best time.Duration, sure bool) {
	if len(r.echoes) == window {
		r.echoes = append(r.echoes[:0], r.echoes[1:]...)
	}
	r.echoes = append(r.echoes, e)
	last := r.echoes
	for len(last) > enough && last[0].pos <= r.thin {
		last = last[1:]
	}
	best = e.lag
	for _, e := range last {
		best = min(best, e.lag)
	}
	agree := 0
	for _, e := range last {
		if e.lag-best <= alike {
			agree++
		}
	}
	return best, agree >= enough
}
