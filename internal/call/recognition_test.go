package call_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"aldeabridge/events"
	"aldeabridge/internal/actions"
	"aldeabridge/internal/call"
)

// A linguist is a Recognizer that opens a transcriber for each speaker and records its settings.
type linguist struct {
	language, keywords string
	log                *linguists
}

type linguists struct {
	mu     sync.Mutex
	opened []*fakeTranscriber
	as     []string
}

func (l linguist) Open(context.Context, events.Call, events.Speaker) call.Transcriber {
	l.log.mu.Lock()
	defer l.log.mu.Unlock()
	e := newFakeTranscriber()
	l.log.opened = append(l.log.opened, e)
	l.log.as = append(l.log.as, strings.TrimSpace(l.language+" "+l.keywords))
	return e
}

func (l linguist) With(change call.Listening) (call.Recognizer, error) {
	if change.Language != nil {
		if *change.Language == "fr" {
			return nil, errors.New("no French")
		}
		l.language = *change.Language
	}
	if change.Keywords != nil {
		l.keywords = strings.Join(*change.Keywords, ",")
	}
	return l, nil
}

// A debate is a call of one or two speakers whose recognition is changed.
type debate struct {
	*stage
	log *linguists
}

// inDebate runs play on a call of its own, then ends the call.
func inDebate(t *testing.T, tracks []events.Speaker, play func(*debate)) {
	synctest.Test(t, func(t *testing.T) {
		d := &debate{&stage{t: t, book: &book{}}, &linguists{}}
		config := call.Config{
			Recognizer: linguist{language: "en", log: d.log}, Journal: d.book, Settings: events.Recognizer{Language: "en"},
		}
		d.calls = call.New(config)
		st := stream("MZ1")
		st.Tracks = tracks
		d.call = d.calls.Start(context.Background(), st)
		defer d.call.End(events.EndStop, events.Counts{})
		play(d)
	})
}

// audio passes a second of audio of every speaker.
func (d *debate) audio(speakers ...events.Speaker) {
	for _, s := range speakers {
		d.call.Audio(s, make([]byte, 8000))
	}
	synctest.Wait()
}

// opened returns the settings of every transcriber so far.
func (d *debate) opened() string {
	d.log.mu.Lock()
	defer d.log.mu.Unlock()
	return strings.Join(d.log.as, "|")
}

// hears makes transcriber n return a message.
func (d *debate) hears(n int, h call.Heard) {
	d.log.mu.Lock()
	e := d.log.opened[n]
	d.log.mu.Unlock()
	e.heard <- h
	synctest.Wait()
}

// says makes transcriber n return an utterance, and returns the language of the event.
func (d *debate) says(n int, text string, at time.Duration) string {
	d.t.Helper()
	d.hears(n, final(text, at, at+time.Second, true))
	all := d.book.utterances()
	if len(all) == 0 || all[len(all)-1].Text != text {
		d.t.Fatalf("got %+v, want %q last", all, text)
	}
	return all[len(all)-1].Language
}

func TestARefusedChangeIsReportedAndUndone(t *testing.T) {
	inDebate(t, []events.Speaker{events.Caller}, func(d *debate) {
		d.act(`{"actions":[{"type":"listen","id":"german","language":"de"}]}`)
		synctest.Wait()
		d.audio(events.Caller)
		if got := d.opened(); got != "en|de" {
			t.Fatalf("got %s, want the language changed", got)
		}
		d.hears(1, call.Heard{Refused: errors.New("unsupported language")})
		failed := got[events.ActionFailed](d.stage)
		if len(failed) != 1 || failed[0].ActionID != "german" || failed[0].Reason != "unsupported language" {
			t.Errorf("got %+v, want the action failed", failed)
		}
		if got := d.says(1, "hello", 0); got != "en" {
			t.Errorf("got an utterance in %s, want en", got)
		}
		d.audio(events.Caller)
		if got := d.opened(); got != "en|de" {
			t.Errorf("got %s, want the transcriber to go on", got)
		}
		// A later change applies on top of the earlier ones.
		d.act(`{"actions":[{"type":"listen","keywords":["order"]}]}`)
		synctest.Wait()
		d.audio(events.Caller)
		if got := d.opened(); got != "en|de|en order" {
			t.Errorf("got %s, want the keywords with the old language", got)
		}
	})
}

