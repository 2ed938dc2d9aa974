package playback

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"
)

var conversations = flag.Uint64("conversations", 25, "random conversations for each set of carrier faults")

// carrierFaults is a set of faults of a carrier.
type carrierFaults struct {
	name  string
	apply func(c *carrier, rng *rand.Rand)
	// unknown is the error of the duration heard that cannot be avoided, beyond 60 ms.
	unknown time.Duration
	// wild means that neither the duration heard nor the carrier's buffer can be known.
	wild bool
}

func TestPlayedDurationIsKnownDespiteCarrierFaults(t *testing.T) {
	upTo := func(rng *rand.Rand, d time.Duration) time.Duration { return time.Duration(rng.Int64N(int64(d))) }
	for _, w := range []carrierFaults{
		{name: "no faults", apply: func(*carrier, *rand.Rand) {}},
		{name: "a long delay", apply: func(c *carrier, rng *rand.Rand) {
			c.up = upTo(rng, 300*ms)
			c.down = c.up
		}},
		// The beginning and the end are both off by half of the difference, so the duration heard is exact.
		{name: "delays that differ", apply: func(c *carrier, rng *rand.Rand) { c.up, c.down = upTo(rng, 300*ms), upTo(rng, 300*ms) }},
		{name: "a carrier that plays late", apply: func(c *carrier, rng *rand.Rand) { c.up, c.down, c.buffer = 50*ms, 50*ms, upTo(rng, 60*ms) }},
		{name: "marks lost", apply: func(c *carrier, _ *rand.Rand) { c.up, c.down, c.dropMarks = 50*ms, 50*ms, 0.5 }},
		{name: "no marks at all", apply: func(c *carrier, rng *rand.Rand) { c.up, c.dropMarks = upTo(rng, 60*ms), 1 }},
		{name: "marks late", apply: func(c *carrier, _ *rand.Rand) {
			c.up, c.down, c.delayMarks, c.markDelay = 50*ms, 50*ms, 0.5, 300*ms
		}},
		{name: "all marks late", apply: func(c *carrier, rng *rand.Rand) { c.up, c.down = 50*ms, 50*ms+upTo(rng, 300*ms) }},
		{name: "marks repeated, late, lost", apply: func(c *carrier, _ *rand.Rand) {
			c.up, c.down, c.delayMarks, c.markDelay, c.dropMarks, c.repeatMarks = 50*ms, 50*ms, 0.3, 300*ms, 0.3, 0.5
		}},
		{name: "flushed marks lost", apply: func(c *carrier, _ *rand.Rand) { c.up, c.down, c.flushMarks = 30*ms, 30*ms, true }},
		{name: "clears lost", apply: func(c *carrier, rng *rand.Rand) { c.up, c.down, c.loseClears = 30*ms, 30*ms, 1+rng.IntN(2) }},
		{name: "no clears at all", apply: func(c *carrier, _ *rand.Rand) { c.up, c.down, c.loseClears = 30*ms, 30*ms, 1000 }},
		{name: "clears late", apply: func(c *carrier, rng *rand.Rand) { c.up, c.down, c.delayClears = 30*ms, 30*ms, upTo(rng, 300*ms) }},
		{name: "clears repeated", apply: func(c *carrier, _ *rand.Rand) { c.up, c.down, c.repeatClears = 30*ms, 30*ms, true }},
		{name: "jitter", apply: func(c *carrier, _ *rand.Rand) { c.up, c.down, c.jitter = 50*ms, 50*ms, 100*ms }, unknown: 200 * ms},
		{name: "a slow line", apply: func(c *carrier, rng *rand.Rand) { c.up, c.down, c.slow = 30*ms, 30*ms, upTo(rng, 30*ms) }, unknown: 30 * ms},
		{name: "a line that breaks", apply: func(c *carrier, rng *rand.Rand) { c.up, c.down, c.breakAfter = 30*ms, 30*ms, 1+rng.IntN(100) }, wild: true},
		{name: "everything at once", apply: func(c *carrier, rng *rand.Rand) {
			c.up, c.down, c.jitter, c.slow = upTo(rng, 300*ms), upTo(rng, 300*ms), 300*ms, upTo(rng, 30*ms)
			c.delayMarks, c.markDelay, c.dropMarks, c.repeatMarks = 0.3, 3*time.Second, 0.3, 0.5
			c.loseClears, c.delayClears, c.repeatClears = rng.IntN(3), upTo(rng, 2*time.Second), true
		}, wild: true},
	} {
		t.Run(w.name, func(t *testing.T) {
			var worst time.Duration
			for seed := range *conversations {
				synctest.Test(t, func(t *testing.T) {
					worst = max(worst, w.converse(t, seed))
				})
			}
			t.Logf("%s: at most %v off", w.name, worst)
		})
	}
}

