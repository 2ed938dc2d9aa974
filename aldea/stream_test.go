package aldea

import (
	"bytes"
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestAudioFromBeforeTheRecognizerAnsweredIsNotLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPeer(t)
		p.dial = func(context.Context) error { time.Sleep(3 * time.Second); return nil }
		s := open(t, p.client(nil))
		speak(s, 0, 40000)
		s.CloseSend()
		messages, err := collect(s)
		wantEOF(t, err)
		if !bytes.Equal(p.session(1).heardAudio(), sound(0, 40000)) {
			t.Errorf("the recognizer heard %d samples, want the 40000 that were written", p.session(1).heard())
		}
		got := finals(messages)
		if len(got) != 1 || got[0].Start != 0 || got[0].End != 5*time.Second {
			t.Errorf("got finals %+v, want one from 0 to 5s", got)
		}
		if len(gaps(messages)) != 0 {
			t.Error("got a gap, want none")
		}
	})
}

func TestTheEndWaitsForTheLastResults(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPeer(t)
		p.serve = func(_ int, s *session) {
			for what := s.read(); what != "CloseStream"; what = s.read() {
			}
			time.Sleep(4 * time.Second) // a recognizer that takes its time
			s.finalize("goodbye")
			s.close(1000, "")
		}
		s := open(t, p.client(nil))
		speak(s, 0, 8000)
		s.CloseSend()
		messages, err := collect(s)
		wantEOF(t, err)
		got := finals(messages)
		if len(got) != 1 || got[0].Transcript != "goodbye" || got[0].End != time.Second {
			t.Errorf("got finals %+v, want goodbye up to 1s", got)
		}
	})
}

func TestARecognizerThatNeverClosesIsLeftAfterTheDrainTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPeer(t)
		p.serve = func(_ int, s *session) {
			for s.read() != "" {
			}
		}
		s := open(t, p.client(nil))
		speak(s, 0, 8000)
		s.CloseSend()
		start := time.Now()
		messages, err := collect(s)
		if !errors.Is(err, ErrUnfinished) {
			t.Errorf("got %v for speech without a result, want ErrUnfinished", err)
		}
		gap, ok := messages[len(messages)-1].(*Gap)
		if !ok || *gap != (Gap{From: 0, To: time.Second, Cause: CauseSlow}) {
			t.Errorf("got %+v last, want the gap of all that was said", messages[len(messages)-1])
		}
		if took := time.Since(start); took != 10*time.Second {
			t.Errorf("the drain took %v, want the 10s of its time-out", took)
		}
		synctest.Wait()
		if s := p.session(1); s.readErr == nil || s.readErr.Error() != "websocket: close 1000 (normal)" {
			t.Errorf("the recognizer saw the end as %v, want close 1000", s.readErr)
		}
	})
}

func TestARecognizerThatSaidItAllAndNeverClosesIsFinished(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPeer(t)
		p.serve = func(_ int, s *session) {
			for {
				switch s.read() {
				case "CloseStream":
					s.finalize("goodbye")
				case "":
					return
				}
			}
		}
		s := open(t, p.client(nil))
		speak(s, 0, 8000)
		s.CloseSend()
		messages, err := collect(s)
		wantEOF(t, err)
		if got := finals(messages); len(got) != 1 || got[0].Transcript != "goodbye" {
			t.Errorf("got finals %+v, want goodbye", got)
		}
	})
}

func TestCloseSendWhileConnectingStillDeliversEverything(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPeer(t)
		p.dial = func(context.Context) error { time.Sleep(6 * time.Second); return nil }
		s := open(t, p.client(nil))
		speak(s, 0, 16000)
		s.CloseSend()
		messages, err := collect(s)
		wantEOF(t, err)
		if got := finals(messages); len(got) != 1 || got[0].End != 2*time.Second {
			t.Errorf("got finals %+v, want one up to 2s", got)
		}
		if !bytes.Equal(p.session(1).heardAudio(), sound(0, 16000)) {
			t.Error("the recognizer did not hear exactly what was written")
		}
	})
}

func TestAStreamThatNeverReachesTheRecognizerIsUnfinished(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPeer(t)
		attempts := 0
		p.dial = func(context.Context) error { attempts++; return errors.New("network is unreachable") }
		s := open(t, p.client(nil))
		speak(s, 0, samples(10*time.Minute))
		synctest.Wait()
		attempts = 0
		s.CloseSend()
		start := time.Now()
		_, err := collect(s)
		if !errors.Is(err, ErrUnfinished) {
			t.Errorf("got %v, want ErrUnfinished", err)
		}
		if took := time.Since(start); took != 10*time.Second {
			t.Errorf("it took %v to give up, want 10s", took)
		}
		if attempts < 10 {
			t.Errorf("got %d attempts in 10s, want one a second or more", attempts)
		}
		if _, again := s.Next(t.Context()); !errors.Is(again, ErrUnfinished) {
			t.Errorf("got %v from a further Next, want the same error", again)
		}
	})
}

