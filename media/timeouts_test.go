package media

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// A listener is a Receiver that records its calls.
type listener struct {
	samples int
	silence int
	last    time.Time
	digits  []string
	marks   []string
	ended   bool
	after   int // calls after the end
}

func (l *listener) Audio(_ Track, mulaw []byte) {
	if l.ended {
		l.after++
	}
	l.samples += len(mulaw)
	if digitalSilence(mulaw) {
		l.silence += len(mulaw)
	}
	l.last = time.Now()
}
func (l *listener) DTMF(digit string, _ time.Duration) { l.digits = append(l.digits, digit) }
func (l *listener) Mark(name string)                   { l.marks = append(l.marks, name) }

// testLimits are the defaults.
var testLimits = limits{
	message: DefaultMaxMessage, start: DefaultStartTimeout, idle: DefaultIdleTimeout, maxDuration: DefaultMaxDuration,
}

const startJSON = `{"event":"start","sequenceNumber":"1","start":{"accountSid":"AC0","streamSid":"MZ0","callSid":"CA0","tracks":["inbound"]},"streamSid":"MZ0"}`

const stopJSON = `{"event":"stop","streamSid":"MZ0"}`

func mediaJSON(ts int) []byte {
	return fmt.Appendf(nil, `{"event":"media","streamSid":"MZ0","media":{"timestamp":"%d","payload":"%s"}}`, ts, payload20ms)
}

// payload20ms is 160 samples of 0x00.
var payload20ms = base64.StdEncoding.EncodeToString(make([]byte, 160))

// A session is one stream over a fake socket, in simulated time.
type session struct {
	ws     *fakeSocket
	st     *Stream
	to     *listener
	began  time.Time
	reason chan EndReason
	at     time.Time // when Receive returned
}

// receive starts a stream and receives it. The test must end it, and then call end.
func receive(ctx context.Context, t *testing.T, limits limits) *session {
	t.Helper()
	s := &session{ws: newFakeSocket(), to: &listener{}, reason: make(chan EndReason, 1), began: time.Now()}
	s.ws.in <- []byte(startJSON)
	s.st = newStream(s.ws, limits)
	if !s.st.awaitStart() {
		t.Fatal("no start")
	}
	go func() {
		reason := s.st.Receive(ctx, s.to)
		s.at = time.Now()
		s.to.ended = true
		s.reason <- reason
	}()
	return s
}

func (s *session) end() EndReason {
	reason := <-s.reason
	s.st.release()
	return reason
}

// say sends a message, unless the stream is over.
func (s *session) say(b []byte) {
	select {
	case s.ws.in <- b:
	case <-s.ws.gone:
	}
}

// simulated runs a test in simulated time.
func simulated(t *testing.T, f func(t *testing.T)) { t.Helper(); synctest.Test(t, f) }

func TestSilenceFlowsWhenTheCarrierIsQuiet(t *testing.T) {
	simulated(t, func(t *testing.T) {
		s := receive(t.Context(), t, testLimits)
		for i := range 50 {
			s.ws.in <- mediaJSON(20 * i)
			time.Sleep(20 * time.Millisecond)
		}
		time.Sleep(5 * time.Second)
		s.ws.in <- []byte(stopJSON)
		if got := s.end(); got != EndStop {
			t.Errorf("reason: got %q, want %q", got, EndStop)
		}
		// The last frame came 5.02 s before the end; it was voiced, so silence lags by 1.4 s and comes in pieces of 100 ms.
		if least, most := sampleRate*35/10, sampleRate*37/10; s.to.silence < least || s.to.silence > most {
			t.Errorf("silence: got %d samples, want %d to %d", s.to.silence, least, most)
		}
		if got := s.st.Stats(); got.Frames != 50 || got.Silence != duration(int64(s.to.silence)) {
			t.Errorf("stats: got %+v, want 50 frames and the silence", got)
		}
	})
}

func TestAStreamEndsOnceForTheFirstReason(t *testing.T) {
	short := testLimits
	short.maxDuration = time.Minute
	for _, c := range []struct {
		name   string
		limits limits
		do     func(s *session, cancel func())
		want   EndReason
		after  time.Duration // how long the stream lasts
		close  string
	}{
		{"stop", testLimits, func(s *session, _ func()) { s.ws.in <- []byte(stopJSON) }, EndStop, 0, "close 1000"},
		{"stop, then the connection breaks", testLimits, func(s *session, _ func()) {
			s.ws.in <- []byte(stopJSON)
			close(s.ws.in)
		}, EndStop, 0, "close 1000"},
		{"stop twice, and shutdown", testLimits, func(s *session, cancel func()) {
			s.ws.in <- []byte(stopJSON)
			s.ws.in <- []byte(stopJSON)
			synctest.Wait()
			cancel()
		}, EndStop, 0, "close 1000"},
		{"the connection breaks", testLimits, func(s *session, _ func()) { close(s.ws.in) }, EndClosed, 0, "close 1000"},
		{"shutdown", testLimits, func(_ *session, cancel func()) { cancel() }, EndShutdown, 0, "close 1001"},
		{"shutdown, then stop", testLimits, func(s *session, cancel func()) {
			cancel()
			synctest.Wait()
			s.ws.in <- []byte(stopJSON)
		}, EndShutdown, 0, "close 1001"},
		{"nothing comes", testLimits, func(*session, func()) {}, EndIdle, 60 * time.Second, "close 1000"},
		{"rubbish comes", testLimits, func(s *session, _ func()) {
			for range 100 {
				time.Sleep(time.Second)
				s.say([]byte("rubbish"))
			}
		}, EndIdle, 60 * time.Second, "close 1000"},
		{"it lasts too long", short, func(s *session, _ func()) {
			for i := range 4000 {
				s.say(mediaJSON(20 * i))
				time.Sleep(20 * time.Millisecond)
			}
		}, EndTooLong, time.Minute, "close 1000"},
	} {
		t.Run(c.name, func(t *testing.T) {
			simulated(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				s := receive(ctx, t, c.limits)
				synctest.Wait()
				go c.do(s, cancel)
				if got := s.end(); got != c.want {
					t.Errorf("reason: got %q, want %q", got, c.want)
				}
				if got := s.at.Sub(s.began); got != c.after {
					t.Errorf("lasted %v, want %v", got, c.after)
				}
				if got := s.st.Receive(ctx, s.to); got != c.want {
					t.Errorf("a second Receive: got %q, want %q", got, c.want)
				}
				got := slices.DeleteFunc(s.ws.written(), func(w string) bool { return w == "ping" })
				if !slices.Equal(got, []string{c.close}) {
					t.Errorf("written: got %q, want %q", got, c.close)
				}
				if err := s.st.SendMark("late"); !errors.Is(err, ErrEnded) {
					t.Errorf("SendMark after the end: got %v, want %v", err, ErrEnded)
				}
				time.Sleep(time.Hour)
				if s.to.after != 0 {
					t.Errorf("the receiver was called %d times after the end", s.to.after)
				}
			})
		})
	}
}

