package playback

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"
)

const (
	// markEvery is the audio between two marks.
	markEvery = 200 * time.Millisecond
	// manyMarks is the number of missing marks from which overdue ones are dropped.
	manyMarks = 64
	// forever is a timeout for waits that another event ends.
	forever = time.Hour
)

// step is what run does next, in the order of its fields.
type step struct {
	clear bool       // send a clear
	stop  []*entry   // entries whose Sources must be closed
	over  []finished // results to pass to Config.Finished
	probe string     // name of a mark to send before the audio; empty for none
	media []byte
	marks []string      // names of marks to send after the audio
	wait  time.Duration // how long to wait for a wake-up; 0 to go on at once
	exit  bool
}

// finished is an entry with its Result.
type finished struct {
	e *entry
	r Result
}

// run sends audio, marks and clears until nothing plays. There is one at a time.
func (p *Player) run() {
	defer p.recovered(p.failAll)
	var buf [chunk]byte
	timer := time.NewTimer(forever)
	defer timer.Stop()
	for {
		s := p.next(buf[:])
		p.write(&s)
		for _, e := range s.stop {
			p.closeSource(e)
		}
		for _, f := range s.over {
			p.closeSource(f.e)
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

// closeSource closes the Source of an entry in a goroutine, because Close may block.
func (p *Player) closeSource(e *entry) {
	if !e.closed {
		e.closed = true
		p.work.Go(func() {
			defer p.recovered(func(error) {})
			_ = e.Source.Close()
		})
	}
}

// write sends the step's messages.
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

// next returns the next step. Its audio is in buf.
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
		p.finishHeard(&s, now)
		p.sendNext(&s, buf, now)
	}
	s.stop, p.stopped = p.stopped, nil
	s.over, p.over = p.over, nil
	if len(s.stop) > 0 || len(s.over) > 0 {
		s.wait = 0
	} else if len(p.items) == 0 && p.pendingClear == nil {
		s.exit, p.running = true, false
	}
	p.audible.Store(slices.ContainsFunc(p.items, func(e *entry) bool { return e.begun && e.Interruptible }))
	return s
}

// dropAll ends all items because of err.
func (p *Player) dropAll(err error, now time.Time) {
	p.clearing = false
	if s := p.pendingClear; s != nil {
		p.finishClear(s, earlier(now, s.expectedStop(now)))
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

// finish queues the Result of an entry of which the caller heard up to pos.
func (p *Player) finish(e *entry, pos int64) {
	e.cancel()
	r := e.result(pos)
	r.Unconfirmed = e.begun && !p.answered && time.Since(p.asked) >= markGrace
	p.over = append(p.over, finished{e, r})
}

// finishHeard finishes the entries that the caller has heard, or sets s.wait.
func (p *Player) finishHeard(s *step, now time.Time) {
	if t := p.pendingClear; t != nil {
		s.wait = t.wait(p, now)
		if !t.over {
			return // results are in order
		}
		p.finishClear(t, t.end)
		s.wait = forever
	}
	for len(p.items) > 0 && (p.items[0].sent || p.items[0].interrupted) {
		e := p.items[0]
		if e.size > 0 && !e.echoed {
			deadline := p.clock.when(e.to()).Add(p.link.oneWay() + markGrace)
			if left := deadline.Sub(now); left > 0 {
				s.wait = min(s.wait, left)
				return
			}
		}
		p.finish(e, e.to())
		p.items = p.items[1:]
	}
}

// sendNext puts the next audio into the step if it may be sent now, or sets s.wait.
func (p *Player) sendNext(s *step, buf []byte, now time.Time) {
	i := 0
	for i < len(p.items) && (p.items[i].sent || p.items[i].interrupted) {
		i++
	}
	if i == len(p.items) {
		return
	}
	e := p.items[i]
	if e.buffer == nil {
		ctx, cancel := context.WithCancel(context.Background())
		e.buffer = newSourceBuffer(cancel, p.nudge)
		p.work.Go(func() {
			defer p.recovered(func(err error) { e.buffer.put(nil, err) })
			e.buffer.fill(ctx, e.Source)
		})
	}
	if p.pendingClear != nil || len(e.resend) == 0 && !e.buffer.ready() {
		return // the buffer or the marks wake run
	}
	if early := p.clock.ahead(now) + duration(int64(len(buf))) - p.c.Ahead; early > 0 {
		s.wait = min(s.wait, early)
		return
	}
	n := p.take(e, buf)
	s.wait = 0
	if n > 0 {
		p.send(s, e, buf[:n], now)
		if i > 0 && !e.Interruptible {
			e.kept = append(e.kept, buf[:n]...)
		}
	}
	if p.clock.sent > p.marked && (e.sent || duration(p.clock.sent-p.marked) >= markEvery) {
		s.marks = append(s.marks, p.newMark(mark{pos: p.clock.sent, at: now}))
		p.marked = p.clock.sent
	}
}

// newMark keeps a mark that is sent now and returns its new name.
func (p *Player) newMark(m mark) string {
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

// take moves the next audio of an entry to buf, and records whether that was the last.
func (p *Player) take(e *entry, buf []byte) int {
	n := copy(buf, e.resend)
	e.resend = e.resend[n:]
	if n > 0 {
		e.sent = len(e.resend) == 0 && e.ended
		return n
	}
	n, over, err := e.buffer.take(buf)
	if over {
		e.sent, e.ended, e.err = true, err == nil, err
		p.stopped = append(p.stopped, e)
	}
	return n
}

// send puts audio of an entry into the step and advances the clock.
func (p *Player) send(s *step, e *entry, mulaw []byte, now time.Time) {
	if p.clock.buffered(now) <= 0 && now.Sub(p.probed) >= markEvery {
		s.probe, p.probed = p.newMark(mark{pos: p.clock.sent, probe: true, at: now}), now
	}
	if !e.begun {
		e.begun, e.from = true, p.clock.sent
	}
	s.media = mulaw
	p.sentLevels.add(mulaw)
	p.clock.send(len(mulaw), now)
	e.size += int64(len(mulaw))
}

// name returns a new name for a mark.
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