func TestARecognizerThatIsTooSlowAtTheEndIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPeer(t)
		var up atomic.Bool
		p.dial = func(context.Context) error {
			if !up.Load() {
				return errors.New("network is unreachable")
			}
			return nil
		}
		p.serve = func(_ int, s *session) {
			for s.read() != "" {
				time.Sleep(time.Second)
			}
		}
		s := open(t, p.client(nil))
		speak(s, 0, samples(30*time.Second))
		up.Store(true)
		s.CloseSend()
		start := time.Now()
		_, err := collect(s)
		if !errors.Is(err, ErrUnfinished) {
			t.Errorf("got %v, want ErrUnfinished", err)
		}
		if took := time.Since(start); took > 12*time.Second+outagePace {
			t.Errorf("it took %v, want 10s and a little", took)
		}
	})
}

func TestAStreamThatIsSettledDoesNotConnectOnceMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPeer(t)
		p.serve = func(_ int, s *session) {
			s.readUntil(7680)
			s.result(0, 7680, true, "all")
			time.Sleep(10 * time.Second) // does not even read CloseStream
		}
		s := open(t, p.client(nil))
		speak(s, 0, 7680)
		s.CloseSend()
		_, err := collect(s)
		wantEOF(t, err)
		if got := len(p.shakes()); got != 1 {
			t.Errorf("got %d connections, want 1", got)
		}
	})
}

func TestAStreamWithoutAudioEndsWithoutWaitingForAConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPeer(t)
		p.dial = func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
		s := open(t, p.client(nil))
		s.CloseSend()
		start := time.Now()
		_, err := collect(s)
		wantEOF(t, err)
		if took := time.Since(start); took != 0 {
			t.Errorf("it took %v, want no time", took)
		}
	})
}

func TestABacklogIsSentAtReplaySpeedUntilTheAudioEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPeer(t)
		p.dial = func(context.Context) error { time.Sleep(8 * time.Second); return nil }
		s := open(t, p.client(nil))
		speak(s, 0, samples(8*time.Second)) // 8 s are waiting when the recognizer answers
		speak(s, samples(8*time.Second), samples(16*time.Second))
		synctest.Wait()
		// In 8 s a burst of 0.5 s and 10 s of audio can go.
		if got := s.Stats().Sent; got < 10*time.Second || got > 10600*time.Millisecond {
			t.Errorf("%v were sent 8s after the answer, want between 10s and 10.6s", got)
		}
		s.CloseSend()
		start := time.Now()
		_, err := collect(s)
		wantEOF(t, err)
		if took := time.Since(start); took != 0 {
			t.Errorf("after the end of the audio the rest took %v, want no time", took)
		}
		if got := p.session(1).heard(); got != samples(16*time.Second) {
			t.Errorf("the recognizer heard %d samples, want all", got)
		}
	})
}

func TestANegativeReplaySpeedSendsABacklogAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPeer(t)
		p.dial = func(context.Context) error { time.Sleep(8 * time.Second); return nil }
		s := open(t, p.client(func(c *Config) { c.ReplaySpeed = -1 }))
		speak(s, 0, samples(8*time.Second))
		synctest.Wait()
		if got := s.Stats().Backlog; got >= 60*time.Millisecond {
			t.Errorf("%v are still waiting, want less than a chunk", got)
		}
	})
}

func TestLiveAudioGoesOutInChunks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPeer(t)
		s := open(t, p.client(nil))
		speak(s, 0, samples(1200*time.Millisecond))
		synctest.Wait()
		session := p.session(1)
		session.mu.Lock()
		defer session.mu.Unlock()
		if got := len(session.messages); got != 20 {
			t.Errorf("1.2s came in %d messages, want 20 of 60ms", got)
		}
		for i, m := range session.messages {
			if m.audio != i*480 {
				t.Errorf("message %d begins at sample %d, want %d", i, m.audio, i*480)
			}
		}
	})
}

func TestFinalizeStaysBehindTheAudioItRefersTo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPeer(t)
		p.dial = func(context.Context) error { time.Sleep(time.Second); return nil }
		s := open(t, p.client(nil))
		s.Write(sound(0, 500))
		s.Finalize()
		s.Write(sound(500, 1300))
		s.Finalize()
		s.Finalize() // the same place: once is enough
		s.Write(sound(1800, 100))
		s.CloseSend()
		_, err := collect(s)
		wantEOF(t, err)
		const want = "Finalize@500 Finalize@1800 CloseStream@1900"
		if got := p.session(1).sawControls(); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	})
}

func TestWithoutEndpointingFinalsAreAskedForNowAndThen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPeer(t)
		s := open(t, p.client(func(c *Config) { c.Endpointing = "false" }))
		speak(s, 0, samples(50*time.Second))
		s.CloseSend()
		messages, err := collect(s)
		wantEOF(t, err)
		if got := len(finals(messages)); got != 3 {
			t.Errorf("got %d finals in 50s, want one after 20s, one after 40s and the last", got)
		}
	})
}