func TestAStartMustComeInTime(t *testing.T) {
	simulated(t, func(t *testing.T) {
		ws := newFakeSocket()
		st := newStream(ws, testLimits)
		began := time.Now()
		go func() {
			for range 9 {
				ws.in <- []byte(`{"event":"connected"}`)
				time.Sleep(time.Second)
			}
		}()
		if st.awaitStart() {
			t.Error("got a start")
		}
		if got := time.Since(began); got != testLimits.start {
			t.Errorf("gave up after %v, want %v", got, testLimits.start)
		}
		st.release()
	})
}

func TestPingsKeepTheConnectionOpen(t *testing.T) {
	simulated(t, func(t *testing.T) {
		s := receive(t.Context(), t, testLimits)
		time.Sleep(50 * time.Second)
		s.ws.in <- []byte(stopJSON)
		s.end()
		want := []string{"ping", "ping", "ping", "close 1000"}
		if got := s.ws.written(); !slices.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
	})
}

func TestTheReaderDoesNotWaitForAWriter(t *testing.T) {
	simulated(t, func(t *testing.T) {
		s := receive(t.Context(), t, testLimits)
		s.ws.mu.Lock()
		s.ws.stuck = true // the carrier reads nothing
		s.ws.mu.Unlock()
		sent := make(chan error, 1)
		go func() { sent <- s.st.SendMedia(make([]byte, 160)) }()
		synctest.Wait()
		if err := s.ws.ping("hello"); err != nil { // the carrier's ping
			t.Fatal(err)
		}
		for i := range 50 {
			s.ws.in <- mediaJSON(20 * i)
		}
		synctest.Wait()
		if s.to.samples != 8000 {
			t.Errorf("heard %d samples while a write was stuck, want 8000", s.to.samples)
		}
		s.ws.in <- []byte(stopJSON)
		s.end()
		if got := s.at.Sub(s.began); got > closeWait {
			t.Errorf("the end waited %v for the writer, want at most %v", got, closeWait)
		}
		if err := <-sent; err == nil {
			t.Error("the stuck write: got no error")
		}
	})
}

func TestAPingIsAnswered(t *testing.T) {
	simulated(t, func(t *testing.T) {
		s := receive(t.Context(), t, testLimits)
		for _, data := range []string{"a", "b", ""} {
			if err := s.ws.ping(data); err != nil {
				t.Fatal(err)
			}
		}
		synctest.Wait()
		if got := s.ws.written(); len(got) == 0 || got[len(got)-1] != "pong " {
			t.Errorf("got %q, want the last ping answered", got)
		}
		s.ws.in <- []byte(stopJSON)
		s.end()
	})
}

func TestKeysAreTakenAsFastAsTheyArePressedAndNotFaster(t *testing.T) {
	key := []byte(`{"event":"dtmf","streamSid":"MZ0","dtmf":{"track":"inbound_track","digit":"5"}}`)
	simulated(t, func(t *testing.T) {
		s := receive(t.Context(), t, testLimits)
		var dropped []int64
		s.st.onKeyDropped = func(n int64) { dropped = append(dropped, n) }
		for range keyBurst { // a number that a telephone has stored
			s.ws.in <- key
		}
		for range 100 { // fast fingers
			time.Sleep(keyEvery)
			s.ws.in <- key
		}
		synctest.Wait()
		if n := len(s.to.digits); n != keyBurst+100 || dropped != nil {
			t.Errorf("got %d keys and %d dropped, want all %d", n, len(dropped), keyBurst+100)
		}
		for range 1000 { // a program
			s.ws.in <- key
			time.Sleep(time.Millisecond)
		}
		s.ws.in <- []byte(stopJSON)
		s.end()
		n := len(s.to.digits) - keyBurst - 100
		if n < 4 || n > 6 {
			t.Errorf("got %d keys in a second of a flood, want about 5", n)
		}
		if got := s.st.Stats().Keys; got != int64(1000-n) || len(dropped) != 1000-n || dropped[0] != 1 {
			t.Errorf("got %d keys counted and %d reported as dropped, want %d", got, len(dropped), 1000-n)
		}
	})
}
