package aldea

import (
	"context"
	"time"
)

// probeEvery is the time between attempts to find out whether a better host is back, more or less: clients
// must not ask in step.
const probeEvery = 5 * time.Second

type dialFunc func(ctx context.Context, h *host, form Auth) (*conn, error)

// A prober finds out when a better host is back while streams are served by a worse one: one connection for
// all of them, closed at once. Its fields are guarded by the guard's mutex.
type prober struct {
	guard  *guard
	dial   dialFunc
	jitter jitter
	cancel context.CancelFunc // nil when it does not run
	done   chan struct{}
}

// check starts probing if there is reason to. The caller holds the guard's mutex.
func (p *prober) check(now time.Time) {
	if p.cancel != nil || p.guard.streams == 0 || p.guard.doubtful(now) == nil {
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	p.cancel, p.done = cancel, make(chan struct{})
	go p.run(ctx, p.done)
}

// doubtful is the first host that would be better than one that is in use, but is not proven to work. The caller
// holds mu.
func (g *guard) doubtful(now time.Time) *host {
	worst := len(g.hosts) - 1
	for worst > 0 && g.hosts[worst].open == 0 {
		worst--
	}
	for _, h := range g.hosts[:worst] {
		if !h.proven(now) {
			return h
		}
	}
	return nil
}

// run probes until there is no reason any more.
func (p *prober) run(ctx context.Context, done chan struct{}) {
	defer close(done)
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		timer.Reset(probeEvery*4/5 + p.jitter.upTo(probeEvery*2/5))
		select {
		case <-timer.C:
		case <-ctx.Done():
			return
		}
		h, more := p.next(done)
		if h != nil {
			p.try(ctx, h)
		}
		if !more {
			return
		}
	}
}

// next is the host to dial now, if any, and whether to go on.
func (p *prober) next(done chan struct{}) (h *host, more bool) {
	g := p.guard
	g.mu.Lock()
	defer g.mu.Unlock()
	now := time.Now()
	h = g.doubtful(now)
	if h == nil {
		if p.done == done {
			p.cancel() // it has nothing else to end
			p.cancel = nil
		}
		return nil, false
	}
	if !h.free(now) || now.Before(h.leftUntil) {
		return nil, true
	}
	h.begin(now)
	return h, true
}

// try makes one attempt, and lets the guard learn from it.
func (p *prober) try(ctx context.Context, h *host) {
	g := p.guard
	c, err := p.dial(ctx, h, h.auth.current())
	now := time.Now()
	if ctx.Err() != nil && err != nil {
		g.canceled(h, now)
		return
	}
	g.mu.Lock()
	g.note(h, err, false, now)
	if err != nil && judge(err) != verdictRetry {
		h.leftUntil = now.Add(awayTime)
	}
	g.dispatch(now)
	g.mu.Unlock()
	if c != nil {
		c.bye()
		c.abort()
	}
}

// stop ends probing and waits for that.
func (p *prober) stop() {
	p.guard.mu.Lock()
	cancel, done := p.cancel, p.done
	p.cancel = nil
	p.guard.mu.Unlock()
	if cancel == nil {
		return
	}
	cancel()
	<-done
}
