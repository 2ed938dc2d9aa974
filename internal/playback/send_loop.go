package playback

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"
)

const (
	// markEvery is how much audio lies between two marks.
	markEvery = 200 * time.Millisecond
	// manyMarks is how many unanswered marks are remembered before those that are overdue are forgotten.
	manyMarks = 64
	// forever is a wait that something else ends.
	forever = time.Hour
)

// A step is what run does next, in this order.
type step struct {
	clear bool       // send a clear
	stop  []*entry   // close their Sources
	over  []finished // tell of them
	probe string     // a mark before the audio
	media []byte
	marks []string      // marks behind it
	wait  time.Duration // when there is nothing else to do
	exit  bool
}

// A finished entry and what became of it.
type finished struct {
	e *entry
	r Result
}

// run sends what is to be sent until nothing plays.
func (p *Player) run() {
	defer p.recovered(p.failAll)
	var buf [chunk]byte
	timer := time.NewTimer(forever)
	defer timer.Stop()
	for {
		s := p.next(buf[:])
		p.write(&s)
		for _, e := range s.stop {
			p.shut(e)
		}
		for _, f := range s.over {
			p.shut(f.e)
			if p.c.Finished != nil {
				p.c.Finished(f.r)
			}
			close(f.e.done)
		}
		if s.exit {
			return
		}
		if s.wait <= 0 {
			continue
		}
		timer.Reset(s.wait)
		select {
		case <-p.wake:
		case <-timer.C:
		}
	}
}

// shut closes the Source of an entry, which may take its time.
func (p *Player) shut(e *entry) {
	if !e.closed {
		e.closed = true
		p.work.Go(func() {
			defer p.recovered(func(error) {})
			_ = e.Source.Close()
		})
	}
}

// write sends what the step wants to be sent.
func (p *Player) write(s *step) {
	var err error
	if s.clear {
		err = p.c.Line.SendClear()
	}
	if err == nil && s.probe != "" {
		err = p.c.Line.SendMark(s.probe)
	}
	if err == nil && len(s.media) > 0 {
		err = p.c.Line.SendMedia(s.media)
	}
	for _, name := range s.marks {
		if err == nil {
			err = p.c.Line.SendMark(name)
		}
	}
	if err != nil {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.failed = fmt.Errorf("%w: %w", ErrLine, err)
	}
}

// next decides on a step. buf is room for its audio.
func (p *Player) next(buf []byte) (s step) {
	now := time.Now()
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.closed:
		p.dropAll(ErrClosed, now)
	case p.failed != nil:
		p.dropAll(p.failed, now)
	case p.clearing:
		s.clear, s.marks = true, p.clear(now)
	default:
		s.wait = forever
		p.conclude(&s, now)
		p.feedNext(&s, buf, now)
	}
	s.stop, p.stopped = p.stopped, nil
	s.over, p.over = p.over, nil
	if len(s.stop) > 0 || len(s.over) > 0 {
		s.wait = 0
	} else if len(p.items) == 0 && p.settling == nil {
		s.exit, p.running = true, false
	}
	p.audible.Store(slices.ContainsFunc(p.items, func(e *entry) bool { return e.begun && e.Interruptible }))
	return s
}

// dropAll ends all items because of err.
func (p *Player) dropAll(err error, now time.Time) {
	p.clearing = false
	if s := p.settling; s != nil {
		p.settled(s, earlier(now, s.guess(now)))
	}
	heard := p.clock.heard(now)
	for _, e := range p.items {
		if e.err == nil {
			e.err = err
		}
		pos := heard
		if e.echoed {
			pos = e.to()
		}
		p.finish(e, pos)
	}
	p.items = nil
}

// finish puts the result of an entry on the list, when pos is the last place heard.
func (p *Player) finish(e *entry, pos int64) {
	e.halt()
	r := e.result(pos)
	r.Unconfirmed = e.begun && !p.answered && time.Since(p.asked) >= markGrace
	p.over = append(p.over, finished{e, r})
}

