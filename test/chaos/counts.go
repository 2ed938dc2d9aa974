package calltest

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
)

// A Tally is what happened in one world, or in many. It is safe for concurrent use; the zero value is ready.
type Tally struct {
	mu     sync.Mutex
	counts Counts
}

// Counts are the numbers of a Tally.
type Counts struct {
	Worlds, Calls int
	Time          time.Duration // of audio, all legs together
	Said, Heard   int           // words
	Gaps          int           // audio.gap events
	Missing       int           // words inside them
	Connections   int           // to the recognizer, that were accepted
	Webhooks      int           // requests
	Faults        map[string]int
	PeakDials     int // most attempts to connect within a second, in one world
	Findings      int
}

// Counts returns the numbers so far.
func (t *Tally) Counts() Counts {
	t.mu.Lock()
	defer t.mu.Unlock()
	c := t.counts
	c.Faults = maps.Clone(c.Faults)
	return c
}

// Add adds what another Tally counted.
func (t *Tally) Add(other *Tally) {
	o := other.Counts()
	t.mu.Lock()
	defer t.mu.Unlock()
	c := &t.counts
	c.Worlds += o.Worlds
	c.Calls += o.Calls
	c.Time += o.Time
	c.Said += o.Said
	c.Heard += o.Heard
	c.Gaps += o.Gaps
	c.Missing += o.Missing
	c.Connections += o.Connections
	c.Webhooks += o.Webhooks
	c.PeakDials = max(c.PeakDials, o.PeakDials)
	c.Findings += o.Findings
	for kind, n := range o.Faults {
		c.fault(kind, n)
	}
}

func (t *Tally) fault(kind string) { t.count(func(c *Counts) { c.fault(kind, 1) }) }

func (t *Tally) count(what func(*Counts)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	what(&t.counts)
}

func (c *Counts) fault(kind string, n int) {
	if c.Faults == nil {
		c.Faults = map[string]int{}
	}
	c.Faults[kind] += n
}

// String is the counts on one line and the faults on another.
func (c Counts) String() string {
	var faults []string
	for _, kind := range slices.Sorted(maps.Keys(c.Faults)) {
		faults = append(faults, fmt.Sprintf("%d %s", c.Faults[kind], kind))
	}
	return fmt.Sprintf("%d worlds, %d calls, %.2f call-hours, %d words said, %d heard, %d in %d gaps, %d connections, %d webhooks, at most %d dials a second, %d findings\nfaults: %s",
		c.Worlds, c.Calls, c.Time.Hours(), c.Said, c.Heard, c.Missing, c.Gaps, c.Connections, c.Webhooks, c.PeakDials, c.Findings, strings.Join(faults, ", "))
}
