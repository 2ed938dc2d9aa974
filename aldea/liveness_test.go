package aldea

import (
	"bytes"
	"testing"
	"testing/synctest"
	"time"
)

func TestAnIdleConnectionIsKeptAlive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPeer(t)
		s := open(t, p.client(nil))
		time.Sleep(13 * time.Second)
		speak(s, 0, 8000)
		s.CloseSend()
		messages, err := collect(s)
		wantEOF(t, err)
		session := p.session(1)
		var at []time.Duration
		for _, c := range session.controls {
			if c.what == "KeepAlive" {
				at = append(at, c.at)
			}
		}
		if len(at) != 3 || at[0] != 4*time.Second || at[1] != 8*time.Second || at[2] != 12*time.Second {
			t.Errorf("got KeepAlive at %v, want at 4s, 8s and 12s", at)
		}
		if session.controls[0].audio != fillerSamples {
			t.Errorf("%d samples came before the first KeepAlive, want 20ms of silence", session.controls[0].audio)
		}
		heard := session.heardAudio()
		if !bytes.Equal(heard[fillerSamples:], sound(0, 8000)) {
			t.Error("the audio after the silence is not what was written")
		}
		// The result covers silence and audio; the silence is not part of the source.
		got := finals(messages)
		if len(got) != 1 || got[0].Start != 0 || got[0].End != time.Second || got[0].Words[0].End != time.Second {
			t.Errorf("got finals %+v, want one up to 1s", got)
		}
	})
}

func TestAPauseAfterAudioNeedsNoSilenceAndDoesNotMoveTimes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPeer(t)
		s := open(t, p.client(nil))
		speak(s, 0, 1000) // not whole chunks: the rest must not wait for the next audio
		time.Sleep(60 * time.Second)
		speak(s, 1000, 9000)
		s.CloseSend()
		messages, err := collect(s)
		wantEOF(t, err)
		session := p.session(1)
		if !bytes.Equal(session.heardAudio(), sound(0, 9000)) {
			t.Error("the recognizer did not hear exactly what was written")
		}
		if first := session.controls[0]; first.what != "KeepAlive" || first.audio != 1000 {
			t.Errorf("got %+v first, want KeepAlive behind all 1000 samples", first)
		}
		for _, c := range session.controls[1:] {
			if c.what == "KeepAlive" && c.audio != 1000 {
				t.Errorf("got KeepAlive at sample %d, while audio flowed", c.audio)
			}
		}
		if got := finals(messages); len(got) != 1 || got[0].End != timeOf(9000) {
			t.Errorf("got finals %+v, want one up to %v", got, timeOf(9000))
		}
	})
}

func TestAHalfOpenConnectionIsFoundByPing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPeer(t)
		p.serve = func(n int, s *session) {
			if n == 1 {
				s.ws.SetPingHandler(func(string) error { return nil }) // reads on, but never answers
			}
			s.obey()
		}
		s := open(t, p.client(nil))
		speak(s, 0, samples(30*time.Second))
		s.CloseSend()
		messages, err := collect(s)
		wantEOF(t, err)
		if got := p.session(2).opened.Sub(p.session(1).opened); got != 20*time.Second {
			t.Errorf("the second connection came after %v, want after 20s: a ping at 10s and 10s for its answer", got)
		}
		if got := finals(messages); len(got) != 1 || got[0].Start != 0 || got[0].End != 30*time.Second {
			t.Errorf("got finals %+v, want one from 0 to 30s", got)
		}
	})
}

func TestAnIdleHealthyConnectionStaysOpen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPeer(t)
		s := open(t, p.client(nil))
		speak(s, 0, 8000)
		time.Sleep(10 * time.Minute)
		if stats := s.Stats(); stats.Lost != 0 || !stats.Connected {
			t.Errorf("got stats %+v, want the first connection still open", stats)
		}
	})
}

func TestAPingOfTheServerIsAnswered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPeer(t)
		pong := make(chan string, 1)
		p.serve = func(_ int, s *session) {
			s.ws.SetPongHandler(func(data string) error {
				if data != "" { // those to us
					pong <- data
				}
				return nil
			})
			go func() { _ = s.ws.WriteControl(9, []byte("are you there"), time.Now().Add(time.Second)) }()
			s.obey()
		}
		open(t, p.client(nil))
		if got := <-pong; got != "are you there" {
			t.Errorf("got the pong %q", got)
		}
	})
}
