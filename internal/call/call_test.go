package call_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"aldeabridge/events"
	"aldeabridge/internal/call"
	"aldeabridge/internal/transcript"
)

// fakeTranscriber is a Transcriber that returns the results that a test sends.
type fakeTranscriber struct {
	heard chan call.Heard
	after []call.Heard // returned after CloseSend
	err   error        // returned after the last; nil is io.EOF

	behind atomic.Bool

	mu        sync.Mutex
	written   int
	sounds    int // bytes that are not silence
	finalizes int
	closed    bool
}

func newFakeTranscriber() *fakeTranscriber {
	return &fakeTranscriber{heard: make(chan call.Heard, 100)}
}

func (e *fakeTranscriber) Open(context.Context, events.Call, events.Speaker) call.Transcriber {
	return e
}

func (e *fakeTranscriber) With(call.Listening) (call.Recognizer, error) { return e, nil }

func (e *fakeTranscriber) Write(b []byte) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.written += len(b)
	e.sounds += len(b) - bytes.Count(b, []byte{0xFF})
}

func (e *fakeTranscriber) loud() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.sounds
}

func (e *fakeTranscriber) Next(ctx context.Context) (call.Heard, error) {
	select {
	case h, ok := <-e.heard:
		if ok {
			return h, nil
		}
		if e.err != nil {
			return call.Heard{}, e.err
		}
		return call.Heard{}, io.EOF
	case <-ctx.Done():
		return call.Heard{}, ctx.Err()
	}
}

func (e *fakeTranscriber) Behind(time.Time) bool { return e.behind.Load() }

func (e *fakeTranscriber) FinalizeOnce() { e.Finalize() }

func (e *fakeTranscriber) Finalize() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.finalizes++
}

// asked returns how often Finalize was called.
func (e *fakeTranscriber) asked() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.finalizes
}

func (e *fakeTranscriber) CloseSend() {
	for _, h := range e.after {
		e.heard <- h
	}
	close(e.heard)
}

func (e *fakeTranscriber) Close() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.closed = true
	return nil
}

func final(text string, start, end time.Duration, speechFinal bool) call.Heard {
	return call.Heard{Result: &transcript.Result{Text: text, Confidence: 1, Start: start, End: end, Final: true, SpeechFinal: speechFinal}}
}

func interim(text string, start, end time.Duration) call.Heard {
	return call.Heard{Result: &transcript.Result{Text: text, Start: start, End: end}}
}

// book is a Journal that keeps the events in memory and refuses the first appends.
type book struct {
	mu      sync.Mutex
	refuse  int
	offered []string      // the id of every append, refused ones included
	hold    chan struct{} // if not nil, appends wait until it is closed
	events  []events.Event
	records int
}

