package aldea

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// told is one message about trouble, and when it came.
type told struct {
	at time.Duration
	m  Message
}

// listenFor collects what a stream tells about trouble, until its end.
func listenFor(s *Stream) (get func() []told) {
	start := time.Now()
	done := make(chan struct{})
	var all []told
	go func() {
		defer close(done)
		for {
			m, err := s.Next(context.Background())
			if err != nil {
				return
			}
			switch m.(type) {
			case *Degraded, *Recovered, *Gap:
				all = append(all, told{time.Since(start), m})
			}
		}
	}()
	return func() []told { _ = s.Close(); <-done; return all }
}

func TestTroubleIsToldWhenItBeginsGetsWorseAndEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPeer(t)
		hang := atomic.Bool{}
		p.dial = func(ctx context.Context) error {
			if hang.Load() {
				<-ctx.Done()
				return ctx.Err()
			}
			return nil
		}
		p.serve = func(_ int, s *session) { counting(s) }
		s := open(t, p.client(func(c *Config) { c.ReplaySpeed = 2; c.DialTimeout = 8 * time.Second }))
		got := listenFor(s)
		lost := time.Now().Add(5 * time.Second)
		time.AfterFunc(5*time.Second, func() { hang.Store(true); _ = p.session(1).ws.Close() })
		time.AfterFunc(40*time.Second, func() { hang.Store(false) })
		speak(s, 0, samples(2*time.Minute))
		all := got()
		if len(all) != 3 {
			t.Fatalf("got %d messages, want degraded, down and recovered: %v", len(all), all)
		}
		degraded, _ := all[0].m.(*Degraded)
		if degraded == nil || all[0].at != 8*time.Second || degraded.Down || degraded.Cause != CauseConnectionLost ||
			!degraded.Since.Equal(lost) || degraded.Reason == "" {
			t.Errorf("got %+v after %v, want degraded 3s after the loss", all[0].m, all[0].at)
		}
		if b := degraded.Backlog; b < 3*time.Second || b > 3500*time.Millisecond {
			t.Errorf("got a backlog of %v, want about 3s", b)
		}
		down, _ := all[1].m.(*Degraded)
		if down == nil || all[1].at != 35*time.Second || !down.Down || down.Cause != CauseUnreachable || !down.Since.Equal(lost) {
			t.Errorf("got %+v after %v, want down 30s after the loss", all[1].m, all[1].at)
		}
		recovered, _ := all[2].m.(*Recovered)
		if recovered == nil || recovered.Cause != CauseUnreachable || !recovered.Since.Equal(lost) || recovered.Backlog < 35*time.Second {
			t.Errorf("got %+v, want the recovery of all that", all[2].m)
		}
		// The backlog, of 35 s and more, takes as long again at twice real time.
		if at := all[2].at; at < 70*time.Second || at > 115*time.Second {
			t.Errorf("the recovery came after %v, want when the backlog was gone", at)
		}
	})
}

func TestAStreamIsDegradedAfterThreeFailures(t *testing.T) {
	tests := []struct {
		status int
		want   Cause
	}{{503, CauseOverloaded}, {429, CauseRateLimited}, {0, CauseUnreachable}}
	for _, test := range tests {
		synctest.Test(t, func(t *testing.T) {
			p := newPeer(t)
			var failures atomic.Int64
			p.dial = func(context.Context) error {
				if test.status == 0 && failures.Add(1) <= 3 {
					return errors.New("connection refused for org_secret")
				}
				return nil
			}
			p.refuse = func(n int, _ *http.Request) (int, http.Header, string) {
				if test.status != 0 && n <= 3 {
					return test.status, nil, "busy, org_secret"
				}
				return 0, nil, ""
			}
			s := open(t, p.client(nil))
			speak(s, 0, samples(10*time.Second))
			s.CloseSend()
			messages, err := collect(s)
			wantEOF(t, err)
			got := troubles(messages)
			if len(got) != 2 || !strings.HasPrefix(got[0], "degraded "+string(test.want)) || !strings.HasPrefix(got[1], "recovered "+string(test.want)) {
				t.Errorf("%d: got %v, want degraded and recovered", test.status, got)
			}
			if d := messages[0].(*Degraded); d.Reason == "" || strings.Contains(d.Reason, "org_secret") {
				t.Errorf("got the reason %q", d.Reason)
			}
		})
	}
}

func TestALossThatIsMendedAtOnceIsNotTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPeer(t)
		p.serve = func(_ int, s *session) {
			defer time.AfterFunc(5*time.Second, func() { _ = s.ws.Close() }).Stop()
			counting(s)
		}
		s := open(t, p.client(nil))
		end := gather(s)
		speak(s, 0, samples(61*time.Second))
		s.CloseSend()
		messages, err := end()
		wantEOF(t, err)
		if got := troubles(messages); len(got) != 0 || s.Stats().Lost < 10 {
			t.Errorf("got %v after %d losses, want nothing told", got, s.Stats().Lost)
		}
		wantWhole(t, "the stream", messages, 61*time.Second)
	})
}

func TestAConnectionThatDoesNotLastIsNoRecovery(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPeer(t)
		p.serve = func(n int, s *session) {
			if n <= 8 {
				s.say(`{"type":"Metadata"}`)
				s.close(1011, "overloaded")
				return
			}
			s.obey()
		}
		s := open(t, p.client(nil))
		speak(s, 0, samples(time.Minute))
		s.CloseSend()
		messages, err := collect(s)
		wantEOF(t, err)
		got := troubles(messages)
		if len(got) < 2 || len(got) > 3 || !strings.HasPrefix(got[0], "degraded overloaded") || !strings.HasPrefix(got[len(got)-1], "recovered overloaded") {
			t.Errorf("got %v, want one trouble and its end", got)
		}
	})
}

func TestAConnectionThatDoesNotLastIsNoRecoveryOfAMuteStreamEither(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPeer(t)
		p.serve = func(n int, s *session) {
			if n <= 6 {
				s.close(1011, "overloaded")
				return
			}
			s.obey()
		}
		s := open(t, p.client(nil))
		got, start := listenFor(s), time.Now()
		time.Sleep(time.Minute)
		all := got()
		if len(all) < 2 || len(all) > 3 {
			t.Fatalf("got %v, want one trouble and its end", all)
		}
		last := all[len(all)-1]
		if want := p.session(7).opened.Sub(start) + calmAfter; last.at != want {
			t.Errorf("the recovery was told after %v, want after %v, a second after the connection", last.at, want)
		}
	})
}

func TestASecondTroubleBeforeTheEndOfTheFirstIsThatOne(t *testing.T) {
	now := time.Now()
	trouble := trouble{alarm: time.NewTimer(time.Hour)}
	trouble.begin(now, CauseConnectionLost, "")
	trouble.told = levelDegraded
	trouble.failures = 5
	trouble.begin(now.Add(time.Minute), CauseStalled, "")
	if !trouble.since.Equal(now) || !trouble.apart.Equal(now.Add(time.Minute)) || trouble.failures != 0 {
		t.Errorf("got %+v, want it to have begun at the first", trouble)
	}
	if got := trouble.level(now.Add(time.Minute)); got != levelNone {
		t.Errorf("got level %d at its beginning", got)
	}
	trouble.told = levelNone
	trouble.begin(now.Add(time.Minute), CauseStalled, "")
	if !trouble.since.Equal(now.Add(time.Minute)) {
		t.Errorf("got %+v, want it to have begun at the second: nobody heard of the first", trouble)
	}
}
