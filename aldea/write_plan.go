package aldea

import "time"

// A step is the next thing a writer has to do.
type step struct {
	kind      stepKind
	audio     []byte     // for stepAudio: µ-law, valid until the next plan
	filler    bool       // for stepKeepAlive: the connection has carried no audio yet
	recovered *Recovered // for stepRecovered
}

type stepKind int

const (
	stepWait stepKind = iota // until the time given, or something happens
	stepPing
	stepGap
	stepAudio
	stepFinalize
	stepKeepAlive
	stepClose
	stepTimeout   // there is no time left to send the rest
	stepRecovered // the trouble is over
	stepStalled   // nothing comes back
	stepMove      // a better host is back
)

// plan decides the next step and takes note of it as done.
func (w *writer) plan(now time.Time) (step, time.Time) {
	config := &w.s.as.config
	w.s.mu.Lock()
	defer w.s.mu.Unlock()
	src := &w.s.src
	pingAt := w.pinged.Add(config.PingInterval)
	if !now.Before(pingAt) {
		w.pinged = now
		return step{kind: stepPing}, now
	}
	if src.stalled(w.limit, now) {
		w.s.stats.Stalled++
		return step{kind: stepStalled}, now
	}
	if w.planGap(now) {
		return step{kind: stepGap}, now
	}
	calmAt := w.opened.Add(calmAfter)
	if recovered := w.planRecovered(calmAt, now); recovered != nil {
		return step{kind: stepRecovered, recovered: recovered}, now
	}
	if src.finalizeDue() || config.Endpointing == "false" && src.unrequited >= sampleAt(finalizeEvery) {
		src.finalizeSent()
		w.pinged = time.Time{} // a ping behind it: its pong shows that the server is alive and has received it
		return step{kind: stepFinalize}, now
	}
	if src.ended && now.Sub(w.endOfAudio()) >= config.DrainTimeout {
		return step{kind: stepTimeout}, now
	}
	keepAliveAt := w.lastSent.Add(config.KeepAlive)
	waited := !now.Before(keepAliveAt)
	if n := src.ready(w.chunk, w.most, waited); n > 0 {
		return w.planAudio(n, now, pingAt)
	}
	if src.ended {
		return step{kind: stepClose}, now
	}
	if waited {
		return w.planKeepAlive(now), now
	}
	if w.planMove(now) {
		w.s.stats.Moved++
		return step{kind: stepMove}, now
	}
	w.s.wakeAt = src.next + w.chunk
	until := earliest(keepAliveAt, pingAt)
	if now.Before(calmAt) {
		until = earliest(until, calmAt) // there may be something to tell
	}
	return step{kind: stepWait}, until
}

// planNow plans to send the audio that is due, and answers false if anything else might be due.
func (w *writer) planNow(now time.Time) (step, bool) {
	config := &w.s.as.config
	w.s.mu.Lock()
	defer w.s.mu.Unlock()
	src := &w.s.src
	pingAt := w.pinged.Add(config.PingInterval)
	if w.host != nil && w.host.index > 0 { // there may be a better one to go back to
		return step{}, false
	}
	n := src.ready(w.chunk, w.most, false)
	if n < w.chunk || src.ring.end-src.next-n >= w.chunk || src.ended || len(src.finalizes) > src.finalized ||
		config.Endpointing == "false" && src.unrequited+n >= sampleAt(finalizeEvery) ||
		!now.Before(pingAt) || src.stalled(w.limit, now) || src.overrun() || src.lost.to > src.lost.from || !w.s.trouble.since.IsZero() {
		return step{}, false
	}
	audio, _ := w.planAudio(n, now, pingAt)
	if audio.kind != stepAudio {
		return step{}, false
	}
	w.s.wakeAt = src.next + w.chunk
	return audio, true
}

// planGap skips what has been lost, and reports whether a gap is to be told now.
func (w *writer) planGap(now time.Time) bool {
	src := &w.s.src
	lost := &src.lost
	if src.overrun() {
		if lost.to > lost.from && src.next > lost.to {
			return true // there will be another one
		}
		cause := w.s.trouble.cause
		if w.s.trouble.since.IsZero() {
			cause = CauseSlow
		}
		w.s.stats.Gap += timeOf(src.skipLost(cause, now))
	}
	return lost.to > lost.from && now.Sub(lost.grown) >= gapQuiet
}

// planRecovered ends the trouble when the connection has lasted and the backlog is gone. It returns what
// there is to tell about that.
func (w *writer) planRecovered(calmAt, now time.Time) *Recovered {
	src, trouble := &w.s.src, &w.s.trouble
	if trouble.since.IsZero() || timeOf(src.ring.end-src.next) >= calmLag || now.Before(calmAt) && !src.ended {
		return nil
	}
	return trouble.end()
}

// planAudio sends n samples, or waits for its turn if that would be too fast. At the end of the audio there
// is no time for that.
func (w *writer) planAudio(n int64, now, pingAt time.Time) (step, time.Time) {
	src := &w.s.src
	length := timeOf(n)
	if wait := w.pace.wait(length, now); wait > 0 && !src.ended {
		w.s.wakeAt = never // more audio changes nothing; the end of it does, and wakes anyway
		return step{kind: stepWait}, earliest(now.Add(wait), pingAt)
	}
	w.pace.spend(length)
	audio := w.room(n)
	replayed := src.take(audio)
	src.ask(n, now)
	w.s.stats.Sent += length
	w.s.stats.Replayed += timeOf(replayed)
	w.lastSent = now
	return step{kind: stepAudio, audio: audio}, now
}

// planKeepAlive keeps an idle connection open.
func (w *writer) planKeepAlive(now time.Time) step {
	src := &w.s.src
	filler := src.line.sent == 0
	if filler {
		src.line.filler(src.next, fillerSamples)
	}
	w.s.stats.KeepAlives++
	w.lastSent = now
	return step{kind: stepKeepAlive, filler: filler}
}

// endOfAudio is when the time to send the rest began to run.
func (w *writer) endOfAudio() time.Time {
	if w.opened.After(w.s.endedAt) {
		return w.opened
	}
	return w.s.endedAt
}

func earliest(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}
