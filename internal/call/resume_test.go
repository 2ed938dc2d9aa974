package call_test

import (
	"cmp"
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"aldeabridge/events"
	"aldeabridge/internal/call"
)

// inTurn is a Recognizer that opens its transcribers in order.
type inTurn chan *fakeTranscriber

func (i inTurn) Open(context.Context, events.Call, events.Speaker) call.Transcriber { return <-i }

func (i inTurn) With(call.Listening) (call.Recognizer, error) { return i, nil }

func stream(id string) call.Stream {
	return call.Stream{Call: events.Call{ID: "CA1", StreamID: id, Carrier: "twilio"}, Media: format, Tracks: []events.Speaker{events.Caller}}
}

func TestASecondStreamGoesOnWithTheCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		first, second, j, r := newFakeTranscriber(), newFakeTranscriber(), &book{}, make(inTurn, 2)
		first.after = []call.Heard{final("one", 0, time.Second, true)}
		r <- first
		r <- second
		calls := call.New(call.Config{Recognizer: r, Journal: j})
		c := calls.Start(context.Background(), stream("MZ1"))
		c.Audio(events.Caller, make([]byte, 2*8000))
		time.Sleep(3 * time.Second)
		// The connection broke, and the carrier reconnected before the last results of the old stream.
		d := calls.Start(context.Background(), stream("MZ2"))
		c.End(events.EndClosed, events.Counts{})
		d.Audio(events.Caller, make([]byte, 8000))
		d.DTMF("7", 500*time.Millisecond)
		second.heard <- final("two", 200*time.Millisecond, time.Second, true)
		synctest.Wait()
		d.End(events.EndStop, events.Counts{})

		us := j.utterances()
		if len(us) != 2 || us[0].Text != "one" || us[1].Text != "two" {
			t.Fatalf("got %+v, want one and two", us)
		}
		if us[1].Index != 2 || us[1].Start != events.Offset(3200*time.Millisecond) || us[1].End != events.Offset(4*time.Second) {
			t.Errorf("got %+v, want index 2, from 3.2 s to 4 s", us[1])
		}
		last := j.events[len(j.events)-1]
		ended, ok := last.Body.(events.CallEnded)
		if !ok || len(ended.Transcript) != 2 || ended.Counts.Utterances != 2 || ended.Duration != events.Offset(4*time.Second) {
			t.Errorf("got %+v, want call.ended with both lines after 4 s", last.Body)
		}
		var resumed []bool
		for _, e := range j.events {
			switch b := e.Body.(type) {
			case events.CallStarted:
				resumed = append(resumed, b.Resumed)
			case events.DTMFReceived:
				if b.At != events.Offset(3500*time.Millisecond) {
					t.Errorf("got key at %v, want 3.5 s", b.At)
				}
			}
		}
		if len(resumed) != 2 || resumed[0] || !resumed[1] {
			t.Errorf("got resumed %v, want false and true", resumed)
		}
	})
}

func TestACallGoesOnAfterARestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, j := newFakeTranscriber(), &book{}
		began := time.Now().Add(-time.Minute)
		past := func(_ context.Context, id string) (call.Past, error) {
			if id != "CA1" {
				t.Errorf("got asked for call %q, want CA1", id)
			}
			return call.Past{Began: began, Lines: []events.Line{{Text: "one"}, {Text: "two"}}, Digits: 3}, nil
		}
		c := call.New(call.Config{Recognizer: e, Journal: j, Past: past}).Start(context.Background(), stream("MZ2"))
		e.heard <- final("three", 0, time.Second, true)
		synctest.Wait()
		c.End(events.EndStop, events.Counts{})
		us := j.utterances()
		if len(us) != 1 || us[0].Index != 3 || us[0].Start != events.Offset(time.Minute) {
			t.Errorf("got %+v, want the third utterance, a minute after the call began", us)
		}
		ended := j.events[len(j.events)-1].Body.(events.CallEnded)
		if len(ended.Transcript) != 3 || ended.Counts.DTMF != 3 {
			t.Errorf("got %d lines and %d digits, want 3 and 3", len(ended.Transcript), ended.Counts.DTMF)
		}
	})
}

