package mediatest

import (
	"math/rand/v2"
	"time"
)

// perSample is the length of one sample of µ-law.
const perSample = time.Second / 8000

// An item is one media message of the plan.
type item struct {
	track   Track
	offset  time.Duration // where its audio begins
	due     time.Duration // when it leaves, on the time line of the audio
	payload []byte
	silence int // samples of silence behind the payload
	lost    bool
	twice   bool
}

// A plan generates the media messages of a call in order, with all faults applied.
type plan struct {
	c      *Call
	rng    *rand.Rand
	frame  time.Duration
	total  time.Duration
	tracks []Track
	at     time.Duration // of the next frame
	next   int           // index into tracks
	last   time.Duration // when the last message left
	held   []item        // frames that come after the one they were swapped with
}

func newPlan(c *Call) *plan {
	p := &plan{c: c, rng: rand.New(rand.NewPCG(c.Seed, 0x6272)), frame: c.Frame}
	if p.frame <= 0 {
		p.frame = 20 * time.Millisecond
	}
	if c.Inbound != nil || c.Outbound == nil {
		p.tracks = append(p.tracks, Inbound)
	}
	if c.Outbound != nil {
		p.tracks = append(p.tracks, Outbound)
	}
	p.total = time.Duration(max(len(c.Inbound), len(c.Outbound)))*perSample + c.Hold
	return p
}

// pop returns the next message.
func (p *plan) pop() (item, bool) {
	if len(p.held) > 0 {
		it := p.held[0]
		p.held = p.held[1:]
		return p.timed(it), true
	}
	it, ok := p.make()
	if !ok {
		return item{}, false
	}
	if p.chance(p.c.Reorder) {
		// The frame waits until the next one of its track has left; those of the other track keep their place.
		var between []item
		for {
			other, ok := p.make()
			if !ok {
				break
			}
			between = append(between, other)
			if other.track == it.track {
				break
			}
		}
		if n := len(between); n > 0 && between[n-1].track == it.track {
			it.due = max(it.due, between[n-1].due)
			p.held = append([]item{between[n-1]}, between[:n-1]...)
			p.held = append(p.held, it)
			return p.pop()
		}
		p.held = append(p.held, between...)
	}
	return p.timed(it), true
}

// make cuts the next frame of the audio.
func (p *plan) make() (item, bool) {
	if p.at >= p.total {
		return item{}, false
	}
	track := p.tracks[p.next]
	it := item{track: track, offset: p.at, due: p.at + p.frame}
	audio := p.c.Inbound
	if track == Outbound {
		audio = p.c.Outbound
	}
	from, size := int(p.at/perSample), int(p.frame/perSample)
	if from < len(audio) {
		it.payload = audio[from:min(from+size, len(audio))]
	}
	it.silence = size - len(it.payload)
	it.lost = p.chance(p.c.Loss) || inside(p.c.Quiet, p.at)
	it.twice = p.chance(p.c.Duplicate)
	if p.next++; p.next == len(p.tracks) {
		p.next = 0
		p.at += p.frame
	}
	return it, true
}

// timed decides when a message leaves.
func (p *plan) timed(it item) item {
	if p.c.Jitter > 0 {
		it.due += time.Duration(p.rng.Int64N(int64(p.c.Jitter)))
	}
	for _, stall := range p.c.Stalls {
		if it.due >= stall.From && it.due < stall.To {
			it.due = stall.To
		}
	}
	it.due = max(it.due, p.last)
	p.last = it.due
	return it
}

func (p *plan) chance(share float64) bool { return share > 0 && p.rng.Float64() < share }

func inside(spans []Span, at time.Duration) bool {
	for _, s := range spans {
		if at >= s.From && at < s.To {
			return true
		}
	}
	return false
}
