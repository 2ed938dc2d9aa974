package aldea

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"aldeabridge/codec"
)

func TestALostConnectionIsReplayedFromTheEndOfTheLastFinal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPeer(t)
		p.serve = func(n int, s *session) {
			if n == 1 {
				s.readUntil(samples(3 * time.Second))
				s.result(0, samples(2*time.Second), true, "one")
				s.result(samples(2*time.Second), samples(2900*time.Millisecond), false, "tw")
				return // cut in the middle of a word
			}
			s.readUntil(samples(3 * time.Second))
			s.result(0, samples(1500*time.Millisecond), true, "two")
			s.obey()
		}
		s := open(t, p.client(nil))
		speak(s, 0, samples(6*time.Second))
		s.CloseSend()
		messages, err := collect(s)
		wantEOF(t, err)
		got := finals(messages)
		if len(got) != 3 {
			t.Fatalf("got %d finals, want three", len(got))
		}
		if r := got[1]; r.Transcript != "two" || r.Start != 2*time.Second || r.End != 3500*time.Millisecond {
			t.Errorf("got the final %q from %v to %v, want two from 2s to 3.5s", r.Transcript, r.Start, r.End)
		}
		if w := got[1].Words[0]; w.Start != 2*time.Second || w.End != 3500*time.Millisecond {
			t.Errorf("got its word from %v to %v, want from 2s to 3.5s", w.Start, w.End)
		}
		if !bytes.Equal(p.session(2).heardAudio(), sound(16000, 32000)) {
			t.Error("the second connection did not hear exactly the audio from 2s on")
		}
		stats := s.Stats()
		if stats.Lost != 1 || stats.Connections != 2 || stats.Replayed < 900*time.Millisecond {
			t.Errorf("got stats %+v, want one loss, two connections and a second replayed", stats)
		}
	})
}

func TestFinalsThatAReplayBringsAgainAreLeftOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPeer(t)
		p.serve = func(n int, s *session) {
			s.readUntil(8000)
			if n == 1 {
				s.result(0, 8000, true, "one")
				return
			}
			s.result(0, 0, true, "one") // nothing of it lies behind the last final
			s.obey()
		}
		s := open(t, p.client(nil))
		speak(s, 0, 24000)
		s.CloseSend()
		messages, err := collect(s)
		wantEOF(t, err)
		if got := finals(messages); len(got) != 2 || got[1].Transcript != "last" {
			t.Errorf("got finals %+v, want one and last", got)
		}
		if got := s.Stats().Repeated; got != 1 {
			t.Errorf("got %d repeated finals, want 1", got)
		}
	})
}

func TestFinalizeThatALostConnectionDidNotAnswer(t *testing.T) {
	for name, c := range map[string]struct {
		finalize func(*Stream)
		want     string
	}{
		"Finalize is asked again":         {(*Stream).Finalize, "Finalize@4800 CloseStream@9600"},
		"FinalizeOnce is not asked again": {(*Stream).FinalizeOnce, "CloseStream@9600"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newPeer(t)
				p.serve = func(n int, s *session) {
					if n == 1 {
						for s.read() != "Finalize" {
						}
						return
					}
					s.obey()
				}
				s := open(t, p.client(nil))
				speak(s, 0, 4800)
				c.finalize(s)
				speak(s, 4800, 9600)
				s.CloseSend()
				_, err := collect(s)
				wantEOF(t, err)
				if got := p.session(2).sawControls(); got != c.want {
					t.Errorf("the second connection saw %s, want %s", got, c.want)
				}
			})
		})
	}
}

func TestAnOutageLongerThanTheBufferIsOneGap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPeer(t)
		var down atomic.Bool
		p.dial = func(context.Context) error {
			if down.Load() {
				return errors.New("network is unreachable")
			}
			return nil
		}
		p.serve = func(n int, s *session) {
			if n == 1 {
				s.readUntil(samples(2 * time.Second))
				s.result(0, samples(time.Second), true, "before")
				down.Store(true)
				return
			}
			s.obey()
		}
		s := open(t, p.client(func(c *Config) { c.Buffer = 5 * time.Second }))
		speak(s, 0, samples(20*time.Second))
		down.Store(false)
		speak(s, samples(20*time.Second), samples(40*time.Second))
		s.CloseSend()
		messages, err := collect(s)
		wantEOF(t, err)
		got := gaps(messages)
		if len(got) != 1 || got[0].From != time.Second || got[0].To < 15*time.Second || got[0].To > 26*time.Second {
			t.Fatalf("got gaps %+v, want one from 1s to the oldest audio kept", got)
		}
		last := finals(messages)[1]
		if last.Start != got[0].To || last.End != 40*time.Second {
			t.Errorf("got the last final from %v to %v, want from the end of the gap %v to 40s", last.Start, last.End, got[0].To)
		}
		if lost := s.Stats().Gap; lost != got[0].To-got[0].From {
			t.Errorf("got %v counted as lost, want the gap's length", lost)
		}
	})
}