func (b *book) Append(_ context.Context, e events.Event) (events.Record, error) {
	if b.hold != nil {
		<-b.hold
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.offered = append(b.offered, e.ID)
	if b.refuse != 0 {
		b.refuse--
		return events.Record{}, errors.New("full")
	}
	b.records++
	e.Sequence = int64(b.records)
	b.events = append(b.events, e)
	return events.Record{ID: e.ID, Sequence: e.Sequence}, nil
}

// types returns the type of every stored event.
func (b *book) types() []events.Type {
	b.mu.Lock()
	defer b.mu.Unlock()
	var types []events.Type
	for _, e := range b.events {
		types = append(types, e.Body.Type())
	}
	return types
}

func (b *book) utterances() []events.Utterance {
	b.mu.Lock()
	defer b.mu.Unlock()
	var all []events.Utterance
	for _, e := range b.events {
		if u, ok := e.Body.(events.UtteranceFinal); ok {
			all = append(all, u.Utterance)
		}
	}
	return all
}

var (
	info   = events.Call{ID: "CA1", StreamID: "MZ1", Carrier: "twilio"}
	format = events.MediaFormat{Encoding: "audio/x-mulaw", SampleRate: 8000, Channels: 1}
)

func start(config call.Config, tracks ...events.Speaker) *call.Call {
	return call.New(config).Start(context.Background(), call.Stream{Call: info, Media: format, Tracks: tracks})
}

func TestEventsAreStoredInOrderAndTheCallEndsOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, j := newFakeTranscriber(), &book{}
		var seen []events.Type
		c := start(call.Config{Recognizer: e, Journal: j, Observe: func(e events.Event) { seen = append(seen, e.Body.Type()) }}, events.Caller)
		c.Audio(events.Caller, make([]byte, 8000))
		e.heard <- interim("hello", 0, time.Second)
		e.heard <- final("hello there", 0, time.Second, true)
		synctest.Wait()
		c.DTMF("5", time.Second)
		c.End(events.EndStop, events.Counts{Frames: 50})
		c.End(events.EndClosed, events.Counts{})

		want := []events.Type{events.TypeCallStarted, events.TypeUtteranceFinal, events.TypeDTMFReceived, events.TypeCallEnded}
		if got := j.types(); !slices.Equal(got, want) {
			t.Errorf("got stored %v, want %v", got, want)
		}
		want = slices.Insert(want, 1, events.TypeTranscriptInterim)
		if !slices.Equal(seen, want) {
			t.Errorf("got observed %v, want %v", seen, want)
		}
		ended := j.events[len(j.events)-1].Body.(events.CallEnded)
		if ended.Reason != events.EndStop || ended.Duration != events.Offset(time.Second) {
			t.Errorf("got reason %s and duration %v, want carrier_stop and 1 s", ended.Reason, ended.Duration)
		}
		if ended.Counts.Utterances != 1 || ended.Counts.DTMF != 1 || ended.Counts.Frames != 50 || len(ended.Transcript) != 1 {
			t.Errorf("got counts %+v and %d lines, want 1 utterance, 1 digit, 50 frames, 1 line", ended.Counts, len(ended.Transcript))
		}
		if !e.closed {
			t.Error("the transcriber is still open after End")
		}
	})
}

func TestAHangUpEndsTheLastUtterance(t *testing.T) {
	tests := map[string][]call.Heard{
		"a final without speech_final":     {final("last words", 0, time.Second, false)},
		"a final with speech_final":        {final("last words", 0, time.Second, true)},
		"a final that ends a little early": {final("last words", 0, 910*time.Millisecond, true)},
		"a final and an UtteranceEnd": {
			final("last words", 0, time.Second, false),
			{UtteranceEnd: &transcript.UtteranceEnd{LastWordEnd: 980 * time.Millisecond}},
		},
		"a final and an UtteranceEnd without a word": {
			final("last words", 0, time.Second, false), {UtteranceEnd: &transcript.UtteranceEnd{LastWordEnd: -1}},
		},
		"a final and an empty speech_final": {final("last words", 0, 990*time.Millisecond, false), final("", 0, time.Second, true)},
	}
	for name, after := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				e, j := newFakeTranscriber(), &book{}
				e.after = after
				c := start(call.Config{Recognizer: e, Journal: j}, events.Caller)
				c.Audio(events.Caller, make([]byte, 8000))
				c.End(events.EndStop, events.Counts{})
				us := j.utterances()
				if len(us) != 1 || us[0].Text != "last words" || us[0].EndedBy != events.ByCallEnd || !us[0].Confirmed {
					t.Errorf("got %+v, want one confirmed utterance \"last words\" ended by call_end", us)
				}
				if got := j.types(); got[len(got)-1] != events.TypeCallEnded {
					t.Errorf("got %v, want call.ended last", got)
				}
			})
		})
	}
}

func TestAnUtteranceThatWasOverBeforeTheHangUpKeepsItsReason(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, j := newFakeTranscriber(), &book{}
		e.after = []call.Heard{final("done", 0, time.Second, true)}
		c := start(call.Config{Recognizer: e, Journal: j}, events.Caller)
		c.Audio(events.Caller, make([]byte, 24000))
		c.End(events.EndStop, events.Counts{})
		if us := j.utterances(); len(us) != 1 || us[0].EndedBy != events.BySpeechFinal {
			t.Errorf("got %+v, want one utterance ended by speech_final", us)
		}
	})
}

