package aldea

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

func TestBackoffSpansDoubleUpToTheCap(t *testing.T) {
	want := []time.Duration{0, 500 * ms, time.Second, 2 * time.Second, 4 * time.Second, 8 * time.Second, 10 * time.Second, 10 * time.Second}
	var b backoff
	for i, span := range want {
		got := b.next(0)
		if i == 0 && got != 0 || got < 0 || i > 0 && got >= span {
			t.Errorf("wait %d: got %v, want less than %v", i+1, got, span)
		}
		if i > 0 && b.span() != span {
			t.Errorf("span %d: got %v, want %v", i+1, b.span(), span)
		}
	}
	b.failures = 1 << 40
	if got := b.next(0); got < 0 || got >= backoffCap {
		t.Errorf("after very many failures: got %v", got)
	}
	b.reset()
	if got := b.next(0); got != 0 {
		t.Errorf("after a success: got %v, want the first retry at once", got)
	}
	if got := b.next(time.Minute); got < time.Minute || got >= time.Minute+backoffBase {
		t.Errorf("with a wait that was asked for: got %v, want a minute and some jitter", got)
	}
}

func TestAttemptsToConnectAreSpaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPeer(t)
		var at []time.Duration
		start := time.Now()
		p.dial = func(context.Context) error {
			at = append(at, time.Since(start))
			return errors.New("refused")
		}
		s := p.client(nil).Open(t.Context())
		time.Sleep(10 * time.Minute)
		_ = s.Close()
		if at[0] != 0 || at[1] != 0 {
			t.Errorf("got the first attempts at %v, want both at once", at[:2])
		}
		for i := 2; i < len(at); i++ {
			span := min(backoffBase<<min(i-2, 10), backoffCap)
			if wait := at[i] - at[i-1]; wait >= span {
				t.Errorf("attempt %d came after %v, want less than %v", i+1, wait, span)
			}
		}
		// Full jitter up to 10 s is 5 s on average.
		if len(at) < 60 || len(at) > 240 {
			t.Errorf("got %d attempts in ten minutes, want about 120", len(at))
		}
	})
}

func TestAServerThatAcceptsAndClosesIsNotHammered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPeer(t)
		p.serve = func(_ int, s *session) {
			s.say(`{"type":"Metadata"}`)
			s.close(1011, "overloaded")
		}
		s := p.client(nil).Open(t.Context())
		time.Sleep(time.Minute)
		_ = s.Close()
		if got := len(p.all()); got > 60 {
			t.Errorf("got %d connections in a minute, want the back-off to space them", got)
		}
	})
}
