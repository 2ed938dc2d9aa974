package transcript

import (
	"cmp"
	"time"
	"unicode/utf8"

	"aldeabridge/events"
)

// An Assembler turns the results of one track into utterances. Make it with New. It is not safe for
// concurrent use.
type Assembler struct {
	opts      Options
	count     int       // utterances emitted
	committed committed // what is settled of the time line
	open      utterance // the finals of the current utterance
	pending   segment   // the interim; its text is empty if there is none
	shown     string    // the text last published as interim of the current utterance
	// emitted is the end of the last utterance.
	emitted time.Duration
	// ending is the end of the last word when the utterance ended while that word was still in an interim: the next
	// final that reaches it ends the utterance, as endedBy. It is negative otherwise.
	ending  time.Duration
	endedBy events.EndedBy
	asked   time.Time // when the recognizer was asked to finalize the pending interim; zero if it was not
	heard   time.Time // when new text last came
	closed  bool
	stats   Stats
}

// New returns an Assembler at the beginning of a track.
func New(opts Options) *Assembler {
	opts.Timeout = cmp.Or(opts.Timeout, 1500*time.Millisecond)
	opts.FinalizeTimeout = cmp.Or(opts.FinalizeTimeout, 2*time.Second)
	opts.MaxDuration = cmp.Or(opts.MaxDuration, time.Minute)
	opts.MaxRunes = cmp.Or(opts.MaxRunes, 2000)
	return &Assembler{opts: opts, ending: -1}
}

// Change sets what Options said of the language and the timeout, for utterances that end from now on.
func (a *Assembler) Change(language string, timeout time.Duration) {
	a.opts.Language, a.opts.Timeout = language, cmp.Or(timeout, 1500*time.Millisecond)
}

// Result takes a message of the recognizer and returns the events it gives rise to, in order: a
// TranscriptInterim if the text of the current utterance changed, or an UtteranceFinal if the utterance is
// over. now is the time of arrival. After Close it returns nothing.
func (a *Assembler) Result(r Result, now time.Time) []events.Body {
	if a.closed {
		return nil
	}
	s, odd := newSegment(r)
	if odd {
		a.stats.Odd++
	}
	if r.Final || r.SpeechFinal {
		return a.final(s, r.SpeechFinal, now)
	}
	return a.interim(s, now)
}

// interim replaces the pending interim.
func (a *Assembler) interim(s segment, now time.Time) []events.Body {
	if s.placed && s.end < a.pending.end {
		// A new connection hears the same audio again and has not caught up. Until it has, the
		// older interim knows more.
		return nil
	}
	if s, _ = a.committed.fresh(s); s.text == "" {
		a.pending = segment{} // a final overtook it, or the recognizer thinks better of it
		return a.show()
	}
	// An interim that is only repeated does not count as new text: words that stay interim must end, too.
	if s.text != a.pending.text {
		a.touch(now)
		if a.ending < 0 && !a.tooLong() {
			a.asked = time.Time{}
		}
	}
	a.pending = s
	return a.show()
}

// final commits a segment and ends the utterance if it is time.
func (a *Assembler) final(s segment, speechFinal bool, now time.Time) []events.Body {
	fresh := a.fresh(s, speechFinal)
	if fresh.text != "" || !s.placed || a.pending.start < s.end {
		a.pending = segment{} // what is final now; only a late message leaves a newer interim alone
		a.asked = time.Time{}
	}
	if fresh.text != "" {
		a.committed.add(fresh)
		a.open.add(fresh)
		a.touch(now)
	}
	switch {
	case speechFinal:
		return a.emit(events.BySpeechFinal, true)
	case a.ending >= 0 && (!s.placed || s.end >= a.ending-wordSlack):
		return a.emit(a.endedBy, true)
	case a.tooLong():
		a.stats.Cut++
		return a.emit(events.ByTimeout, true)
	}
	return a.show()
}

// fresh is the part of a final that is not committed yet. It counts the rest.
func (a *Assembler) fresh(s segment, speechFinal bool) segment {
	if !s.placed && speechFinal && !a.open.empty() && a.committed.isLast(s.text) {
		a.stats.Repeats++
		return segment{}
	}
	fresh, dropped := a.committed.fresh(s)
	if s.text != "" && fresh.text == "" {
		a.stats.Repeats++
	} else {
		a.stats.Trimmed += dropped
	}
	return fresh
}

// tooLong reports whether the current utterance, with its pending interim, must be cut.
func (a *Assembler) tooLong() bool {
	start, end, runes := a.open.start, a.open.end, a.open.runes
	if a.pending.text != "" {
		if a.open.empty() {
			start = a.pending.start
		}
		end, runes = max(end, a.pending.end), runes+utf8.RuneCountInString(a.pending.text)
	}
	return end-start > a.opts.MaxDuration || runes > a.opts.MaxRunes
}

// touch notes that text came.
func (a *Assembler) touch(now time.Time) {
	if now.After(a.heard) {
		a.heard = now
	}
}

// Stats returns the counters.
func (a *Assembler) Stats() Stats { return a.stats }