func TestASlowConnectionSkipsAudioAndKeepsTheTimesRight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPeer(t)
		p.serve = func(_ int, s *session) {
			s.readUntil(samples(time.Second))
			time.Sleep(4 * time.Second) // shorter than the write time-out, longer than the buffer
			s.obey()
		}
		s := open(t, p.client(func(c *Config) { c.Buffer = 2 * time.Second }))
		speak(s, 0, samples(8*time.Second))
		s.CloseSend()
		messages, err := collect(s)
		wantEOF(t, err)
		lost := gaps(messages)
		if len(lost) == 0 {
			t.Fatal("got no gap")
		}
		var want []byte
		from := 0
		for _, g := range lost {
			want = append(want, sound(from, samples(g.From)-from)...)
			from = samples(g.To)
		}
		want = append(want, sound(from, samples(8*time.Second)-from)...)
		if !bytes.Equal(p.session(1).heardAudio(), want) {
			t.Error("the recognizer did not hear exactly what lies outside of the gaps")
		}
		if got := finals(messages); len(got) != 1 || got[0].End != 8*time.Second {
			t.Errorf("got finals %+v, want one that ends at 8s", got)
		}
	})
}

func TestALongSilenceIsNotReplayed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPeer(t)
		p.serve = func(n int, s *session) {
			if n == 1 { // sends no results in silence, as some do
				s.readUntil(samples(40 * time.Second))
				return
			}
			s.obey()
		}
		s := open(t, p.client(nil))
		hush(s, samples(40*time.Second))
		speak(s, samples(40*time.Second), samples(42*time.Second))
		s.CloseSend()
		messages, err := collect(s)
		wantEOF(t, err)
		if got := s.Stats().Replayed; got > 5100*time.Millisecond {
			t.Errorf("%v of silence were replayed, want no more than 5s", got)
		}
		if got := finals(messages); len(got) != 1 || got[0].End != 42*time.Second {
			t.Errorf("got finals %+v, want one up to 42s", got)
		}
	})
}

func TestSpeechThatNeverBecameFinalIsReplayedHoweverLongTheSilenceAfterIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPeer(t)
		p.serve = func(n int, s *session) {
			if n == 1 {
				s.readUntil(samples(30 * time.Second))
				return
			}
			s.obey()
		}
		s := open(t, p.client(nil))
		speak(s, 0, samples(2*time.Second))
		hush(s, samples(30*time.Second))
		s.CloseSend()
		_, err := collect(s)
		wantEOF(t, err)
		if got := p.session(2).heardAudio(); !bytes.HasPrefix(got, sound(0, 16000)) {
			t.Error("the second connection did not hear the speech")
		}
	})
}

func TestHangingUpWhileDisconnectedStillDeliversTheLastWords(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPeer(t)
		var down atomic.Bool
		p.dial = func(context.Context) error {
			if down.Load() {
				return errors.New("network is unreachable")
			}
			return nil
		}
		p.serve = func(n int, s *session) {
			if n == 1 {
				s.readUntil(8000)
				down.Store(true)
				return
			}
			s.obey()
		}
		s := open(t, p.client(nil))
		speak(s, 0, samples(20*time.Second))
		s.CloseSend()
		time.Sleep(3 * time.Second)
		down.Store(false)
		messages, err := collect(s)
		wantEOF(t, err)
		if got := finals(messages); len(got) != 1 || got[0].Start != 0 || got[0].End != 20*time.Second {
			t.Errorf("got finals %+v, want one from 0 to 20s", got)
		}
	})
}

