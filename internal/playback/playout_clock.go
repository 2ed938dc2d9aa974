package playback

import "time"

const perSample = time.Second / 8000

func duration(samples int64) time.Duration { return time.Duration(samples) * perSample }

func samples(d time.Duration) int64 { return int64(d / perSample) }

const (
	// minBuffered is the least buffered audio with which the carrier cannot underrun before more arrives.
	minBuffered = 300 * time.Millisecond
	// maxEchoes is how many returned marks of a run are kept.
	maxEchoes = 16
	// minEchoes is how many returned marks are always compared, even if the carrier may have underrun between them.
	minEchoes = 4
	// lagTolerance is the greatest difference between the lags of marks that agree.
	lagTolerance = 10 * time.Millisecond
)

// clock is the playout clock: it computes how much of the sent audio the carrier has played. Positions are in samples since
// the player's first. It does not read the time: callers pass it.
type clock struct {
	link *link
	base int64 // the first position
	sent int64 // the position after the last sample sent
	runs []run // oldest first
}

// link has the delays of the connection to the carrier. It is kept across clears.
type link struct {
	// rtt is the shortest round trip of a mark, without the playout of the audio before it.
	rtt time.Duration
	// lag is the shortest confirmed lag of a run.
	lag          time.Duration
	timed, known bool // rtt, lag
}

// echo records an upper bound of the round-trip time.
func (l *link) echo(d time.Duration) {
	if d = max(d, 0); !l.timed || d < l.rtt {
		l.rtt, l.timed = d, true
	}
}

// oneWay returns how long a message takes in one direction.
func (l *link) oneWay() time.Duration { return l.rtt / 2 }

// expectedLag returns the lag to assume for a new run.
func (l *link) expectedLag() time.Duration {
	if l.known {
		return l.lag
	}
	return l.rtt
}

// run is a stretch of audio that plays without a gap.
type run struct {
	pos, end int64
	at       time.Time     // when pos was sent, and would play without delays
	sure     bool          // lag is confirmed by its marks
	lag      time.Duration // how much later than due its marks return
	underrun int64         // the last position before which the carrier may have underrun
	echoes   []echo
}

// echo is the lag of one returned mark.
type echo struct {
	pos int64
	lag time.Duration
}

// due returns when a position of the run would have been played without delays.
func (r *run) due(pos int64) time.Time { return r.at.Add(duration(pos - r.pos)) }

// lag returns how much later than due the marks of a run return.
func (c *clock) lag(r *run) time.Duration {
	if r.sure {
		return r.lag
	}
	return c.link.expectedLag()
}

// delay returns how much later than due a run is played.
func (c *clock) delay(r *run) time.Duration { return c.lag(r) - c.link.oneWay() }

// when returns the time at which everything before pos has been played.
func (c *clock) when(pos int64) time.Time {
	r := c.run(pos)
	if r == nil {
		return time.Time{}
	}
	return r.due(pos).Add(c.delay(r))
}

// run returns the run that contains pos or ends there, or nil.
func (c *clock) run(pos int64) *run {
	for i := range c.runs {
		if pos <= c.runs[i].end {
			return &c.runs[i]
		}
	}
	return nil
}

// heard returns the position up to which the caller has heard at t.
func (c *clock) heard(t time.Time) int64 {
	for i := len(c.runs) - 1; i >= 0; i-- {
		r := &c.runs[i]
		if since := t.Sub(r.at.Add(c.delay(r))); since >= 0 {
			return min(r.end, r.pos+samples(since))
		}
	}
	return c.base
}

// buffered returns how much the carrier still has to play when audio sent now arrives. It is not positive if the carrier
// has played everything.
func (c *clock) buffered(now time.Time) time.Duration {
	if len(c.runs) == 0 {
		return 0
	}
	return c.when(c.sent).Sub(now.Add(c.link.oneWay()))
}

// ahead returns how much audio was sent and not heard yet.
func (c *clock) ahead(now time.Time) time.Duration { return duration(c.sent - c.heard(now)) }

// send records that n samples are sent now.
func (c *clock) send(n int, now time.Time) {
	left := c.buffered(now)
	if left <= 0 {
		c.dropOld(now)
		c.runs = append(c.runs, run{pos: c.sent, end: c.sent, at: now, underrun: c.sent})
	}
	r := &c.runs[len(c.runs)-1]
	if left < minBuffered {
		r.underrun = c.sent
	}
	c.sent += int64(n)
	r.end = c.sent
}

// dropOld removes the runs that ended more than 2 s ago, except the last.
func (c *clock) dropOld(now time.Time) {
	for len(c.runs) > 1 && now.Sub(c.when(c.runs[0].end)) > 2*time.Second {
		c.base = c.runs[0].end
		c.runs = c.runs[1:]
	}
}

// mark records that the mark at pos has returned. It reports whether the audio before it can have been played: a carrier
// that discards audio without a clear returns its marks too early.
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

// note keeps the lag of a mark and returns the shortest of the last ones. A mark can return late but never early, so the
// shortest lag is the best. The lag grows when the carrier underruns, so only the last marks count unless that cannot have
// happened. Random delays differ: if minEchoes marks agree on the shortest lag, it is sure.
func (r *run) note(e echo) (best time.Duration, sure bool) {
	if len(r.echoes) == maxEchoes {
		r.echoes = append(r.echoes[:0], r.echoes[1:]...)
	}
	r.echoes = append(r.echoes, e)
	last := r.echoes
	for len(last) > minEchoes && last[0].pos <= r.underrun {
		last = last[1:]
	}
	best = e.lag
	for _, e := range last {
		best = min(best, e.lag)
	}
	agree := 0
	for _, e := range last {
		if e.lag-best <= lagTolerance {
			agree++
		}
	}
	return best, agree >= minEchoes
}