func TestChangesAddUp(t *testing.T) {
	inDebate(t, []events.Speaker{events.Caller}, func(d *debate) {
		for _, a := range []string{`"language":"es"`, `"keywords":["pedido"]`, `"language":"fr"`, `"endpointing_ms":700`} {
			d.act(`{"actions":[{"type":"listen",` + a + `}]}`)
			synctest.Wait()
			d.audio(events.Caller)
		}
		if got, want := d.opened(), "en|es|es pedido|es pedido"; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
		if got := d.says(3, "hola", 0); got != "es" {
			t.Errorf("got an utterance in %s, want es", got)
		}
		if failed := got[events.ActionFailed](d.stage); len(failed) != 1 || failed[0].Reason != "no French" {
			t.Errorf("got %+v, want the one that cannot be", failed)
		}
	})
}

func TestAChangeRefusedForOneTrackIsUndoneForBoth(t *testing.T) {
	both := []events.Speaker{events.Caller, events.Agent}
	inDebate(t, both, func(d *debate) {
		d.act(`{"actions":[{"type":"listen","language":"de"}]}`)
		synctest.Wait()
		d.audio(both...)
		d.hears(3, call.Heard{Refused: errors.New("too many")})
		d.audio(both...)
		if got, want := d.opened(), "en|en|de|de|en"; got != want {
			t.Errorf("got %s, want %s: the caller's goes back, the agent's has", got, want)
		}
		// The other track receives the refusal when it is finalized.
		d.audio(both...)
		if failed := got[events.ActionFailed](d.stage); len(failed) != 1 {
			t.Errorf("got %+v, want it told once", failed)
		}
	})
}

func TestARefusalAfterAnotherChangeIsOnlyReported(t *testing.T) {
	inDebate(t, []events.Speaker{events.Caller}, func(d *debate) {
		for _, language := range []string{"de", "es"} {
			d.act(`{"actions":[{"type":"listen","id":"` + language + `","language":"` + language + `"}]}`)
			synctest.Wait()
		}
		d.audio(events.Caller)
		if got := d.opened(); got != "en|es" {
			t.Fatalf("got %s, want the latest only", got)
		}
		// A transcriber undoes refused changes one by one.
		d.hears(1, call.Heard{Refused: errors.New("no es")})
		d.hears(1, call.Heard{Refused: errors.New("no de")})
		d.hears(1, call.Heard{Refused: errors.New("nothing is left")})
		d.audio(events.Caller)
		var told []string
		for _, f := range got[events.ActionFailed](d.stage) {
			told = append(told, f.ActionID+": "+f.Reason)
		}
		if got := strings.Join(told, ", "); got != "es: no es, de: no de" {
			t.Errorf("told %s", got)
		}
		if got := d.opened(); got != "en|es" {
			t.Errorf("got %s, want no more transcribers", got)
		}
		if got := d.says(1, "hello", 0); got != "en" {
			t.Errorf("got an utterance in %s, want en", got)
		}
	})
}

func TestALongerPauseWaitsLongerForTheEndOfAnUtterance(t *testing.T) {
	for pause, want := range map[int]time.Duration{300: 1500 * time.Millisecond, 5000: 5500 * time.Millisecond} {
		inDebate(t, []events.Speaker{events.Caller}, func(d *debate) {
			items, err := actions.Parse(fmt.Appendf(nil, `{"actions":[{"type":"listen","endpointing_ms":%d}]}`, pause), actions.Options{})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := d.calls.Act("CA1", call.Request{Items: items, Utterances: -1}); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			d.audio(events.Caller)
			d.hears(1, final("one", 0, time.Second, false))
			d.after(want - 10*time.Millisecond)
			if n := len(d.book.utterances()); n != 0 {
				t.Errorf("pause of %d ms: the utterance ended before %v", pause, want)
			}
			d.after(20 * time.Millisecond)
			if n := len(d.book.utterances()); n != 1 {
				t.Errorf("pause of %d ms: the utterance has not ended after %v", pause, want)
			}
		})
	}
}
