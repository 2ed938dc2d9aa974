package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"aldeabridge/aldea/sandbox/marker"
	"aldeabridge/codec"
	"aldeabridge/events"
	"aldeabridge/media/mediatest"
	"aldeabridge/webhooks/webhooktest"
)

// What the bot of the demo says.
const (
	botGreeting = "Good morning. What can I do for you?"
	botOffer    = "The doctor can see you on Monday or Wednesday at three o'clock. We are open from nine in the morning until five in the afternoon."
	botGoodbye  = "Thank you for calling. Good bye."
)

// Where the caller's question and goodbye are in the built-in recording.
var (
	callerQuestion = [2]time.Duration{600 * time.Millisecond, 5400 * time.Millisecond}
	callerGoodbye  = [2]time.Duration{17400 * time.Millisecond, 20 * time.Second}
)

// A dialogue is the demo's bot and the caller who talks to it: a question, an answer that the caller interrupts, a
// goodbye. Its methods may be called concurrently.
type dialogue struct {
	question, goodbye []byte // what the caller says, µ-law
	say               func(text string)

	mu       sync.Mutex
	turn     turn
	saying   []byte    // the rest of it
	due      time.Time // when the caller speaks next; zero is not known
	next     []byte    // what he says then
	spoken   []byte    // all that the caller said, silence included
	finished map[string]events.PlaybackFinished
}

// A turn is how far the dialogue is.
type turn int

const (
	turnGreeting turn = iota // the bot greets, then the caller asks
	turnQuestion             // the caller asks, the bot will answer
	turnOffer                // the bot answers, the caller will interrupt
	turnThanks               // the caller has interrupted
	turnGoodbye              // the bot says goodbye and hangs up
)

const (
	beforeQuestion = 700 * time.Millisecond
	beforeBargeIn  = 3500 * time.Millisecond // from the beginning of the bot's answer on
)

// answer is what the webhook answers.
func (d *dialogue) answer(r webhooktest.Request) webhooktest.Answer {
	d.mu.Lock()
	defer d.mu.Unlock()
	kind := events.Type(r.Type)
	switch {
	case kind == events.TypeCallStarted:
		return d.act("greeting", botGreeting)
	case kind == events.TypeUtteranceFinal && d.turn == turnQuestion:
		d.turn = turnOffer
		return d.act("offer", botOffer)
	case kind == events.TypeUtteranceFinal && d.turn == turnThanks:
		d.turn = turnGoodbye
		return d.act("goodbye", botGoodbye, `{"type":"hangup"}`)
	}
	return webhooktest.OK()
}

// act is an answer that says a text and does more.
func (d *dialogue) act(id, text string, more ...string) webhooktest.Answer {
	d.say(fmt.Sprintf("say “%s”", text))
	for _, m := range more {
		d.say(m)
	}
	say := fmt.Sprintf(`{"type":"say","id":%q,"text":%q}`, id, text)
	return webhooktest.JSON(`{"actions":[` + strings.Join(append([]string{say}, more...), ",") + `]}`)
}

// event takes what happens on the call.
func (d *dialogue) event(e events.Event) {
	b, ok := e.Body.(events.PlaybackFinished)
	if !ok {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.finished[b.ActionID] = b
	if b.ActionID == "greeting" {
		d.turn, d.next, d.due = turnQuestion, d.question, time.Now().Add(beforeQuestion)
	}
}

// received takes what the bridge sends to the caller.
func (d *dialogue) received(m mediatest.Message) {
	if m.Event != "media" {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.turn == turnOffer && d.next == nil {
		d.next, d.due = d.goodbye, m.At.Add(beforeBargeIn)
	}
}

// live is what the caller says.
func (d *dialogue) live(n int) []byte {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.next != nil && len(d.saying) == 0 && !d.due.IsZero() && time.Now().After(d.due) {
		d.saying, d.due = d.next, time.Time{}
		if d.turn == turnOffer {
			d.turn = turnThanks
		} else {
			d.next = nil
		}
	}
	n = min(n, len(d.saying))
	said := d.saying[:n]
	d.saying = d.saying[n:]
	d.spoken = append(append(d.spoken, said...), silent(160-n)...)
	return said
}

// silent is n samples of silence.
func silent(n int) []byte { return slices.Repeat([]byte{codec.MuLawSilence}, max(n, 0)) }

// check says what was missing from the dialogue.
func (d *dialogue) check(r mediatest.Result) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	offer, goodbye := d.finished["offer"], d.finished["goodbye"]
	switch {
	case d.turn != turnGoodbye:
		return errors.New("demo: the dialogue did not come to its end: not every turn of the caller was recognized")
	case offer.InterruptedBy == nil || *offer.InterruptedBy != events.BySpeech:
		return errors.New("demo: the caller did not interrupt the bot")
	case goodbye.InterruptedBy != nil || goodbye.HeardText != botGoodbye || !r.ByServer:
		return errors.New("demo: the bot did not say goodbye and hang up")
	}
	return nil
}

// save writes both sides of the call as WAV files and returns their names.
func (d *dialogue) save(dir string, r mediatest.Result) (names []string, err error) {
	if dir == "" {
		if dir, err = os.MkdirTemp("", "bridge-demo-"); err != nil {
			return nil, err
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	for name, mulaw := range map[string][]byte{"caller.wav": d.spoken, "bot.wav": r.Heard} {
		name = filepath.Join(dir, name)
		f, err := os.Create(name)
		if err != nil {
			return nil, fmt.Errorf("--save: %w", err)
		}
		if err := errors.Join(codec.WriteMuLawWAV(f, mulaw), f.Close()); err != nil {
			return nil, err
		}
		names = append(names, name)
	}
	slices.Sort(names)
	return names, nil
}

// lead makes a call one in which the caller talks to the bot.
func (d *dialogue) lead(c *mediatest.Call) {
	c.Inbound, c.Hold, c.Live, c.Received, c.Record = []byte{}, 2*time.Minute, d.live, d.received, true
}

// newDialogue returns a dialogue whose caller speaks as the scene does. say is called with the bot's answers.
func newDialogue(sc scene, say func(string)) *dialogue {
	cut := func(span [2]time.Duration) []byte {
		return sc.caller[span[0].Milliseconds()*8 : span[1].Milliseconds()*8]
	}
	d := &dialogue{say: say, finished: map[string]events.PlaybackFinished{}}
	if sc.tones {
		d.question, d.goodbye = mulaw(marker.Encode(markerText[0])), mulaw(marker.Encode(markerText[2]))
	} else {
		d.question, d.goodbye = cut(callerQuestion), cut(callerGoodbye)
	}
	return d
}
