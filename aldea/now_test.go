package aldea

import (
	"errors"
	"testing"
	"time"
)

// waitingStream is a stream whose run waits for audio on a connection.
func waitingStream(t *testing.T) (*Stream, *swallow) {
	s, w := idleStream(t)
	nc := &swallow{}
	w.conn = &conn{net: nc, lazy: nc, config: &s.client.config}
	if step, _ := w.plan(w.opened); step.kind != stepWait {
		t.Fatalf("got step %d, want to wait for audio", step.kind)
	}
	return s, nc
}

func TestWriteSendsWhatIsDueWithoutWakingAnybody(t *testing.T) {
	s, nc := waitingStream(t)
	for i, want := range []int{0, 0, 1, 1, 1, 2} { // of 20 ms each, for a chunk of 60 ms
		s.Write(sound(0, 160))
		if got := nc.bytes / (3 * 640); got != want {
			t.Errorf("after frame %d: %d bytes are sent, want %d chunks", i+1, nc.bytes, want)
		}
	}
	if len(s.wake) != 0 {
		t.Error("somebody was woken")
	}
}

func TestWriteLeavesToRunWhatItMustNotDo(t *testing.T) {
	for name, test := range map[string]struct {
		change func(s *Stream, nc *swallow)
		sent   bool
	}{
		"run writes itself":              {change: func(s *Stream, _ *swallow) { s.writeMu.Lock() }},
		"there is no connection":         {change: func(s *Stream, _ *swallow) { s.writer.conn = nil }},
		"writing to it may have to wait": {change: func(s *Stream, _ *swallow) { s.writer.conn.lazy = nil }},
		"it has failed before":           {change: func(s *Stream, _ *swallow) { s.writer.failed = errors.New("broken") }},
		"a Finalize has its place first": {change: func(s *Stream, _ *swallow) { s.src.finalizes = []finalizeRequest{{at: 100}} }},
		"a ping is due":                  {change: func(s *Stream, _ *swallow) { s.writer.pinged = time.Now().Add(-time.Hour) }},
		"the end of trouble is due":      {change: func(s *Stream, _ *swallow) { s.trouble.since = time.Now() }},
		"a gap is to be told":            {change: func(s *Stream, _ *swallow) { s.src.lost.to = 1 }},
		"nothing came back for speech": {change: func(s *Stream, _ *swallow) {
			s.writer.limit, s.src.next, s.src.question = 0, 0, question{at: time.Now()}
		}},
		"some audio is lost": {change: func(s *Stream, _ *swallow) { s.src.ring.start = 1 }},
		"the server has to be asked": {change: func(s *Stream, _ *swallow) {
			s.client.config.Endpointing, s.src.unrequited = "false", sampleAt(finalizeEvery)
		}},
		"there may be a better host":   {change: func(s *Stream, _ *swallow) { s.writer.host = &host{index: 1} }},
		"something is left":            {change: func(_ *Stream, nc *swallow) { nc.keeps = true }},
		"there is more than a message": {change: func(s *Stream, _ *swallow) { s.src.ring.append(sound(0, 8000)) }},
		"it is too soon":               {change: func(s *Stream, _ *swallow) { s.writer.pace = pacer{speed: 1, at: time.Now()} }},
		"the socket has no room":       {sent: true, change: func(_ *Stream, nc *swallow) { nc.full = true }},
		"the socket is broken":         {sent: true, change: func(_ *Stream, nc *swallow) { nc.err = errors.New("broken") }},
	} {
		s, nc := waitingStream(t)
		test.change(s, nc)
		s.Write(sound(0, 480))
		if len(s.wake) != 1 {
			t.Errorf("%s: run was not woken", name)
		}
		if got := nc.bytes > 0; got != test.sent {
			t.Errorf("%s: %d bytes were sent", name, nc.bytes)
		}
	}
}
