package aldea

import "time"

// A step is the next thing a writer has to do.
type step struct {
	kind   stepKind
	gap    *Gap   // for stepGap
	audio  []byte // for stepAudio: µ-law, valid until the next plan
	filler bool   // for stepKeepAlive: the connection has carried no audio yet
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
	stepTimeout // there is no time left to send the rest
)

// plan decides the next step and takes note of it as done.
func (w *writer) plan(now time.Time) (step, time.Time) {
	config := &w.s.client.config
	w.s.mu.Lock()
	defer w.s.mu.Unlock()
	src := &w.s.src
	pingAt := w.pinged.Add(config.PingInterval)
	if !now.Before(pingAt) {
		w.pinged = now
		return step{kind: stepPing}, now
	}
	if gap := src.skipLost(); gap != nil {
		w.s.stats.Gap += gap.To - gap.From
		return step{kind: stepGap, gap: gap}, now
	}
	if src.finalizeDue() || config.Endpointing == "false" && src.unrequited >= sampleAt(finalizeEvery) {
		src.finalizeSent()
		return step{kind: stepFinalize}, now
	}
	if src.ended && now.Sub(w.endOfAudio()) >= config.DrainTimeout {
		return step{kind: stepTimeout}, now
	}
	keepAliveAt := w.lastSent.Add(config.KeepAlive)
	waited := !now.Before(keepAliveAt)
	if n := src.ready(w.chunk, int64(len(w.mulaw)), waited); n > 0 {
		return w.planAudio(n, now, pingAt)
	}
	if src.ended {
		return step{kind: stepClose}, now
	}
	if waited {
		return w.planKeepAlive(now), now
	}
	w.s.wakeAt = src.next + w.chunk
	return step{kind: stepWait}, earliest(keepAliveAt, pingAt)
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
	replayed := src.take(w.mulaw[:n])
	w.s.stats.Sent += length
	w.s.stats.Replayed += timeOf(replayed)
	w.lastSent = now
	return step{kind: stepAudio, audio: w.mulaw[:n]}, now
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
