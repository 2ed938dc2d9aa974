package transcript

import (
	"time"

	"aldeabridge/events"
)

// UtteranceEnd handles the recognizer's message that no word has come for a while. It ends the current utterance,
// unless the last word is still in an interim: then finalize asks the caller to make the recognizer finalize
// what it has heard, and the final that answers ends the utterance. An UtteranceEnd that belongs to an utterance
// emitted before, or to no word, is ignored.
func (a *Assembler) UtteranceEnd(u UtteranceEnd, now time.Time) (out []events.Body, finalize bool) {
	if a.closed || u.LastWordEnd < 0 || (a.count > 0 && u.LastWordEnd <= a.emitted) {
		return nil, false
	}
	if a.inInterim(u.LastWordEnd) {
		a.finalize(min(u.LastWordEnd, a.pending.end), events.ByUtteranceEnd, now)
		return nil, true
	}
	return a.emit(events.ByUtteranceEnd, true), false
}

// inInterim tells whether a word that ends at t is one of the pending interim. A word that ends where the
// interim begins belongs to the finals before it, if there are any.
func (a *Assembler) inInterim(t time.Duration) bool {
	if a.pending.text == "" {
		return false
	}
	return t > a.pending.start || (t == a.pending.start && a.open.empty())
}

// finalize notes that the recognizer is asked for a final that reaches end and ends the utterance.
func (a *Assembler) finalize(end time.Duration, by events.EndedBy, now time.Time) {
	a.ending, a.endedBy, a.asked = end, by, now
}

// Deadline is when to call Tick, if the recognizer sends no new text before. It is false while nothing waits.
// It changes with every other call.
func (a *Assembler) Deadline() (time.Time, bool) {
	switch {
	case a.closed || a.opts.Timeout < 0 || a.open.empty() && a.pending.text == "":
		return time.Time{}, false
	case a.pending.text == "":
		return a.heard.Add(a.opts.Timeout), true
	case !a.asked.IsZero():
		return a.asked.Add(a.opts.FinalizeTimeout), true
	case a.tooLong():
		return a.heard, true
	}
	return a.heard.Add(a.opts.Timeout), true
}

// Asked is when Tick or UtteranceEnd last returned finalize, if the answer is still awaited; else it is zero.
func (a *Assembler) Asked() time.Time { return a.asked }

// Tick ends an utterance whose deadline has come. Committed text is emitted. If words are still in an interim,
// finalize asks the caller to make the recognizer finalize them; at the next deadline, if it did not answer, the
// interim is emitted as it is, not confirmed. Do not call Tick while no audio reaches the recognizer, or
// if nothing at all came from it since Asked, for then its silence means nothing: call Resume.
func (a *Assembler) Tick(now time.Time) (out []events.Body, finalize bool) {
	deadline, ok := a.Deadline()
	switch {
	case !ok || now.Before(deadline):
		return nil, false
	case a.pending.text == "":
		return a.emit(events.ByTimeout, true), false
	case a.asked.IsZero():
		a.finalize(a.pending.end, events.ByTimeout, now)
		return nil, true
	}
	return a.abandon(), false
}

// abandon emits the current utterance with its interim, which the recognizer did not make final. What it says
// later about the same audio is dropped.
func (a *Assembler) abandon() []events.Body {
	a.open.add(a.pending)
	a.committed.abandon(a.pending)
	a.pending = segment{}
	a.stats.Abandoned++
	return a.emit(events.ByTimeout, false)
}

// Resume starts the waiting time again: the recognizer was out of reach until now. A request to finalize may have
// been lost with its connection, and is made again.
func (a *Assembler) Resume(now time.Time) {
	a.touch(now)
	a.asked = time.Time{}
}

// Close ends the track and returns its last utterance, if there is one, as ended by by. confirmed says that the recognizer
// answered for all audio. An interim that is still pending becomes part of the utterance, which is then not
// confirmed. Afterwards the Assembler takes and returns nothing.
func (a *Assembler) Close(by events.EndedBy, confirmed bool) []events.Body {
	if a.closed {
		return nil
	}
	if a.pending.text != "" {
		a.open.add(a.pending)
		a.pending = segment{}
		confirmed = false
	}
	out := a.emit(by, confirmed)
	a.closed = true
	return out
}
