package call_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"aldeabridge/codec"
	"aldeabridge/events"
	"aldeabridge/internal/actions"
	"aldeabridge/internal/call"
)

// A phone simulates the carrier's end of a stream: it plays the audio it receives and returns marks when they are due.
type phone struct {
	call *call.Call

	mu     sync.Mutex
	until  time.Time // when all has been played
	marks  map[*time.Timer]string
	heard  int  // bytes received
	cut    int  // number of bytes after which it plays nothing; 0 for no limit
	mute   bool // return no marks
	clears int
}

func (p *phone) SendMedia(mulaw []byte) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cut > 0 && p.heard >= p.cut {
		return errors.New("write tcp 192.0.2.1:443: broken pipe")
	}
	if now := time.Now(); p.until.Before(now) {
		p.until = now
	}
	p.until = p.until.Add(time.Duration(len(mulaw)) * time.Second / 8000)
	p.heard += len(mulaw)
	return nil
}

func (p *phone) SendMark(name string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.mute {
		return nil
	}
	var t *time.Timer
	t = time.AfterFunc(time.Until(p.until), func() {
		p.mu.Lock()
		_, ok := p.marks[t]
		delete(p.marks, t)
		p.mu.Unlock()
		if ok {
			p.call.Mark(name)
		}
	})
	if p.marks == nil {
		p.marks = map[*time.Timer]string{}
	}
	p.marks[t] = name
	return nil
}

func (p *phone) SendClear() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.clears++
	p.until = time.Now()
	for t := range p.marks {
		t.Reset(0)
	}
	return nil
}

// recording is a Speech that makes a second of tone for each word of a text.
type recording struct{ err error }

func (r recording) Say(_ context.Context, _ events.Call, say actions.Say) (call.Audio, error) {
	seconds := len(strings.Fields(say.Text))
	return &tape{Reader: bytes.NewReader(bytes.Repeat([]byte{0x20}, 8000*seconds)), length: time.Duration(seconds) * time.Second}, r.err
}

func (r recording) Play(_ context.Context, _ events.Call, play actions.Play) (call.Audio, error) {
	return &tape{Reader: bytes.NewReader(play.Audio)}, r.err
}

type tape struct {
	io.Reader
	length time.Duration
	buf    [800]byte
}

func (t *tape) Next(context.Context) ([]byte, error) {
	n, err := t.Read(t.buf[:])
	return t.buf[:n], err
}

func (t *tape) Close() error       { return nil }
func (t *tape) Words() []call.Word { return nil }

func (t *tape) Length() (time.Duration, bool) { return t.length, true }

// desk is a Control that records its requests and their times.
type desk struct {
	mu    sync.Mutex
	err   error
	asked []string
	began time.Time
}

func (d *desk) note(format string, args ...any) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.asked = append(d.asked, fmt.Sprintf(format, args...)+" after "+time.Since(d.began).Round(time.Second).String())
	return d.err
}

func (d *desk) Twiml(_ context.Context, id, twiml string) error {
	return d.note("twiml %s %s", id, twiml)
}
func (d *desk) Redirect(_ context.Context, id, url string) error {
	return d.note("redirect %s %s", id, url)
}
func (d *desk) Transfer(_ context.Context, id, to, from string) error {
	return d.note("transfer %s %s %s", id, to, from)
}
func (d *desk) Hangup(_ context.Context, id string) error { return d.note("hangup %s", id) }

// A stage is a call in simulated time that accepts actions.
type stage struct {
	t           *testing.T
	calls       *call.Calls
	call        *call.Call
	transcriber *fakeTranscriber
	book        *book
	phone       *phone
	desk        *desk
}

// onStage runs play on a call of its own, then ends the call.
func onStage(t *testing.T, change func(*call.Config), play func(*stage)) {
	synctest.Test(t, func(t *testing.T) {
		s := &stage{t: t, transcriber: newFakeTranscriber(), book: &book{}, phone: &phone{}, desk: &desk{began: time.Now()}}
		config := call.Config{Recognizer: s.transcriber, Journal: s.book, Speech: recording{}, Control: s.desk}
		if change != nil {
			change(&config)
		}
		s.calls = call.New(config)
		st := stream("MZ1")
		st.Line = s.phone
		s.call = s.calls.Start(context.Background(), st)
		s.phone.call = s.call
		defer s.call.End(events.EndStop, events.Counts{})
		play(s)
	})
}

