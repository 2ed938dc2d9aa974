package call_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"aldeabridge/events"
	"aldeabridge/internal/actions"
	"aldeabridge/internal/call"
)

const spoken = "what a caller said"

// faulty is a part of a call that panics at the place in its field.
type faulty struct {
	*fakeTranscriber
	*phone
	recording
	in string
}

func (f faulty) panics(in string) {
	if f.in == in {
		panic(errors.New(spoken))
	}
}

func (f faulty) With(call.Listening) (call.Recognizer, error) { return f, nil }

func (f faulty) Open(context.Context, events.Call, events.Speaker) call.Transcriber { return f }

func (f faulty) Next(ctx context.Context) (call.Heard, error) {
	h, err := f.fakeTranscriber.Next(ctx)
	f.panics("recognizer reader")
	return h, err
}

func (f faulty) Behind(time.Time) bool {
	f.panics("utterance timer")
	return false
}

func (f faulty) SendMedia(b []byte) error {
	f.panics("line")
	return f.phone.SendMedia(b)
}

func (f faulty) Say(ctx context.Context, c events.Call, say actions.Say) (call.Audio, error) {
	f.panics("action")
	a, err := f.recording.Say(ctx, c, say)
	return faultyAudio{a, f}, err
}

type faultyAudio struct {
	call.Audio
	faulty
}

func (a faultyAudio) Next(ctx context.Context) ([]byte, error) {
	a.panics("voice")
	return a.Audio.Next(ctx)
}

func (a faultyAudio) Close() error {
	a.panics("voice close")
	return a.Audio.Close()
}

func TestAPanicEndsOneCall(t *testing.T) {
	for _, in := range []string{"recognizer reader", "utterance timer", "line", "action", "voice", "voice close"} {
		t.Run(in, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var log bytes.Buffer
				book, aborted := &book{}, false
				f := faulty{fakeTranscriber: newFakeTranscriber(), phone: &phone{}, in: in}
				calls := call.New(call.Config{Recognizer: f, Journal: book, Speech: f, Logger: slog.New(slog.NewTextHandler(&log, nil))})
				st := stream("MZ1")
				st.Line, st.Abort = f, func() { aborted = true }
				c := calls.Start(context.Background(), st)
				f.call = c
				f.fakeTranscriber.heard <- final("hello", 0, time.Second, false)
				synctest.Wait() // later words interrupt playback
				items, err := actions.Parse([]byte(`{"actions":[{"type":"say","text":"good morning"}]}`), actions.Options{})
				if err != nil {
					t.Fatal(err)
				}
				if _, err := calls.Act("CA1", call.Request{Items: items, Utterances: -1}); err != nil {
					t.Fatal(err)
				}
				time.Sleep(10 * time.Second)
				synctest.Wait()
				if !aborted {
					t.Error("the stream was not ended")
				}
				c.End(events.EndInternal, events.Counts{})
				types := book.types()
				if last := types[len(types)-1]; last != events.TypeCallEnded {
					t.Errorf("got %v, want call.ended at the end", types)
				}
				if text := log.String(); !strings.Contains(text, "panic") || !strings.Contains(text, "panic_recovery_test.go") || strings.Contains(text, spoken) {
					t.Errorf("got log %s, want the stack and no text of the panic", text)
				}
			})
		})
	}
}

// After a panic of the journal, the event is lost and the call goes on.
type faultyBook struct{ *book }

func (b faultyBook) Append(ctx context.Context, e events.Event) (events.Record, error) {
	if e.Body.Type() == events.TypeUtteranceFinal {
		panic(spoken)
	}
	return b.book.Append(ctx, e)
}

func TestAPanicWhileAnEventIsStoredLosesOnlyThatEvent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, b := newFakeTranscriber(), &book{}
		c := start(call.Config{Recognizer: e, Journal: faultyBook{b}}, events.Caller)
		e.heard <- final("hello", 0, time.Second, true)
		synctest.Wait()
		c.DTMF("1", time.Second)
		c.End(events.EndStop, events.Counts{})
		if got := b.types(); len(got) != 3 || got[1] != events.TypeDTMFReceived || got[2] != events.TypeCallEnded {
			t.Errorf("got %v, want the events behind the one that panicked", got)
		}
	})
}
