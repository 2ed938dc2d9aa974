package main

import (
	"fmt"
	"strings"
	"time"

	"aldeabridge/events"
)

// A sentence is an event in words.
type sentence struct {
	at    string // in the call; empty where that is not known
	who   string // "caller", "agent" or "call"
	text  string
	grows bool // the next of the same speaker replaces it
}

// describe puts an event into words, those it does not know by their type. It says false of those that nobody wants to
// see.
func describe(e events.Event) (s sentence, ok bool) {
	switch b := e.Body.(type) {
	case events.CallStarted:
		return sentence{at: clock(0), who: "call", text: "started"}, true
	case events.TranscriptInterim:
		return sentence{at: clock(b.End), who: string(b.Speaker), text: b.Text + " …", grows: true}, true
	case events.UtteranceFinal:
		return sentence{at: clock(b.Utterance.End), who: string(b.Utterance.Speaker), text: "“" + b.Utterance.Text + "”"}, true
	case events.DTMFReceived:
		return sentence{at: clock(b.At), who: "caller", text: "pressed " + b.Digit}, true
	case events.DigitsGathered:
		return sentence{at: clock(b.At), who: "caller", text: "entered " + orDash(b.Digits) + ": " + words(string(b.EndedBy))}, true
	case events.PlaybackFinished:
		return sentence{who: "call", text: heard(b)}, true
	case events.ActionFailed:
		return sentence{who: "call", text: "action failed: " + b.Reason}, true
	case events.RecognizerDegraded:
		return sentence{who: string(b.Speaker), text: fmt.Sprintf("is not heard now: %s; %s of audio waits", words(string(b.Cause)), b.Backlog)}, true
	case events.RecognizerRecovered:
		return sentence{who: string(b.Speaker), text: "is heard again, all of it"}, true
	case events.AudioGap:
		return sentence{at: clock(b.To), who: string(b.Speaker), text: fmt.Sprintf("was not heard from %s to %s: %s", b.From, b.To, words(string(b.Cause)))}, true
	case events.CallEnded:
		return sentence{at: clock(b.Duration), who: "call", text: "ended: " + words(string(b.Reason))}, true
	}
	if e.Body == nil || !e.Body.Stored() {
		return s, false
	}
	return sentence{who: "call", text: string(e.Body.Type())}, true
}

// heard is what the caller heard of a say or a play.
func heard(b events.PlaybackFinished) string {
	text := fmt.Sprintf("played %v", b.Played)
	if b.HeardText != "" {
		text += " “" + b.HeardText + "”"
	}
	if b.InterruptedBy != nil {
		text += ", interrupted by " + string(*b.InterruptedBy)
	}
	return text
}

// show prints the sentence behind a prefix.
func (s sentence) show(l *lines, prefix string) {
	if s.grows {
		l.grow(prefix, s.text)
		return
	}
	l.say(prefix, s.text)
}

// words is a word for programs as people write it.
func words(s string) string { return strings.ReplaceAll(s, "_", " ") }

// prefix is the beginning of a line.
func prefix(at, who string) string { return fmt.Sprintf("%8s  %-7s ", at, who) }

// clock is an offset as a caller's watch shows it.
func clock(o events.Offset) string {
	d := o.Duration()
	return fmt.Sprintf("%d:%04.1f", int(d.Minutes()), (d % time.Minute).Seconds())
}
