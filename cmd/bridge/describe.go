package main

import (
	"fmt"
	"strings"

	"aldeabridge/events"
)

// A sentence is an event in words.
type sentence struct {
	at    string // in the call; empty where that is not known
	who   string // "caller", "agent" or "call"
	text  string
	grows bool // the next of the same speaker replaces it
}

// describe puts an event into words, those it does not know by their type. It returns false for those that are not
// shown.
func describe(e events.Event) (s sentence, ok bool) {
	switch b := e.Body.(type) {
	case events.CallStarted:
		if b.Resumed { // its place in the call is not told
			return sentence{who: "call", text: "goes on with another stream"}, true
		}
		return sentence{at: events.Offset(0).Clock(), who: "call", text: "started"}, true
	case events.TranscriptInterim:
		return sentence{at: b.Start.Clock(), who: string(b.Speaker), text: b.Text + " …", grows: true}, true
	case events.UtteranceFinal:
		return sentence{at: b.Utterance.Start.Clock(), who: string(b.Utterance.Speaker), text: "“" + b.Utterance.Text + "”"}, true
	case events.DTMFReceived:
		return sentence{at: b.At.Clock(), who: "caller", text: "pressed " + b.Digit}, true
	case events.DigitsGathered:
		return sentence{at: b.At.Clock(), who: "caller", text: entered(b)}, true
	case events.PlaybackFinished:
		return sentence{who: "call", text: heard(b)}, true
	case events.ActionFailed:
		return sentence{who: "call", text: "action failed: " + b.Reason}, true
	case events.RecognizerDegraded:
		return sentence{who: string(b.Speaker), text: fmt.Sprintf("is not heard now: %s; %s of audio waits", words(string(b.Cause)), b.Backlog)}, true
	case events.RecognizerRecovered:
		return sentence{who: string(b.Speaker), text: "is heard again, all of it"}, true
	case events.AudioGap:
		return sentence{at: b.To.Clock(), who: string(b.Speaker), text: fmt.Sprintf("was not heard from %s to %s: %s", b.From, b.To, words(string(b.Cause)))}, true
	case events.CallEnded:
		return sentence{at: b.Duration.Clock(), who: "call", text: "ended: " + words(string(b.Reason))}, true
	}
	if e.Body == nil || !e.Body.Stored() {
		return s, false
	}
	return sentence{who: "call", text: string(e.Body.Type())}, true
}

// gatherEnds says in words what ended the gathering of digits.
var gatherEnds = map[events.GatherEnd]string{
	events.GatherTerminator: "", // as expected
	events.GatherMaxDigits:  "",
	events.GatherTimeout:    "then no key for too long",
	events.GatherReplaced:   "then another listen began",
	events.GatherCallEnd:    "then the call was over",
}

// entered is what the caller entered for a listen.
func entered(b events.DigitsGathered) string {
	text := "entered " + b.Digits
	if b.Digits == "" {
		text = "entered nothing"
	}
	end, known := gatherEnds[b.EndedBy]
	if !known {
		end = words(string(b.EndedBy))
	}
	if end != "" {
		text += ", " + end
	}
	return text
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