func TestSpeakersStaySeparateAndIndexesCountTheCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		caller, agent, j := newFakeTranscriber(), newFakeTranscriber(), &book{}
		open := byspeaker{events.Caller: caller, events.Agent: agent}
		c := start(call.Config{Recognizer: open, Journal: j}, events.Caller, events.Agent)
		agent.heard <- final("how can I help", 0, time.Second, true)
		synctest.Wait()
		caller.heard <- final("my order is late", time.Second, 2*time.Second, true)
		synctest.Wait()
		c.Audio(events.Agent, make([]byte, 160))
		c.End(events.EndStop, events.Counts{})
		us := j.utterances()
		if len(us) != 2 || us[0].Speaker != events.Agent || us[1].Speaker != events.Caller {
			t.Fatalf("got %+v, want agent then caller", us)
		}
		if us[0].Index != 1 || us[1].Index != 2 || us[0].ID != "MZ1-agent-1" || us[1].ID != "MZ1-caller-1" {
			t.Errorf("got indexes %d, %d and ids %s, %s", us[0].Index, us[1].Index, us[0].ID, us[1].ID)
		}
		if caller.written != 0 || agent.written != 160 {
			t.Errorf("got %d bytes to the caller's transcriber and %d to the agent's, want 0 and 160", caller.written, agent.written)
		}
	})
}

type byspeaker map[events.Speaker]*fakeTranscriber

func (b byspeaker) With(call.Listening) (call.Recognizer, error) { return b, nil }

func (b byspeaker) Open(_ context.Context, _ events.Call, s events.Speaker) call.Transcriber {
	return b[s]
}

func TestAnUtteranceEndsAlsoIfTheRecognizerSendsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, j := newFakeTranscriber(), &book{}
		c := start(call.Config{Recognizer: e, Journal: j, UtteranceTimeout: 2 * time.Second}, events.Caller)
		e.heard <- final("are you there", 0, time.Second, false)
		<-time.After(1999 * time.Millisecond)
		synctest.Wait()
		if us := j.utterances(); len(us) != 0 {
			t.Errorf("got %+v before the time-out, want nothing", us)
		}
		<-time.After(2 * time.Millisecond)
		synctest.Wait()
		if us := j.utterances(); len(us) != 1 || us[0].EndedBy != events.ByTimeout {
			t.Errorf("got %+v, want one utterance ended by timeout", us)
		}
		c.End(events.EndStop, events.Counts{})
		if us := j.utterances(); len(us) != 1 {
			t.Errorf("got %d utterances after the end, want the same 1", len(us))
		}
	})
}

func TestAnUtteranceDoesNotEndWhileTheRecognizerIsBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, j := newFakeTranscriber(), &book{}
		c := start(call.Config{Recognizer: e, Journal: j, UtteranceTimeout: 2 * time.Second}, events.Caller)
		e.behind.Store(true)
		e.heard <- final("I was saying", 0, time.Second, false)
		<-time.After(7 * time.Second)
		synctest.Wait()
		if us := j.utterances(); len(us) != 0 {
			t.Errorf("got %+v while audio waits, want nothing", us)
		}
		e.behind.Store(false)
		e.heard <- final("something", time.Second, 2*time.Second, true)
		synctest.Wait()
		if us := j.utterances(); len(us) != 1 || us[0].Text != "I was saying something" {
			t.Errorf("got %+v, want one whole utterance", us)
		}
		c.End(events.EndStop, events.Counts{})
	})
}

