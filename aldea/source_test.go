package aldea

import (
	"testing"
	"time"
)

// newSource is a source on its first connection.
func newSource(limit int) *source {
	s := &source{ring: ring{limit: limit}}
	s.rewind(0)
	return s
}

// send takes n samples in messages of 60 ms.
func (s *source) send(n int) {
	for ; n > 0; n -= 480 {
		s.take(make([]byte, min(n, 480)))
	}
}

func TestAServerCannotSettleWhatItWasNotSent(t *testing.T) {
	s := newSource(80000)
	s.ring.append(sound(0, 16000))
	s.send(8000)
	s.settle(12000)
	if s.settled != 8000 || s.ring.start != 8000 {
		t.Errorf("settled up to %d, want 8000", s.settled)
	}
	s.settle(4000)
	if s.settled != 8000 {
		t.Errorf("settled went back to %d", s.settled)
	}
}

func TestEveryLossIsReportedOnce(t *testing.T) {
	s := newSource(16000)
	s.ring.append(sound(0, 24000))
	want := []Gap{{0, time.Second, CauseUnreachable}, {time.Second, 2 * time.Second, CauseUnreachable}}
	for i, w := range want {
		s.skipLost(CauseUnreachable, time.Now())
		got := s.takeGap()
		if got == nil || *got != w {
			t.Fatalf("gap %d: got %v, want %v", i, got, w)
		}
		if again := s.takeGap(); again != nil {
			t.Errorf("gap %d was reported again: %v", i, again)
		}
		s.ring.append(sound(0, 8000))
		s.rewind(0) // the connection is lost before anything was final
	}
}

func TestSilenceIsSettledOnlyWhenNobodySpokeInIt(t *testing.T) {
	const n = 8000 * 20
	tests := []struct {
		name    string
		prepare func(*source)
		want    time.Duration
	}{
		{"from the beginning", func(*source) {}, 15 * time.Second},
		{"after an interim", func(s *source) { s.interim = true }, 0},
		{"after speech that is not final", func(s *source) { s.loudEnd = 100 }, 0},
		{"after speech that is final", func(s *source) { s.loudEnd = 100; s.next = 200; s.settle(100); s.next = 0 }, 15 * time.Second},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := newSource(n)
			s.ring.append(silence(n))
			test.prepare(s)
			s.send(n)
			if got := timeOf(s.settled); got != test.want {
				t.Errorf("settled up to %v, want %v", got, test.want)
			}
		})
	}
}

func TestAFinalizeIsForgottenWhenItsAudioIsSettled(t *testing.T) {
	s := newSource(80000)
	for range 2 * maxFinalizes {
		s.ring.append(sound(0, 480))
		s.finalize(false)
	}
	if len(s.finalizes) != maxFinalizes {
		t.Errorf("%d requests wait, want the limit of %d", len(s.finalizes), maxFinalizes)
	}
	s.send(480 * 2 * maxFinalizes)
	s.finalizeSent()
	s.settle(480 * 20)
	if got := s.finalizes[0].at; got != 480*21 {
		t.Errorf("the oldest request is at %d, want the first one behind what is settled, %d", got, 480*21)
	}
	if s.finalized != len(s.finalizes) {
		t.Errorf("%d of %d requests count as sent, want all", s.finalized, len(s.finalizes))
	}
}
