package call

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"aldeabridge/events"
)

// Calls has the live calls of a server. Make it with New. Its methods may be called concurrently.
type Calls struct {
	config  Config
	backlog *backlog
	untold  atomic.Int64
	keys    atomic.Int64 // dropped

	mu      sync.Mutex
	live    map[string]*sharedState // by call id, while the call has a stream
	streams recentIDs               // ids of the last streams
}

// Past is what the journal has of a call. The zero value is a new call.
type Past struct {
	Began  time.Time     // when its first stream began
	Lines  []events.Line // every utterance, in the order of their indices
	Digits int           // keys pressed
}

// sharedState is what the streams of one call share. A call has several streams if the carrier reconnects, and two at once
// while the recognizer still has results of the old one.
type sharedState struct {
	load    sync.Once
	began   time.Time
	resumed bool // the journal has an earlier stream
	queue   *eventQueue
	streams []*Call // the live ones, the newest last; guarded by Calls.mu
}

// New returns a Calls without calls.
func New(config Config) *Calls {
	config.UtteranceTimeout = cmp.Or(config.UtteranceTimeout, 1500*time.Millisecond)
	config.DrainTimeout = cmp.Or(config.DrainTimeout, 15*time.Second)
	if config.Logger == nil {
		config.Logger = slog.New(slog.DiscardHandler)
	}
	return &Calls{config: config, backlog: newBacklog(), live: map[string]*sharedState{}}
}

// Stats has counts of events that were not stored or not emitted.
type Stats struct {
	Waiting int   // events that wait for the journal, including those of calls that are over
	Lost    int64 // events that were never stored
	Untold  int64 // action.failed events dropped by the rate limit
	Keys    int64 // keys dropped because their call had too many
}

// Stats returns the current counts.
func (cs *Calls) Stats() Stats {
	return Stats{Waiting: cs.backlog.size(), Lost: cs.backlog.lost.Load(), Untold: cs.untold.Load(), Keys: cs.keys.Load()}
}

// Drain waits until the journal has stored all events. All calls must have ended. If ctx ends first, the remaining events are
// lost, and the error has their number.
func (cs *Calls) Drain(ctx context.Context) error {
	before := cs.backlog.lost.Load()
	cs.backlog.drain(ctx)
	if lost := cs.backlog.lost.Load() - before; lost > 0 {
		return fmt.Errorf("call: %d events lost: the journal did not take them", lost)
	}
	return nil
}

// join adds a stream to its call and sets its resumed, base and prefix.
func (cs *Calls) join(ctx context.Context, c *Call) {
	cs.mu.Lock()
	l := cs.live[c.info.ID]
	if l == nil {
		l = &sharedState{queue: newEventQueue(cs.config, cs.backlog, c.logger)}
		cs.live[c.info.ID] = l
	}
	c.shared, c.resumed = l, len(l.streams) > 0
	l.streams = append(l.streams, c)
	c.prefix = cmp.Or(c.info.StreamID, c.info.ID)
	again := cs.streams.add(c.prefix)
	cs.mu.Unlock()

	l.load.Do(func() { l.resumed = cs.loadPast(ctx, l, c) })
	c.resumed = c.resumed || l.resumed
	if c.resumed {
		c.base = time.Since(l.began).Truncate(time.Millisecond)
	}
	if again || c.resumed && l.queue.hasUtterancesOf(c.prefix) {
		c.prefix += "." + newTag() // another stream had the same id, so utterance ids would repeat
	}
}

// loadPast reports whether the journal has an earlier stream of the call, and loads its state from there.
func (cs *Calls) loadPast(ctx context.Context, l *sharedState, c *Call) bool {
	l.began = time.Now()
	if cs.config.Past == nil {
		return false
	}
	past, err := cs.config.Past(ctx, c.info.ID)
	if err != nil {
		c.logger.Error("journal does not say whether the call is a new one: its times begin at 0", "err", err)
		return false
	}
	if past.Began.IsZero() {
		return false
	}
	var heard time.Duration // the end of the last utterance
	for _, n := range past.Lines {
		heard = max(heard, n.End.Duration())
		l.queue.lines.add(n)
	}
	l.began = l.began.Add(-heard) // later than past.Began only if the clock was set back
	if past.Began.Before(l.began) {
		l.began = past.Began
	}
	l.queue.digits = past.Digits
	return true
}

// leave removes a stream from its call, and reports whether it was the last.
func (cs *Calls) leave(c *Call) (last bool) {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	l := c.shared
	for i, other := range l.streams {
		if other == c {
			l.streams = append(l.streams[:i:i], l.streams[i+1:]...)
		}
	}
	if len(l.streams) > 0 {
		return false
	}
	delete(cs.live, c.info.ID)
	return true
}