// If the clock is set back between two runs, no time of the call repeats.
func TestTimesContinueAfterTheLastUtteranceIfTheClockWasSetBack(t *testing.T) {
	for _, began := range []time.Duration{time.Hour, -time.Second} { // from now
		synctest.Test(t, func(t *testing.T) {
			e, j := newFakeTranscriber(), &book{}
			past := func(context.Context, string) (call.Past, error) {
				lines := []events.Line{{Text: "two", End: events.Offset(30 * time.Second)}, {Text: "one", End: events.Offset(20 * time.Second)}}
				return call.Past{Began: time.Now().Add(began), Lines: lines}, nil
			}
			c := call.New(call.Config{Recognizer: e, Journal: j, Past: past}).Start(context.Background(), stream("MZ2"))
			e.heard <- final("three", time.Second, 2*time.Second, true)
			synctest.Wait()
			c.End(events.EndStop, events.Counts{})
			if us := j.utterances(); len(us) != 1 || us[0].Start != events.Offset(31*time.Second) {
				t.Errorf("call that began %v from now: got %+v, want an utterance at 31 s, behind the 30 s that were heard", began, us)
			}
		})
	}
}

func TestACallCountsAsNewIfTheJournalFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, j := newFakeTranscriber(), &book{}
		past := func(context.Context, string) (call.Past, error) { return call.Past{}, errors.New("broken") }
		c := call.New(call.Config{Recognizer: e, Journal: j, Past: past}).Start(context.Background(), stream("MZ1"))
		c.End(events.EndStop, events.Counts{})
		if got := j.events[0].Body.(events.CallStarted); got.Resumed {
			t.Error("got resumed, want a new call")
		}
	})
}

// Carriers give each stream its own id. Other programs may not, and receivers rely on unique utterance ids.
func TestARepeatedStreamIDGivesNewUtteranceIDs(t *testing.T) {
	type start struct{ call, stream string }
	said := []events.Line{{Utterance: "MZ1-caller-1", Text: "before", End: 1}}
	for _, c := range []struct {
		name   string
		past   []events.Line // of CA1, from before a restart
		starts []start
		plain  bool // the ids of the first stream have no suffix
	}{
		{"the same call again", nil, []start{{"CA1", "MZ1"}, {"CA1", "MZ1"}, {"CA1", "MZ1"}}, true},
		{"another call", nil, []start{{"CA1", "MZ1"}, {"CA2", "MZ1"}}, true},
		{"no id of the stream", nil, []start{{"CA1", ""}, {"CA1", ""}}, true},
		{"after a restart", said, []start{{"CA1", "MZ1"}}, false},
		{"after a restart, another stream before it", said, []start{{"CA1", "MZ2"}, {"CA1", "MZ1"}}, true},
	} {
		for _, overlap := range []bool{false, true} {
			synctest.Test(t, func(t *testing.T) {
				j, r := &book{}, make(inTurn, 1)
				past := func(_ context.Context, id string) (call.Past, error) {
					if id != "CA1" || c.past == nil {
						return call.Past{}, nil
					}
					return call.Past{Began: time.Now().Add(-time.Minute), Lines: c.past}, nil
				}
				calls := call.New(call.Config{Recognizer: r, Journal: j, Past: past})
				for _, s := range c.starts {
					e := newFakeTranscriber()
					r <- e
					one := stream(s.stream)
					one.Call.ID = s.call
					up := calls.Start(context.Background(), one)
					e.heard <- final("word", 0, time.Second, true)
					synctest.Wait()
					if overlap {
						defer up.End(events.EndStop, events.Counts{})
					} else {
						up.End(events.EndStop, events.Counts{})
					}
				}
				used := map[string]bool{"MZ1-caller-1": c.past != nil}
				us := j.utterances()
				for _, u := range us {
					if used[u.ID] {
						t.Errorf("%s: the id %s is that of two utterances", c.name, u.ID)
					}
					used[u.ID] = true
				}
				want := cmp.Or(c.starts[0].stream, c.starts[0].call) + "-caller-1"
				if len(us) != len(c.starts) || c.plain && us[0].ID != want {
					t.Errorf("%s: got %+v, want %d utterances, the first with id %s", c.name, us, len(c.starts), want)
				}
			})
		}
	}
}
