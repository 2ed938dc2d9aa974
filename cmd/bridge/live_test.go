package main

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"aldeabridge/events"
	"aldeabridge/internal/api/client"
)

// message is e as a stream brings it.
func message(t *testing.T, call string, body events.Body) client.Message {
	t.Helper()
	e := events.Event{Time: time.Date(2026, 11, 22, 12, 0, 0, 0, time.Local), Call: events.Call{ID: call, From: "+15550100001"}, Body: body}
	b, err := e.JSON()
	if err != nil {
		t.Fatal(err)
	}
	return client.Message{Type: string(body.Type()), Data: b}
}

func interim(text string) events.TranscriptInterim {
	return events.TranscriptInterim{Speaker: events.Caller, Text: text, Start: events.Offset(time.Second), End: events.Offset(2 * time.Second)}
}

func final(text string) events.UtteranceFinal {
	return events.UtteranceFinal{Utterance: events.Utterance{Speaker: events.Caller, Text: text, Start: events.Offset(time.Second), End: events.Offset(61 * time.Second)}}
}

// watch shows events and returns what a terminal of one line would, where <X> is a line that was cleared with X in it.
func watch(t *testing.T, one bool, shown ...client.Message) string {
	t.Helper()
	var b strings.Builder
	v := &liveView{one: one, lines: lines{out: &b, inPlace: true}}
	for _, m := range shown {
		if err := v.show(m); err != nil {
			t.Fatal(err)
		}
	}
	return strings.ReplaceAll(b.String(), "\r\x1b[K", "<\n")
}

func TestOneCallGrowsInPlaceWithItsOwnClock(t *testing.T) {
	got := watch(t, true, message(t, "CA1", events.CallStarted{}), message(t, "CA1", interim("I want")), message(t, "CA1", interim("I want a")),
		message(t, "CA1", final("I want a refund")), message(t, "CA1", events.DTMFReceived{Digit: "5"}), message(t, "CA1", events.CallEnded{Reason: events.EndStop}))
	want := `
  0:00.0  call    started
  0:01.0  caller  I want …<
  0:01.0  caller  I want a …<
  0:01.0  caller  “I want a refund”
  0:00.0  caller  pressed 5
  0:00.0  call    ended: carrier stop
`
	if got != want[1:] {
		t.Errorf("got\n%s\nwant%s", got, want)
	}
}

func TestTheNewestSpeakerOfManyCallsGrowsBelowWhatStays(t *testing.T) {
	a, b := "CA00000000aaaaaa", "CA00000000bbbbbb"
	got := watch(t, false, message(t, a, events.CallStarted{}), message(t, a, interim("one")), message(t, b, interim("two")),
		message(t, a, final("one done")), message(t, b, final("two done")), message(t, b, interim("three")), message(t, b, events.CallEnded{}), message(t, a, final("last")))
	want := `
12:00:00  aaaaaa  call    started: +15550100001 → –  CA00000000aaaaaa
12:00:00  aaaaaa  caller  one …<
12:00:00  bbbbbb  caller  two …<
12:00:00  aaaaaa  caller  “one done”
12:00:00  bbbbbb  caller  two …<
12:00:00  bbbbbb  caller  “two done”
12:00:00  bbbbbb  caller  three …<
12:00:00  bbbbbb  call    ended: 
12:00:00  aaaaaa  caller  “last”
`
	if got != want[1:] {
		t.Errorf("got\n%s\nwant%s", got, want)
	}
}

func TestAnEventOfANewerBridgeIsNamed(t *testing.T) {
	got := watch(t, true, client.Message{Type: "playback.\x1bfinished", Data: []byte(`{"type":"x"}`)})
	if !strings.Contains(got, "playback.\uFFFDfinished") {
		t.Errorf("got %q, want its type", got)
	}
}

func TestALongInterimShowsItsEnd(t *testing.T) {
	got := watch(t, true, message(t, "CA1", interim(strings.Repeat("電話 ", 100)+"end")))
	if !strings.HasSuffix(got, " end …") || !strings.Contains(got, "caller  …") {
		t.Errorf("got %q, want its end behind …", got)
	}
}

// Every event that is stored can be seen.
func TestEveryStoredEventIsPutIntoWords(t *testing.T) {
	bySpeech := events.BySpeech
	for _, b := range []events.Body{events.CallStarted{}, events.UtteranceFinal{}, events.DTMFReceived{}, events.DigitsGathered{EndedBy: events.GatherMaxDigits},
		events.PlaybackFinished{InterruptedBy: &bySpeech}, events.ActionFailed{Reason: "why"}, events.RecognizerDegraded{Cause: "connection_lost"},
		events.RecognizerRecovered{}, events.AudioGap{Cause: "unreachable"}, events.CallEnded{}} {
		if s, ok := describe(events.Event{Body: b}); !ok || s.text == "" || s.grows || strings.Contains(s.text, "%!") || strings.Contains(s.text, "_") {
			t.Errorf("%s: got %+v, %v", b.Type(), s, ok)
		}
	}
	if _, ok := describe(events.Event{Body: events.SpeechStarted{}}); ok {
		t.Error("speech.started: got words, want none")
	}
	if got, want := fmt.Sprint(label("CA1"), " ", label("CA00電話電話電話")), "CA1 電話電話電話"; got != want {
		t.Errorf("labels: got %s, want %s", got, want)
	}
}

func TestWhatWasEnteredIsSaidInWords(t *testing.T) {
	for want, b := range map[string]events.DigitsGathered{
		"entered 42":                                 {Digits: "42", EndedBy: events.GatherTerminator},
		"entered 43":                                 {Digits: "43", EndedBy: events.GatherMaxDigits},
		"entered 4, then no key for too long":        {Digits: "4", EndedBy: events.GatherTimeout},
		"entered nothing, then no key for too long":  {EndedBy: events.GatherTimeout},
		"entered nothing, then another listen began": {EndedBy: events.GatherReplaced},
		"entered nothing, then the call was over":    {EndedBy: events.GatherCallEnd},
		"entered 1, of a newer bridge":               {Digits: "1", EndedBy: "of_a_newer_bridge"},
	} {
		if got, ok := describe(events.Event{Body: b}); !ok || got.text != want {
			t.Errorf("got %q, want %q", got.text, want)
		}
	}
}