// converse runs a random conversation and compares each result with what the carrier has played. It returns the greatest
// difference.
func (w carrierFaults) converse(t *testing.T, seed uint64) (worst time.Duration) {
	rng := rand.New(rand.NewPCG(seed, 7))
	c := newCarrier(seed)
	w.apply(c, rng)
	p, r := connect(t, c)
	scripts := talk(p, rng)
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	if err := p.Idle(ctx); err != nil {
		t.Errorf("seed %d: Idle did not return: %v", seed, err)
	}
	time.Sleep(5 * time.Second) // the carrier may still have buffered audio
	if err := p.Close(); err != nil {
		t.Errorf("seed %d: close: %v", seed, err)
	}
	got, heard := r.get(), c.heard(time.Now())
	if len(got) != len(scripts) {
		t.Errorf("seed %d: got %d results, want %d", seed, len(got), len(scripts))
	}
	for i, one := range got {
		broken := c.breakAfter > 0 && errors.Is(one.Err, ErrLine) && errors.Is(one.Err, errLine)
		if want := fmt.Sprint(i + 1); one.ID != want || one.Err != nil && !broken {
			t.Errorf("seed %d: got %+v, want that of item %s without an error", seed, one, want)
		}
		if one.Unconfirmed && c.dropMarks == 0 && !w.wild {
			t.Errorf("seed %d: got %+v unconfirmed, although marks come back", seed, one)
		}
		if w.wild || i >= len(scripts) || c.taken[byte(i+1)] {
			continue
		}
		off := (one.Played - heard[i+1]).Abs()
		worst = max(worst, off)
		if off > 60*ms+w.unknown {
			t.Errorf("seed %d: got %+v, want %v played", seed, one, heard[i+1])
		}
	}
	for i, s := range scripts {
		if s.closed != 1 {
			t.Errorf("seed %d: source %d was closed %d times, want once", seed, i+1, s.closed)
		}
	}
	for name, n := range c.named {
		if n > 1 {
			t.Errorf("seed %d: mark %s was sent %d times, want once", seed, name, n)
		}
	}
	if !w.wild && c.most > maxAhead {
		t.Errorf("seed %d: the carrier held %v, want at most %v", seed, c.most, maxAhead)
	}
	return worst
}

// talk calls random methods of a player and returns the Sources that it accepted. Their kinds count from 1.
func talk(p *Player, rng *rand.Rand) (scripts []*script) {
	for range 3 + rng.IntN(6) {
		switch rng.IntN(4) {
		case 0, 1:
			s := &script{kind: byte(len(scripts) + 1), length: time.Duration(50+rng.IntN(4000)) * ms, piece: time.Duration(5+rng.IntN(300)) * ms}
			switch rng.IntN(4) {
			case 0: // in real time or slower
				s.every = s.piece + time.Duration(rng.IntN(100))*ms
			case 1:
				s.every = s.piece * 9 / 10
			}
			if p.Enqueue(Item{ID: fmt.Sprint(s.kind), Source: s, Interruptible: rng.IntN(4) > 0}) == nil {
				scripts = append(scripts, s)
			}
		case 2:
			p.Interrupt(BySpeech)
		case 3:
			if rng.IntN(3) == 0 {
				p.Clear()
			}
		}
		time.Sleep(time.Duration(rng.IntN(2500)) * ms)
	}
	return scripts
}