// act queues actions now.
func (s *stage) act(body string) {
	s.t.Helper()
	items, err := actions.Parse([]byte(body), actions.Options{})
	if err != nil {
		s.t.Fatal(err)
	}
	if _, err := s.calls.Act("CA1", call.Request{Items: items, Utterances: -1}); err != nil {
		s.t.Fatal(err)
	}
}

// after waits for d of simulated time.
func (s *stage) after(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// got returns the bodies of the stored events of a type.
func got[B events.Body](s *stage) (all []B) {
	s.book.mu.Lock()
	defer s.book.mu.Unlock()
	for _, e := range s.book.events {
		if b, ok := e.Body.(B); ok {
			all = append(all, b)
		}
	}
	return all
}

// speak passes the caller's voice to the call for a while, frame by frame.
func (s *stage) speak(d time.Duration, amplitude int16) {
	wave := make([]int16, 160)
	for i := range wave {
		wave[i] = amplitude * int16(1-2*(i/10%2))
	}
	frame := make([]byte, len(wave))
	codec.EncodeMuLaw(frame, wave)
	for range d / (20 * time.Millisecond) {
		s.call.Audio(events.Caller, frame)
		time.Sleep(20 * time.Millisecond)
	}
}

func TestASayIsPlayedAndReported(t *testing.T) {
	onStage(t, nil, func(s *stage) {
		s.act(`{"actions":[{"type":"say","id":"greet","text":"good morning"}]}`)
		s.after(5 * time.Second)
		told := got[events.PlaybackFinished](s)
		want := events.PlaybackFinished{ActionID: "greet", Played: events.Offset(2 * time.Second), HeardText: "good morning"}
		if len(told) != 1 || told[0] != want {
			t.Errorf("got %+v, want %+v", told, want)
		}
		if s.phone.heard != 16000 {
			t.Errorf("got %d bytes, want 16000", s.phone.heard)
		}
	})
}

// A stream of <Start> looks like one of <Connect>, but the carrier plays nothing that is sent there and returns no marks.
func TestPlaybackWithoutMarksIsNotReportedAsHeard(t *testing.T) {
	for _, c := range []struct {
		name string
		play func(*stage)
		want int // actions that failed because of that
	}{
		{"to its end", func(s *stage) {
			s.act(`{"actions":[{"type":"say","text":"good morning"},{"type":"play","audio":"//9/f///f38=","format":"mulaw"}]}`)
			s.after(5 * time.Second)
		}, 2},
		{"interrupted", func(s *stage) {
			s.act(`{"actions":[{"type":"say","text":"one two three four five"}]}`)
			s.after(2 * time.Second)
			s.speak(100*time.Millisecond, 16000)
			s.after(5 * time.Second)
		}, 1},
		{"the call ends", func(s *stage) {
			s.act(`{"actions":[{"type":"say","text":"one two three four five"}]}`)
			s.after(2 * time.Second)
			s.call.End(events.EndStop, events.Counts{})
		}, 1},
		{"the call ends before a mark can be missed", func(s *stage) {
			s.act(`{"actions":[{"type":"say","text":"one two three four five"}]}`)
			s.after(500 * time.Millisecond)
			s.call.End(events.EndStop, events.Counts{})
		}, 0},
		{"marks come back later", func(s *stage) {
			s.act(`{"actions":[{"type":"say","text":"one"}]}`)
			s.after(3 * time.Second)
			s.phone.mu.Lock()
			s.phone.mute = false
			s.phone.mu.Unlock()
			s.act(`{"actions":[{"type":"say","text":"two"}]}`)
			s.after(3 * time.Second)
		}, 1},
	} {
		onStage(t, nil, func(s *stage) {
			s.phone.mute = true
			c.play(s)
			failed, finished := got[events.ActionFailed](s), got[events.PlaybackFinished](s)
			for _, f := range failed {
				if !strings.Contains(f.Reason, "not sent back one mark") || !strings.Contains(f.Reason, "<Connect>") {
					t.Errorf("%s: got the reason %q", c.name, f.Reason)
				}
			}
			all := 1
			if c.name == "to its end" || c.name == "marks come back later" {
				all = 2
			}
			if len(failed) != c.want || len(failed)+len(finished) != all {
				t.Errorf("%s: got %+v failed and %+v finished, want %d of %d failed", c.name, failed, finished, c.want, all)
			}
		})
	}
}

func TestTheCallerInterrupts(t *testing.T) {
	onStage(t, nil, func(s *stage) {
		s.act(`{"actions":[{"type":"say","text":"one two three four five six seven eight nine ten"},{"type":"say","text":"eleven"}]}`)
		s.after(3 * time.Second)
		s.speak(100*time.Millisecond, 16000)
		s.after(5 * time.Second)
		told := got[events.PlaybackFinished](s)
		if s.phone.clears != 1 || len(told) != 2 || told[0].InterruptedBy == nil || *told[0].InterruptedBy != events.BySpeech {
			t.Fatalf("got %d clears and %+v, want one clear, and both interrupted by speech", s.phone.clears, told)
		}
		if played := time.Duration(told[0].Played); (played-3040*time.Millisecond).Abs() > 60*time.Millisecond || told[0].HeardText != "one two three" || told[1].Played != 0 {
			t.Errorf("got %v, %q; want about 3.04 s, and three words", played, told[0].HeardText)
		}
	})
}

func TestRecognizedWordsOfAQuietVoiceInterrupt(t *testing.T) {
	for said, want := range map[string]int{"stop please": 1, "two three": 0} {
		onStage(t, nil, func(s *stage) {
			s.after(time.Second)
			s.act(`{"actions":[{"type":"say","text":"one two three four five"}]}`)
			s.transcriber.heard <- interim("hello", 0, time.Second) // spoken before the audio began; recognizers report late
			s.after(2 * time.Second)
			if s.phone.clears != 0 {
				t.Error("interrupted by what was said before")
			}
			s.transcriber.heard <- interim(said, 2500*time.Millisecond, 3*time.Second)
			s.after(100 * time.Millisecond)
			if s.phone.clears != want {
				t.Errorf("%q: got %d clears, want %d", said, s.phone.clears, want)
			}
		})
	}
}

func TestCarrierRequestsWaitUntilAllAudioIsHeard(t *testing.T) {
	for body, want := range map[string]string{
		`{"type":"hangup"}`: "hangup CA1 after 2s",
		`{"type":"transfer","to":"+15550100009","caller_id":"+15550100001"}`: "transfer CA1 +15550100009 +15550100001 after 2s",
		`{"type":"redirect","url":"https://you.example.com/menu"}`:           "redirect CA1 https://you.example.com/menu after 2s",
		`{"type":"twiml","twiml":"<Response><Hangup/></Response>"}`:          "twiml CA1 <Response><Hangup/></Response> after 2s",
	} {
		onStage(t, nil, func(s *stage) {
			s.act(`{"actions":[{"type":"say","text":"good bye"},` + body + `,{"type":"say","text":"too late"}]}`)
			s.after(5 * time.Second)
			if !slices.Equal(s.desk.asked, []string{want}) {
				t.Errorf("got %q, want %q", s.desk.asked, want)
			}
			if failed := got[events.ActionFailed](s); len(failed) != 1 || failed[0].Index != 2 {
				t.Errorf("got %+v, want the say behind it failed", failed)
			}
		})
	}
}

func TestAClearDoesNotWaitForPlayback(t *testing.T) {
	onStage(t, nil, func(s *stage) {
		s.act(`{"actions":[{"type":"say","text":"one two three four five","interruptible":false},{"type":"hangup"}]}`)
		s.after(time.Second)
		s.act(`{"actions":[{"type":"clear"}]}`)
		s.after(time.Second)
		if s.phone.clears != 1 || len(s.desk.asked) != 1 {
			t.Errorf("got %d clears and %q, want the call hung up after one", s.phone.clears, s.desk.asked)
		}
	})
}

func TestFailedActionsAreReported(t *testing.T) {
	onStage(t, func(c *call.Config) { c.Speech = recording{errors.New("no such voice")} }, func(s *stage) {
		s.desk.err = errors.New("transfer: Twilio answered 401")
		s.act(`{"actions":[{"type":"say","id":"s","text":"hello"},{"type":"transfer","to":"+15550100009"},{"type":"clear"}]}`)
		s.after(time.Second)
		failed := got[events.ActionFailed](s)
		if len(failed) != 2 || failed[0].ActionID != "s" || failed[0].Reason != "no such voice" || failed[1].Index != 1 || failed[1].ActionID != "act_2" ||
			string(failed[1].Action) != `{"type":"transfer","to":"+15550100009"}` {
			t.Errorf("got %+v", failed)
		}
	})
}

func TestLateActionsAreReported(t *testing.T) {
	onStage(t, nil, func(s *stage) {
		for i, text := range []string{"one", "two"} {
			s.transcriber.heard <- final(text, time.Duration(i)*time.Second, time.Duration(i+1)*time.Second, true)
		}
		s.after(time.Second)
		items, err := actions.Parse([]byte(`{"actions":[{"type":"say","text":"x","unless_superseded":true},{"type":"say","text":"y"}]}`), actions.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.calls.Act("CA1", call.Request{Items: items, InReplyTo: "evt_1", Utterances: 1}); err != nil {
			t.Fatal(err)
		}
		s.after(200 * time.Millisecond)
		if failed := got[events.ActionFailed](s); len(failed) != 1 || failed[0].InReplyTo != "evt_1" || failed[0].Index != 0 {
			t.Errorf("got %+v, want the first failed: superseded", failed)
		}
		s.act(`{"actions":[{"type":"say","text":"one two three"},{"type":"redirect","url":"https://you.example.com"},{"type":"hangup"}]}`)
		s.after(200 * time.Millisecond)
		s.call.End(events.EndStop, events.Counts{})
		failed := got[events.ActionFailed](s)
		if len(failed) != 2 || failed[1].Index != 1 || len(s.desk.asked) != 0 {
			t.Errorf("got %+v and %q, want the redirect failed: the call was over, as the hangup wants it", failed, s.desk.asked)
		}
		if _, err := s.calls.Act("CA1", call.Request{Items: items}); !errors.Is(err, call.ErrNoCall) {
			t.Errorf("got %v, want ErrNoCall", err)
		}
	})
}

func TestASecondHangupIsNoFailure(t *testing.T) {
	onStage(t, nil, func(s *stage) {
		s.act(`{"actions":[{"type":"hangup"},{"type":"hangup"},{"type":"clear","id":"late"}]}`)
		s.after(time.Second)
		if failed := got[events.ActionFailed](s); len(failed) != 1 || failed[0].ActionID != "late" || len(s.desk.asked) != 1 {
			t.Errorf("got %+v and %q, want one hangup asked for, and the clear alone failed", failed, s.desk.asked)
		}
	})
}

func TestALineThatBreaksIsTheEndOfTheCall(t *testing.T) {
	onStage(t, nil, func(s *stage) {
		s.phone.cut = 32000
		s.act(`{"actions":[{"type":"say","id":"a","text":"one two three four five"},{"type":"say","id":"b","text":"six"}]}`)
		s.after(5 * time.Second)
		s.act(`{"actions":[{"type":"say","id":"c","text":"seven"}]}`)
		s.after(time.Second)
		told := got[events.PlaybackFinished](s)
		if len(told) != 2 || told[0].ActionID != "a" || told[0].HeardText == "" || told[1].ActionID != "b" || told[1].Played != 0 {
			t.Errorf("got %+v, want what was heard of a, and nothing of b", told)
		}
		if failed := got[events.ActionFailed](s); len(failed) != 1 || failed[0].ActionID != "c" || failed[0].Reason != "the call ended first" {
			t.Errorf("got %+v, want c alone failed: the call ended first", failed)
		}
	})
}

func TestDigitsAreGathered(t *testing.T) {
	const pressed = 2900 * time.Millisecond
	for name, c := range map[string]struct {
		gather string
		keys   string
		want   events.DigitsGathered
	}{
		"by number":     {`{"max_digits":3}`, "123", events.DigitsGathered{Digits: "123", EndedBy: events.GatherMaxDigits}},
		"by key":        {`{}`, "12#", events.DigitsGathered{Digits: "12", EndedBy: events.GatherTerminator}},
		"by time":       {`{"timeout_ms":2000}`, "7", events.DigitsGathered{Digits: "7", EndedBy: events.GatherTimeout}},
		"nothing":       {`{"timeout_ms":2000}`, "", events.DigitsGathered{EndedBy: events.GatherTimeout}},
		"the call ends": {`{"timeout_ms":60000}`, "4", events.DigitsGathered{Digits: "4", EndedBy: events.GatherCallEnd}},
	} {
		t.Run(name, func(t *testing.T) {
			onStage(t, nil, func(s *stage) {
				s.act(`{"actions":[{"type":"listen","id":"pin","gather":` + c.gather + `},{"type":"say","text":"one two three four"}]}`)
				s.after(3 * time.Second) // the timer does not run while audio plays
				if n := len(got[events.DigitsGathered](s)); n != 0 {
					t.Fatal("gathered before anything was pressed")
				}
				for _, key := range c.keys {
					s.call.DTMF(string(key), pressed)
					s.after(500 * time.Millisecond)
				}
				s.after(4 * time.Second)
				s.call.End(events.EndStop, events.Counts{})
				all := got[events.DigitsGathered](s)
				if len(all) != 1 {
					t.Fatalf("got %+v, want one", all)
				}
				c.want.ActionID, c.want.At = "pin", all[0].At
				if c.want.EndedBy == events.GatherMaxDigits || c.want.EndedBy == events.GatherTerminator {
					c.want.At = events.Offset(pressed) // the last key's time
				}
				if all[0] != c.want {
					t.Errorf("got %+v, want %+v", all[0], c.want)
				}
				if told := got[events.PlaybackFinished](s); c.keys != "" && (len(told) != 1 || *told[0].InterruptedBy != events.ByDTMF) {
					t.Errorf("got %+v, want playback interrupted by the key", told)
				}
			})
		})
	}
}

func TestSpeechInAPauseIsNotTranscribed(t *testing.T) {
	onStage(t, nil, func(s *stage) {
		s.act(`{"actions":[{"type":"pause_transcription"}]}`)
		s.after(100 * time.Millisecond)
		s.speak(100*time.Millisecond, 8000)
		if s.transcriber.loud() != 0 || s.transcriber.written != 800 || s.transcriber.finalizes != 1 {
			t.Errorf("got %d loud of %d bytes and %d finalizes, want silence and one", s.transcriber.loud(), s.transcriber.written, s.transcriber.finalizes)
		}
		s.act(`{"actions":[{"type":"resume_transcription"}]}`)
		s.after(100 * time.Millisecond)
		s.speak(100*time.Millisecond, 8000)
		if s.transcriber.loud() != 800 {
			t.Errorf("got %d loud bytes, want 800", s.transcriber.loud())
		}
	})
}

func TestAOneWayStreamPlaysNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &stage{t: t, transcriber: newFakeTranscriber(), book: &book{}}
		s.calls = call.New(call.Config{Recognizer: s.transcriber, Journal: s.book, Speech: recording{}})
		s.call = s.calls.Start(context.Background(), stream("MZ1"))
		s.act(`{"actions":[{"type":"say","text":"hello"},{"type":"clear"},{"type":"transfer","to":"+15550100009"}]}`)
		s.after(time.Second)
		s.call.End(events.EndStop, events.Counts{})
		if failed := got[events.ActionFailed](s); len(failed) != 3 {
			t.Errorf("got %+v, want three failures", failed)
		}
	})
}

func TestTheStreamEndsIfTheCarrierDoesNotHangUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &stage{t: t, transcriber: newFakeTranscriber(), book: &book{}, phone: &phone{}, desk: &desk{began: time.Now()}}
		s.calls = call.New(call.Config{Recognizer: s.transcriber, Journal: s.book, Control: s.desk})
		left := make(chan time.Time, 1)
		st := stream("MZ1")
		st.Line, st.HangUp = s.phone, func() { left <- time.Now() }
		s.call = s.calls.Start(context.Background(), st)
		s.act(`{"actions":[{"type":"hangup"}]}`)
		if after := (<-left).Sub(s.desk.began); len(s.desk.asked) != 1 || after != 5*time.Second {
			t.Errorf("got %q, and the stream ended after %v; want the carrier asked, and 5 s", s.desk.asked, after)
		}
		s.call.End(events.EndHangUp, events.Counts{})
	})
}