func TestAConnectionCutDuringTheDrainIsReplayed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPeer(t)
		p.serve = func(n int, s *session) {
			if n == 1 {
				for s.read() != "CloseStream" {
				}
				return
			}
			s.obey()
		}
		s := open(t, p.client(nil))
		speak(s, 0, 8000)
		s.CloseSend()
		messages, err := collect(s)
		wantEOF(t, err)
		if got := finals(messages); len(got) != 1 || got[0].Start != 0 || got[0].End != time.Second {
			t.Errorf("got finals %+v, want one from 0 to 1s", got)
		}
	})
}

func TestAConnectionCutDuringTheDrainIsDoneWhenOnlySilenceIsLeft(t *testing.T) {
	for _, test := range []struct {
		tail []byte
		want int
	}{{silence(600), 1}, {sound(0, 600), 2}} {
		synctest.Test(t, func(t *testing.T) {
			p := newPeer(t)
			p.serve = func(n int, s *session) {
				if n == 1 {
					for s.read() != "CloseStream" {
					}
					s.result(0, 8160, true, "all but the tail")
					return
				}
				s.obey()
			}
			s := open(t, p.client(nil))
			speak(s, 0, 8160)
			s.Write(test.tail)
			s.CloseSend()
			_, err := collect(s)
			wantEOF(t, err)
			if got := len(p.all()); got != test.want {
				t.Errorf("got %d connections, want %d", got, test.want)
			}
		})
	}
}

func TestResultsThatWereOnTheirWayWhenWritingFailedStillCount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPeer(t)
		p.serve = func(n int, s *session) {
			if n == 1 {
				s.readUntil(8000)
				time.Sleep(5100 * time.Millisecond) // the client's write has timed out
				s.result(0, 8000, true, "late")
				s.close(1011, "overloaded")
				return
			}
			s.obey()
		}
		var log strings.Builder
		s := open(t, p.client(func(c *Config) { c.Logger = slog.New(slog.NewTextHandler(&log, nil)) }))
		speak(s, 0, 24000)
		time.Sleep(5 * time.Second)
		s.CloseSend()
		messages, err := collect(s)
		wantEOF(t, err)
		got := finals(messages)
		if len(got) != 2 || got[0].Transcript != "late" || got[1].Start != time.Second {
			t.Errorf("got finals %+v, want late, and another from 1s on", got)
		}
		if !strings.Contains(log.String(), "connection closed with code 1011") {
			t.Errorf("the log does not give the server's code:\n%s", log.String())
		}
	})
}

// expanded returns the linear16 audio at 16000 Hz of a source, as the peer stores it.
func expanded(t *testing.T, mulaw []byte) []byte {
	t.Helper()
	e, err := codec.NewExpander(16000)
	if err != nil {
		t.Fatal(err)
	}
	pcm := e.Append(nil, mulaw)
	heard := make([]byte, len(pcm)/2)
	for i := range heard {
		codec.EncodeMuLaw(heard[i:i+1], []int16{int16(pcm[2*i]) | int16(pcm[2*i+1])<<8})
	}
	return heard
}

func TestTimesStayOnTheSourceLineAt16kHz(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPeer(t)
		p.serve = func(n int, s *session) {
			s.readUntil(16000) // the peer counts wire samples: one second
			s.say(`{"type":"Results","start":0.5,"duration":0.25,"is_final":true,"channel":{"alternatives":[{"transcript":"a"}]}}`)
			if n == 1 {
				return
			}
			s.obey()
		}
		s := open(t, p.client(func(c *Config) { c.SampleRate = 16000 }))
		speak(s, 0, 24000)
		s.CloseSend()
		messages, err := collect(s)
		wantEOF(t, err)
		got := finals(messages)
		if want := expanded(t, sound(samples(got[0].End), 8000)); !bytes.HasPrefix(p.session(2).heardAudio(), want) {
			t.Error("the second connection's audio does not begin as if it were the first")
		}
		// The codec delays by 2.0625 ms, which must not show in the times; W is cut to a sample of 0.125 ms.
		const delay = 2062500 * time.Nanosecond
		if got[0].Start != 500*time.Millisecond-delay || got[0].End != 750*time.Millisecond-delay {
			t.Errorf("got the first final from %v to %v, want 500 and 750 ms less the codec's delay", got[0].Start, got[0].End)
		}
		want := 500*time.Millisecond - delay + got[0].End.Truncate(sampleTime)
		if got[1].Start != want {
			t.Errorf("got the second final from %v, want %v", got[1].Start, want)
		}
	})
}