func TestInterimWordsBecomeAnUtterance(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, j := newFakeTranscriber(), &book{}
		c := start(call.Config{Recognizer: e, Journal: j, UtteranceTimeout: 2 * time.Second}, events.Caller)
		e.heard <- interim("alpha beta", 0, time.Second)
		<-time.After(3 * time.Second)
		synctest.Wait()
		if us := j.utterances(); len(us) != 0 || e.asked() != 1 {
			t.Errorf("after 3 s: got %+v and %d requests to finalize, want none and 1", us, e.asked())
		}
		<-time.After(2 * time.Second)
		synctest.Wait()
		if us := j.utterances(); len(us) != 1 || us[0].Text != "alpha beta" || us[0].EndedBy != events.ByTimeout || us[0].Confirmed {
			t.Errorf("after 5 s: got %+v, want the interim, ended by timeout, not confirmed", us)
		}
		e.heard <- final("alpha beta", 0, time.Second, true)
		synctest.Wait()
		c.End(events.EndStop, events.Counts{})
		if us := j.utterances(); len(us) != 1 {
			t.Errorf("after the late final: got %+v, want no second utterance", us)
		}
	})
}

func TestRecognizerFaultsAreEvents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, j := newFakeTranscriber(), &book{}
		c := start(call.Config{Recognizer: e, Journal: j}, events.Caller)
		e.heard <- call.Heard{Event: events.AudioGap{Speaker: events.Caller, To: events.Offset(time.Second)}}
		synctest.Wait()
		c.End(events.EndStop, events.Counts{})
		want := []events.Type{events.TypeCallStarted, events.TypeAudioGap, events.TypeCallEnded}
		if got := j.types(); !slices.Equal(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
	})
}

func TestResultsOfAFailedRecognizerAreUnconfirmed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, j := newFakeTranscriber(), &book{}
		e.err = errors.New("refused")
		c := start(call.Config{Recognizer: e, Journal: j}, events.Caller)
		e.heard <- interim("I would like", 0, time.Second)
		synctest.Wait()
		c.End(events.EndStop, events.Counts{})
		if us := j.utterances(); len(us) != 1 || us[0].Confirmed || us[0].Text != "I would like" {
			t.Errorf("got %+v, want the interim, unconfirmed", us)
		}
	})
}

func TestAStuckRecognizerDoesNotKeepTheCallFromEnding(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stuck, j := &stuckTranscriber{}, &book{}
		c := start(call.Config{Recognizer: stuck, Journal: j, DrainTimeout: 3 * time.Second}, events.Caller)
		begin := time.Now()
		c.End(events.EndStop, events.Counts{})
		if took := time.Since(begin); took != 3*time.Second {
			t.Errorf("End took %v, want 3 s", took)
		}
		if got := j.types(); got[len(got)-1] != events.TypeCallEnded {
			t.Errorf("got %v, want call.ended last", got)
		}
	})
}

// stuckTranscriber never returns a result.
type stuckTranscriber struct{}

func (s *stuckTranscriber) Open(context.Context, events.Call, events.Speaker) call.Transcriber {
	return s
}
func (s *stuckTranscriber) With(call.Listening) (call.Recognizer, error) { return s, nil }
func (*stuckTranscriber) Write([]byte)                                   {}
func (*stuckTranscriber) FinalizeOnce()                                  {}
func (*stuckTranscriber) Finalize()                                      {}
func (*stuckTranscriber) Behind(time.Time) bool                          { return false }
func (*stuckTranscriber) CloseSend()                                     {}
func (*stuckTranscriber) Close() error                                   { return nil }
func (*stuckTranscriber) Next(ctx context.Context) (call.Heard, error) {
	<-ctx.Done()
	return call.Heard{}, ctx.Err()
}

func TestAnInterimAtTheUtteranceEndIsFinalized(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, j := newFakeTranscriber(), &book{}
		c := start(call.Config{Recognizer: e, Journal: j}, events.Caller)
		e.heard <- interim("yes please", 0, time.Second)
		e.heard <- call.Heard{UtteranceEnd: &transcript.UtteranceEnd{LastWordEnd: 900 * time.Millisecond}}
		synctest.Wait()
		e.mu.Lock()
		if e.finalizes != 1 {
			t.Errorf("got %d finalizes, want 1", e.finalizes)
		}
		e.mu.Unlock()
		e.heard <- final("yes please", 0, time.Second, false)
		synctest.Wait()
		if us := j.utterances(); len(us) != 1 || us[0].EndedBy != events.ByUtteranceEnd {
			t.Errorf("got %+v, want one utterance ended by utterance_end", us)
		}
		c.End(events.EndStop, events.Counts{})
	})
}

func TestAnEventThatTheJournalRefusesWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, j := newFakeTranscriber(), &book{refuse: 3}
		c := start(call.Config{Recognizer: e, Journal: j}, events.Caller)
		c.DTMF("1", 0)
		c.DTMF("2", 0)
		c.End(events.EndStop, events.Counts{})
		want := []events.Type{events.TypeCallStarted, events.TypeDTMFReceived, events.TypeDTMFReceived, events.TypeCallEnded}
		if got := j.types(); !slices.Equal(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
		if len(slices.Compact(j.offered)) != 4 {
			t.Errorf("got ids %v, want one for all tries of an event", j.offered)
		}
	})
}

func TestASlowJournalDropsInterimsButNoStoredEvent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, j := newFakeTranscriber(), &book{hold: make(chan struct{})}
		shown := 0
		c := start(call.Config{Recognizer: e, Journal: j, Observe: func(e events.Event) {
			if !e.Body.Stored() {
				shown++
			}
		}}, events.Caller)
		for i := range 300 {
			e.heard <- interim("word"+strings.Repeat(" word", i), 0, time.Duration(i+1)*time.Millisecond)
			synctest.Wait()
		}
		for range 12_000 {
			c.DTMF("1", 0)
		}
		go close(j.hold)
		c.End(events.EndStop, events.Counts{})
		types := j.types()
		if shown == 0 || shown > 100 {
			t.Errorf("got %d interims shown, want some, at most 100", shown)
		}
		if len(types) < 9000 || types[len(types)-1] != events.TypeCallEnded {
			t.Errorf("got %d events ending in %s, want thousands and call.ended last", len(types), types[len(types)-1])
		}
	})
}

// A program can send keys: their number is bounded, and they never displace utterances.
func TestKeysAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, j := newFakeTranscriber(), &book{}
		e.after = []call.Heard{final("I said so", 0, time.Second, true)}
		calls := call.New(call.Config{Recognizer: e, Journal: j})
		c := calls.Start(context.Background(), stream("MZ1"))
		for range 10_050 {
			c.DTMF("1", 0)
			synctest.Wait()
		}
		c.End(events.EndStop, events.Counts{DTMFDropped: 7})
		ended := j.events[len(j.events)-1].Body.(events.CallEnded)
		if ended.Counts.DTMF != 10_000 || ended.Counts.DTMFDropped != 57 || calls.Stats().Keys != 50 {
			t.Errorf("got %+v and %+v, want 10,000 keys, 50 dropped here and 7 before", ended.Counts, calls.Stats())
		}
		if us := j.utterances(); len(us) != 1 {
			t.Errorf("got %d utterances, want one", len(us))
		}
	})
	synctest.Test(t, func(t *testing.T) {
		e, j := newFakeTranscriber(), &book{hold: make(chan struct{})}
		calls := call.New(call.Config{Recognizer: e, Journal: j})
		c := calls.Start(context.Background(), stream("MZ1"))
		for range 10_000 {
			c.DTMF("1", 0)
		}
		e.heard <- final("I said so", 0, time.Second, true)
		synctest.Wait()
		go close(j.hold)
		c.End(events.EndStop, events.Counts{})
		if us := j.utterances(); len(us) != 1 {
			t.Errorf("the journal takes nothing for a while: got %d utterances, want one", len(us))
		}
		if lost := calls.Stats().Lost; lost == 0 || lost > 600 {
			t.Errorf("got %d keys lost, want some hundreds", lost)
		}
	})
}

func TestTheTranscriptIsOrderedByStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		caller, agent, j := newFakeTranscriber(), newFakeTranscriber(), &book{}
		c := start(call.Config{Recognizer: byspeaker{events.Caller: caller, events.Agent: agent}, Journal: j}, events.Caller, events.Agent)
		agent.heard <- final("second", 2*time.Second, 3*time.Second, true)
		synctest.Wait()
		caller.heard <- final("first", time.Second, 5*time.Second, true)
		synctest.Wait()
		c.End(events.EndStop, events.Counts{})
		lines := j.events[len(j.events)-1].Body.(events.CallEnded).Transcript
		if len(lines) != 2 || lines[0].Text != "first" || lines[1].Text != "second" {
			t.Errorf("got %+v, want first, second", lines)
		}
	})
}

func TestAFailingJournalDoesNotKeepTheCallFromEnding(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, j := newFakeTranscriber(), &book{refuse: -1}
		calls := call.New(call.Config{Recognizer: e, Journal: j})
		c := calls.Start(context.Background(), stream("MZ1"))
		begin := time.Now()
		c.End(events.EndStop, events.Counts{})
		if took := time.Since(begin); took > time.Minute {
			t.Errorf("End took %v, want less than a minute", took)
		}
		// An hour later the disk has room again.
		time.Sleep(time.Hour)
		if got := calls.Stats(); got != (call.Stats{Waiting: 2}) {
			t.Errorf("got %+v, want two events that wait", got)
		}
		j.mu.Lock()
		j.refuse = 0
		j.mu.Unlock()
		if err := calls.Drain(context.Background()); err != nil || !slices.Equal(j.types(), []events.Type{events.TypeCallStarted, events.TypeCallEnded}) {
			t.Errorf("got %v, %v, want both events stored", err, j.types())
		}
	})
}

func TestLostEventsAreCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newFakeTranscriber()
		calls := call.New(call.Config{Recognizer: e, Journal: &book{refuse: -1}})
		calls.Start(context.Background(), stream("MZ1")).End(events.EndStop, events.Counts{})
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := calls.Drain(ctx); err == nil || !strings.Contains(err.Error(), "2 events lost") || calls.Stats() != (call.Stats{Lost: 2}) {
			t.Errorf("got %v and %+v, want two lost", err, calls.Stats())
		}
	})
}

func TestAudioOfASpeakerWhoIsNotOnTheCallIsIgnored(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newFakeTranscriber()
		c := start(call.Config{Recognizer: e, Journal: &book{}}, events.Caller)
		c.Audio(events.Agent, make([]byte, 160))
		c.End(events.EndStop, events.Counts{})
		if e.written != 0 {
			t.Errorf("got %d bytes, want 0", e.written)
		}
	})
}

func TestATranscriptThatIsTooLongForAnEventIsALink(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const text, utterances = 1900, 600
		e, j := newFakeTranscriber(), &book{}
		c := start(call.Config{Recognizer: e, Journal: j, BaseURL: "https://bridge.example.com"}, events.Caller)
		for i := range utterances {
			at := time.Duration(i) * time.Second
			e.heard <- final(strings.Repeat("a", text), at, at+time.Second, true)
			synctest.Wait()
		}
		c.End(events.EndStop, events.Counts{})

		last := j.events[len(j.events)-1]
		b, err := last.JSON()
		if err != nil || len(b) > 1<<20 {
			t.Fatalf("got %d bytes and error %v, want at most 1 MiB", len(b), err)
		}
		ended := last.Body.(events.CallEnded)
		if want := "https://bridge.example.com/v1/calls/CA1/transcript"; ended.TranscriptURL != want || len(ended.Transcript) != 0 {
			t.Errorf("got %d lines and link %q, want none and %q", len(ended.Transcript), ended.TranscriptURL, want)
		}
		if ended.Counts.Utterances != utterances {
			t.Errorf("got %d utterances counted, want %d", ended.Counts.Utterances, utterances)
		}
	})
}