// conclude finishes what has been heard.
func (p *Player) conclude(s *step, now time.Time) {
	if t := p.settling; t != nil {
		s.wait = t.wait(p, now)
		if !t.over {
			return // one after the other
		}
		p.settled(t, t.end)
		s.wait = forever
	}
	for len(p.items) > 0 && (p.items[0].sent || p.items[0].dead) {
		e := p.items[0]
		if e.size > 0 && !e.echoed {
			patience := p.clock.when(e.to()).Add(p.link.oneWay() + markGrace)
			if left := patience.Sub(now); left > 0 {
				s.wait = min(s.wait, left)
				return
			}
		}
		p.finish(e, e.to())
		p.items = p.items[1:]
	}
}

// feedNext sends the next piece of audio when it is time.
func (p *Player) feedNext(s *step, buf []byte, now time.Time) {
	i := 0
	for i < len(p.items) && (p.items[i].sent || p.items[i].dead) {
		i++
	}
	if i == len(p.items) {
		return
	}
	e := p.items[i]
	if e.feed == nil {
		ctx, cancel := context.WithCancel(context.Background())
		e.feed = newFeed(cancel, p.nudge)
		p.work.Go(func() {
			defer p.recovered(func(err error) { e.feed.put(nil, err) })
			e.feed.fill(ctx, e.Source)
		})
	}
	if p.settling != nil || len(e.resend) == 0 && !e.feed.ready() {
		return // it nudges
	}
	if early := p.clock.ahead(now) + duration(int64(len(buf))) - p.c.Ahead; early > 0 {
		s.wait = min(s.wait, early)
		return
	}
	n := p.take(e, buf)
	s.wait = 0
	if n > 0 {
		p.hand(s, e, buf[:n], now)
		if i > 0 && !e.Interruptible {
			e.kept = append(e.kept, buf[:n]...)
		}
	}
	if p.clock.sent > p.marked && (e.sent || duration(p.clock.sent-p.marked) >= markEvery) {
		s.marks = append(s.marks, p.ask(mark{pos: p.clock.sent, at: now}))
		p.marked = p.clock.sent
	}
}

// ask remembers a mark that leaves now, under a new name.
func (p *Player) ask(m mark) string {
	if len(p.marks) >= manyMarks {
		for name, old := range p.marks {
			if m.at.After(p.clock.when(old.pos).Add(p.link.oneWay() + markGrace)) {
				delete(p.marks, name)
			}
		}
	}
	if p.asked.IsZero() {
		p.asked = m.at
	}
	name := p.name()
	p.marks[name] = m
	return name
}

// take moves the next audio of an entry to buf, and notes when that was the last.
func (p *Player) take(e *entry, buf []byte) int {
	n := copy(buf, e.resend)
	e.resend = e.resend[n:]
	if n > 0 {
		e.sent = len(e.resend) == 0 && e.ended
		return n
	}
	n, over, err := e.feed.take(buf)
	if over {
		e.sent, e.ended, e.err = true, err == nil, err
		p.stopped = append(p.stopped, e)
	}
	return n
}

// hand puts audio of an entry on the line's time line.
func (p *Player) hand(s *step, e *entry, mulaw []byte, now time.Time) {
	if p.clock.dry(now) && now.Sub(p.probed) >= markEvery {
		s.probe, p.probed = p.ask(mark{pos: p.clock.sent, probe: true, at: now}), now
	}
	if !e.begun {
		e.begun, e.from = true, p.clock.sent
	}
	s.media = mulaw
	p.sound.add(mulaw)
	p.clock.send(len(mulaw), now)
	e.size += int64(len(mulaw))
}

// name is a new name for a mark.
func (p *Player) name() string {
	p.names++
	return "play-" + strconv.Itoa(p.names)
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}
