package transcript

import (
	"time"

	"aldeabridge/events"
)

// UtteranceEnd takes the recogniser's word that nobody has spoken for a while. It ends the current utterance,
// unless the last word is still in an interim: then finalize asks the caller to make the recogniser finalize
// what it has heard, and the final that answers ends the utterance. An UtteranceEnd that belongs to an utterance
// emitted before, or to no word, is ignored.
func (a *Assembler) UtteranceEnd(u UtteranceEnd, now time.Time) (out []events.Body, finalize bool) {
	if a.closed || u.LastWordEnd < 0 || (a.count > 0 && u.LastWordEnd <= a.emitted) {
		return nil, false
	}
	if a.inInterim(u.LastWordEnd) {
		a.ending = min(u.LastWordEnd, a.pending.end)
		a.touch(now) // the answer takes a moment
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

// Deadline is when to call Tick, if the recogniser sends no text before. It is false while nothing waits.
// It changes with every other call.
func (a *Assembler) Deadline() (time.Time, bool) {
	if a.closed || a.open.empty() || a.opts.Timeout < 0 {
		return time.Time{}, false
	}
	return a.heard.Add(a.opts.Timeout), true
}

// Tick emits the committed text if its deadline has come. Do not call it while no audio reaches the
// recogniser, for then its silence means nothing; call Resume when audio flows again.
func (a *Assembler) Tick(now time.Time) []events.Body {
	if deadline, ok := a.Deadline(); !ok || now.Before(deadline) {
		return nil
	}
	return a.emit(events.ByTimeout, true)
}

// Resume starts the waiting time again: the recogniser was out of reach until now.
func (a *Assembler) Resume(now time.Time) { a.touch(now) }

// Close ends the track and returns its last utterance, if there is one, as ended by by. confirmed says that the recogniser
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
