package examples

import (
	"encoding/json"
	"testing"
	"time"

	"aldeabridge/events"
	"aldeabridge/internal/actions"
)

// say is a say as the examples write it.
func say(text string) actions.Action { return actions.Say{Text: text, Interruptible: true} }

// menu is what the menu asks for: the listen first, so that a key counts while the text is being said.
func menu(id, greeting string) []actions.Action {
	return []actions.Action{
		actions.Listen{ID: id, Gather: &actions.Gather{MaxDigits: 1, Terminator: "#", Timeout: 10 * time.Second}},
		say(greeting + " Say sales or press 1, say support or press 2, say goodbye or press 3."),
	}
}

func gathered(id, digits string, by events.GatherEnd) events.Body {
	return events.DigitsGathered{ActionID: id, Digits: digits, EndedBy: by}
}

func failed(action, id string) events.Body {
	return events.ActionFailed{Action: json.RawMessage(action), ActionID: id, Reason: "the carrier answered 404: no such call"}
}

// The same menu, in three languages.
func TestTheMenuIsTheSameInEachLanguage(t *testing.T) {
	sales := []actions.Action{say("I connect you with sales."), actions.Transfer{ID: "transfer", To: "+15550100021"}}
	support := []actions.Action{say("I connect you with support."), actions.Transfer{ID: "transfer", To: "+15550100012"}}
	goodbye := []actions.Action{say("Goodbye."), actions.Hangup{}}
	sorry := menu("menu", "Sorry, I did not understand.")
	for _, name := range []string{"ivr-go", "ivr-node", "ivr-python"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := start(t, name, "SALES_NUMBER=+15550100021").serving()
			for _, c := range []struct {
				event events.Body
				want  []actions.Action
			}{
				{events.CallStarted{Tracks: []events.Speaker{events.Caller}}, menu("menu", "Welcome.")},
				{said(events.Caller, "Sales, please."), sales},
				{said(events.Caller, "I need SUPPORT!"), support},
				{said(events.Caller, "no, goodbye"), goodbye},
				{said(events.Caller, "number 2"), support},
				{said(events.Caller, "Grüße, unsupported wholesales 12 \u2028"), sorry},
				{said(events.Agent, "This is sales."), nil},
				{events.DTMFReceived{Digit: "1"}, nil}, // digits.gathered tells it too
				{gathered("menu", "1", events.GatherMaxDigits), sales},
				{gathered("again", "2", events.GatherMaxDigits), support},
				{gathered("menu", "3", events.GatherMaxDigits), goodbye},
				{gathered("menu", "9", events.GatherMaxDigits), sorry},
				{gathered("menu", "", events.GatherTerminator), sorry},
				{gathered("menu", "", events.GatherReplaced), nil},
				{gathered("menu", "", events.GatherCallEnd), nil},
				{gathered("menu", "", events.GatherTimeout), menu("again", "Are you still there?")},
				{gathered("again", "", events.GatherTimeout), goodbye},
				{failed(`{"type":"transfer","to":"+15550100003"}`, "transfer"), menu("menu", "Sorry, nobody could be reached.")},
				{failed(`{"type":"say","text":"x"}`, "act_1"), nil}, // or a server without a voice would be told to speak for ever
				{failed(`"{\"actions\": nonsense"`, ""), nil},
				{events.PlaybackFinished{ActionID: "act_1"}, nil},
				{events.CallEnded{Reason: events.EndStop, Transcript: []events.Line{}}, nil},
			} {
				body := event(t, "CA1", p.sequence+1, c.event)
				same(t, string(body), p.tell("CA1", c.event), c.want...)
			}
		})
	}
}

func TestARepeatedEventIsAnsweredAndNothingIsDone(t *testing.T) {
	for _, name := range []string{"ivr-go", "ivr-node", "ivr-python"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := start(t, name).serving()
			started := events.CallStarted{Tracks: []events.Speaker{events.Caller}}
			if got := p.deliver(event(t, "CA1", 4, started)); len(got) != 2 {
				t.Fatalf("got %v, want the menu", got)
			}
			for _, sequence := range []int64{4, 1, 3, 4} {
				same(t, "a repeat", p.deliver(event(t, "CA1", sequence, started)))
			}
			if got := p.deliver(event(t, "CA2", 1, started)); len(got) != 2 {
				t.Errorf("another call: got %v, want the menu", got)
			}
			if got := p.deliver(event(t, "CA1", 5, started)); len(got) != 2 {
				t.Errorf("the next event: got %v, want the menu", got)
			}
		})
	}
}

// Every event that the documentation shows is one that an example takes.
func TestAWebhookTakesEveryEvent(t *testing.T) {
	for _, name := range webhooks {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := start(t, name, "TRANSCRIPTS="+t.TempDir(), "OPENAI_BASE_URL=http://127.0.0.1:1").serving()
			for _, typ := range []events.Type{
				events.TypeCallStarted, events.TypeUtteranceFinal, events.TypeDTMFReceived, events.TypeDigitsGathered, events.TypePlaybackFinished,
				events.TypeActionFailed, events.TypeRecognizerDegraded, events.TypeRecognizerRecovered, events.TypeAudioGap, events.TypeCallEnded,
			} {
				p.deliver(golden(t, string(typ)))
			}
		})
	}
}
