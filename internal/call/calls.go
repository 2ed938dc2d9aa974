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

// Calls are the calls of a server. Make it with New. Its methods may be called concurrently.
type Calls struct {
	config  Config
	backlog *backlog
	untold  atomic.Int64
	keys    atomic.Int64 // dropped

	mu      sync.Mutex
	lives   map[string]*life // by call id, while a stream of the call is up
	streams recent           // ids of streams that were begun
}

// Past is what happened on a call before, as the journal knows it. Its zero value is a call that is new.
type Past struct {
	Began  time.Time     // when its first stream began
	Lines  []events.Line // every utterance, in the order of their indices
	Digits int           // keys pressed
}

// A life is what the streams of one call share. A call has several when a lost one comes back, and two at once
// while the recognizer still has last words for the old one.
type life struct {
	load    sync.Once
	began   time.Time
	resumed bool // there was a stream before
	queue   *queue
	streams []*Call // that are up, the newest last; guarded by Calls.mu
}

// New returns the calls of a server that has none yet.
func New(config Config) *Calls {
	config.UtteranceTimeout = cmp.Or(config.UtteranceTimeout, 1500*time.Millisecond)
	config.DrainTimeout = cmp.Or(config.DrainTimeout, 15*time.Second)
	if config.Logger == nil {
		config.Logger = slog.New(slog.DiscardHandler)
	}
	return &Calls{config: config, backlog: newBacklog(), lives: map[string]*life{}}
}

// Stats tells how the journal takes the events of the calls.
type Stats struct {
	Waiting int   // events that it has not taken yet, those of calls that are over included
	Lost    int64 // events that it never took
	Untold  int64 // action.failed events that were too many to be sent
	Keys    int64 // keys that made no event, because there were too many on their call
}

// Stats may be called at any time.
func (cs *Calls) Stats() Stats {
	return Stats{Waiting: cs.backlog.size(), Lost: cs.backlog.lost.Load(), Untold: cs.untold.Load(), Keys: cs.keys.Load()}
}

// Drain waits until the journal has taken every event of the calls, which have ended. When ctx ends first, the rest is
// lost, and Drain says how much that is.
func (cs *Calls) Drain(ctx context.Context) error {
	before := cs.backlog.lost.Load()
	cs.backlog.drain(ctx)
	if lost := cs.backlog.lost.Load() - before; lost > 0 {
		return fmt.Errorf("call: %d events lost: the journal did not take them", lost)
	}
	return nil
}

// join adds a stream to the life of its call.
func (cs *Calls) join(ctx context.Context, c *Call) {
	cs.mu.Lock()
	l := cs.lives[c.info.ID]
	if l == nil {
		l = &life{queue: newQueue(cs.config, cs.backlog, c.logger)}
		cs.lives[c.info.ID] = l
	}
	c.life, c.resumed = l, len(l.streams) > 0
	l.streams = append(l.streams, c)
	c.prefix = cmp.Or(c.info.StreamID, c.info.ID)
	again := cs.streams.add(c.prefix)
	cs.mu.Unlock()

	l.load.Do(func() { l.resumed = cs.recall(ctx, l, c) })
	c.resumed = c.resumed || l.resumed
	if c.resumed {
		c.base = time.Since(l.began).Truncate(time.Millisecond)
	}
	if again || c.resumed && l.queue.saidOn(c.prefix) {
		c.prefix += "." + newTag() // the stream's id does not tell its utterances from those of another stream
	}
}

// recall finds out whether the call had a stream before, and begins its life where that ended.
func (cs *Calls) recall(ctx context.Context, l *life, c *Call) bool {
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
	var heard time.Duration // up to where the call was heard
	for _, n := range past.Lines {
		heard = max(heard, n.End.Duration())
		l.queue.lines.add(n)
	}
	l.began = l.began.Add(-heard) // where the clock was set back
	if past.Began.Before(l.began) {
		l.began = past.Began
	}
	l.queue.digits = past.Digits
	return true
}

// leave takes a stream out of its call's life, and says whether it was the last.
func (cs *Calls) leave(c *Call) (last bool) {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	l := c.life
	for i, other := range l.streams {
		if other == c {
			l.streams = append(l.streams[:i:i], l.streams[i+1:]...)
		}
	}
	if len(l.streams) > 0 {
		return false
	}
	delete(cs.lives, c.info.ID)
	return true
}