func TestAbruptCloseEndsEverythingAtOnce(t *testing.T) {
	tests := map[string]func(p *peer) func(*Stream){
		"before the first dial":  func(*peer) func(*Stream) { return func(*Stream) {} },
		"while dialling":         func(p *peer) func(*Stream) { p.dial = hangs; return pass(time.Second) },
		"while backing off":      func(p *peer) func(*Stream) { p.dial = fails; return pass(20 * time.Second) },
		"while connected":        func(*peer) func(*Stream) { return func(s *Stream) { speak(s, 0, 8000) } },
		"while draining":         draining,
		"while nobody reads":     chatty,
		"while writing is stuck": stuck,
	}
	for name, prepare := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newPeer(t)
				act := prepare(p)
				s := p.client(nil).Open(t.Context())
				act(s)
				start := time.Now()
				if err := s.Close(); err != nil {
					t.Errorf("Close gave %v", err)
				}
				if took := time.Since(start); took != 0 {
					t.Errorf("Close took %v", took)
				}
				if _, err := collect(s); !errors.Is(err, ErrClosed) {
					t.Errorf("got %v from Next, want ErrClosed", err)
				}
				s.Write(sound(0, 160)) // all of these must be harmless now
				s.Finalize()
				s.CloseSend()
				_ = s.Close()
			})
		})
	}
}

func hangs(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
func fails(context.Context) error     { return errors.New("refused") }

func pass(d time.Duration) func(*Stream) { return func(*Stream) { time.Sleep(d) } }

func draining(p *peer) func(*Stream) {
	p.serve = func(_ int, s *session) {
		for s.read() != "" {
		}
	}
	return func(s *Stream) { s.Write(sound(0, 480)); s.CloseSend(); time.Sleep(time.Second) }
}

func chatty(p *peer) func(*Stream) {
	p.serve = func(_ int, s *session) {
		for range 200 {
			s.result(0, 0, true, "again")
		}
		s.obey()
	}
	return pass(time.Second)
}

func stuck(p *peer) func(*Stream) {
	p.serve = func(_ int, s *session) { time.Sleep(time.Minute) }
	return func(s *Stream) { speak(s, 0, 8000) }
}

func TestTheEndOfOpensContextEndsTheStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPeer(t)
		cause := errors.New("shutting down")
		ctx, cancel := context.WithCancelCause(t.Context())
		s := p.client(nil).Open(ctx)
		speak(s, 0, 8000)
		cancel(cause)
		if _, err := collect(s); !errors.Is(err, cause) {
			t.Errorf("got %v, want the cause of the context's end", err)
		}
		_ = s.Close()
	})
}

func TestNextHeedsItsContextAndTheStreamGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPeer(t)
		s := open(t, p.client(nil))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := s.Next(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v, want context.DeadlineExceeded", err)
		}
		s.Write(sound(0, 160))
		s.CloseSend()
		_, err := collect(s)
		wantEOF(t, err)
	})
}

func TestARecognizerThatReadsTooSlowlyNeverHoldsUpWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPeer(t)
		p.serve = func(n int, s *session) {
			if n == 1 {
				time.Sleep(8 * time.Second) // reads nothing
				return
			}
			s.obey()
		}
		s := open(t, p.client(nil))
		for i := range 500 {
			start := time.Now()
			s.Write(sound(i*160, 160))
			if took := time.Since(start); took != 0 {
				t.Fatalf("Write took %v", took)
			}
			time.Sleep(20 * time.Millisecond)
		}
		s.CloseSend()
		messages, err := collect(s)
		wantEOF(t, err)
		if got := finals(messages); len(got) != 1 || got[0].Start != 0 || got[0].End != 10*time.Second {
			t.Errorf("got finals %+v, want one from 0 to 10s", got)
		}
		if !bytes.Equal(p.session(2).heardAudio(), sound(0, 80000)) {
			t.Error("the second connection did not hear exactly what was written")
		}
	})
}

func TestAConsumerThatDoesNotReadCostsInterimsOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPeer(t)
		p.serve = func(_ int, s *session) {
			for range 100 {
				s.result(0, 0, false, "wor")
			}
			s.result(0, 0, true, "word")
			s.ws.SetPingHandler(func(string) error { return nil }) // a pipe has no room for the pongs
			s.obey()
		}
		s := open(t, p.client(nil))
		time.Sleep(58 * time.Second) // the last ping should have been answered 3 s ago
		if _, err := s.Next(t.Context()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		s.CloseSend()
		messages, err := collect(s)
		wantEOF(t, err)
		if got := finals(messages); len(got) == 0 || got[0].Transcript != "word" {
			t.Errorf("got finals %+v, want word first", got)
		}
		stats := s.Stats()
		if stats.Dropped != 100-messageQueue {
			t.Errorf("%d interims were dropped, want %d", stats.Dropped, 100-messageQueue)
		}
		if stats.Lost != 0 {
			t.Errorf("%d connections were lost, want none", stats.Lost)
		}
	})
}
