package webhooks

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"aldeabridge/events"
)

const (
	ms     = time.Millisecond
	second = time.Second
	minute = time.Minute
	hour   = time.Hour
)

func TestLiveRetriesComeFastAndThenEveryFiveSeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := newTransportOf(always(500))
		r := rigged(t, Config{Transport: tr})
		r.journal.append("A", started)
		pass(24 * second)
		wantTimes(t, tr.times(), 0, 250*ms, 750*ms, 1750*ms, 3750*ms, 7750*ms, 12750*ms, 17750*ms, 22750*ms)
		for i, s := range tr.seen() {
			if s.attempt != fmt.Sprint(i+1) {
				t.Errorf("request %d: got bridge-attempt %s", i+1, s.attempt)
			}
		}
	})
}

func TestTheDelayStartsWhenTheAttemptEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := newTransportOf(func(shot) reply { return reply{status: 500, after: 3 * second} })
		r := rigged(t, Config{Transport: tr})
		r.journal.append("A", started)
		pass(8 * second)
		wantTimes(t, tr.times(), 0, 3250*ms, 6750*ms)
	})
}

func TestALaneThatFirstFailsLateHasTenAttempts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := newTransportOf(always(500))
		r := rigged(t, Config{Transport: tr})
		r.journal.append("A", ended)
		r.drain(t)
		wantTimes(t, tr.times(), append([]time.Duration{0},
			sums(0, 5*second, 30*second, 2*minute, 10*minute, 30*minute, 2*hour, 5*hour, 10*hour, 10*hour)...)...)
		if last := tr.times()[9]; last != 27*hour+42*minute+35*second {
			t.Errorf("got the last attempt after %s, want 27h42m35s", last)
		}
		r.wantStates(t, "dead:exhausted")
	})
}

func TestTheEndOfACallPutsAFailingLaneOnTheFirstLateStep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := newTransportOf(always(500))
		r := rigged(t, Config{Transport: tr})
		r.journal.append("A", started)
		pass(8 * second) // the last attempt was at 7.75 s
		r.journal.append("A", ended)
		pass(3 * minute)
		want := append([]time.Duration{0, 250 * ms, 750 * ms, 1750 * ms, 3750 * ms, 7750 * ms}, sums(7750*ms, 5*second, 30*second, 2*minute)...)
		wantTimes(t, tr.times(), want...)
	})
}

func TestACallThatEndsDuringAnAttemptGoesLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := newTransportOf(func(shot) reply { return reply{status: 500, after: second} })
		r := rigged(t, Config{Transport: tr})
		r.journal.append("A", started)
		pass(500 * ms)
		r.journal.append("A", ended)
		pass(minute)
		wantTimes(t, tr.times(), 0, 6*second, 37*second)
	})
}

func TestACallThatEndsWhileAnAttemptIsObservedGoesLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := newTransportOf(always(500))
		r := rigged(t, Config{Transport: tr, Observe: func(a Attempt) {
			if a.Number == 1 {
				time.Sleep(100 * ms)
			}
		}})
		r.journal.append("A", started)
		pass(50 * ms)
		r.journal.append("A", ended)
		pass(minute)
		wantTimes(t, tr.times(), 0, 5*second, 35*second)
	})
}

func TestALaneThatDeliveredIsNotFailingAnyMore(t *testing.T) {
	now := time.Now()
	l := lane{streams: 1, newest: now, queue: make([]item, 1)}
	l.decide(outcome{status: 500, end: now}, false, exactly)
	if got := l.priority(now); got != liveRetry {
		t.Errorf("got class %d after a failure, want %d", got, liveRetry)
	}
	l.decide(outcome{verdict: delivered, end: now}, false, exactly)
	if got := l.priority(now); got != liveFresh {
		t.Errorf("got class %d after a delivery, want %d", got, liveFresh)
	}
	if got := l.priority(now.Add(maxCall)); got != lateFresh {
		t.Errorf("got class %d after %s of silence, want %d", got, maxCall, lateFresh)
	}
}

func TestACallThatIsBackUpIsRetriedLikeALiveOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := newTransportOf(always(500))
		r := rigged(t, Config{Transport: tr})
		r.journal.append("A", ended)
		pass(hour) // the next attempt would be hours away
		before := len(tr.seen())
		r.journal.append("A", started)
		pass(2 * second)
		wantTimes(t, tr.times()[before:], hour, hour+500*ms, hour+1500*ms)
	})
}

func TestACallIsUpUntilTheLastOfItsStreamsHasEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := newTransportOf(always(500))
		r := rigged(t, Config{Transport: tr})
		r.journal.append("A", started)
		r.journal.append("A", started) // the carrier came back: a second stream, while the first is drained
		pass(8 * second)
		r.journal.append("A", ended) // of the first
		pass(5 * second)
		r.journal.append("A", ended) // of the second
		pass(minute)
		wantTimes(t, tr.times(), 0, 250*ms, 750*ms, 1750*ms, 3750*ms, 7750*ms, 12750*ms, 17750*ms, 47750*ms)
	})
}

func TestAStreamWithoutAStartEventIsUpAndEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := rigged(t, Config{Transport: newTransportOf(always(200))})
		up := func() bool {
			main := r.d.receivers[0]
			main.mu.Lock()
			defer main.mu.Unlock()
			return main.lanes["A"] != nil && main.lanes["A"].up(time.Now())
		}
		for i, step := range []struct {
			what []events.Type
			up   bool
		}{
			{[]events.Type{said}, true},
			{[]events.Type{said, said, ended}, false},
			{[]events.Type{ended, ended, started}, true}, // earlier ends are not subtracted
			{[]events.Type{ended}, false},
		} {
			for _, kind := range step.what {
				r.journal.append("A", kind)
			}
			r.drain(t)
			if got := up(); got != step.up {
				t.Errorf("step %d: got up %v, want %v", i+1, got, step.up)
			}
		}
	})
}

func TestACallWithoutAnEndIsNotRetriedIndefinitely(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := newTransportOf(always(500))
		r := rigged(t, Config{Transport: tr})
		r.journal.append("A", started)
		r.drain(t)
		r.wantStates(t, "dead:exhausted")
		if at := tr.times()[len(tr.times())-1]; at < 33*hour || at > 34*hour {
			t.Errorf("got the last attempt after %s, want 6 hours of live retries and the late schedule", at)
		}
	})
}

func TestAnySuccessSetsTheLaneBackToTheFirstStep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := newTransportOf(func(s shot) reply {
			if s.attempt == "4" {
				return reply{status: 204}
			}
			return reply{status: 500}
		})
		r := rigged(t, Config{Transport: tr})
		r.journal.append("A", started)
		r.journal.append("A", said)
		pass(4 * second)
		wantTimes(t, tr.times(), 0, 250*ms, 750*ms, 1750*ms, 1750*ms, 2*second, 2500*ms, 3500*ms)
		r.wantStates(t, "delivered", "delivered")
	})
}

func TestTheStepCountsForTheLaneNotForTheEvent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := newTransportOf(func(s shot) reply {
			if s.n == 1 && s.attempt == "3" {
				return reply{status: 500, header: http.Header{"Webhook-Delivery": {"abort-message"}}}
			}
			return reply{status: 500}
		})
		r := rigged(t, Config{Transport: tr})
		r.journal.append("A", started)
		r.journal.append("A", said)
		pass(4 * second)
		// The second event's first failure takes the lane's third step.
		wantTimes(t, tr.times(), 0, 250*ms, 750*ms, 750*ms, 1750*ms, 3750*ms)
		r.wantStates(t, "dead:aborted_by_receiver")
	})
}

func TestEventsBehindAnExhaustedHeadGetOneAttemptEach(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := newTransportOf(func(s shot) reply {
			switch s.n {
			case 3:
				return reply{status: 422}
			case 4:
				return reply{status: 200}
			}
			return reply{status: 500}
		})
		r := rigged(t, Config{Transport: tr})
		for range 4 {
			r.journal.append("A", said)
		}
		r.journal.append("A", ended)
		r.drain(t)
		const end = 27*hour + 42*minute + 35*second
		// The first died after its tenth late attempt; 2 and 3 had one; 4 arrived, and 5 has the whole schedule.
		got := tr.seen()
		var tail []time.Duration
		for _, s := range got[9:14] {
			tail = append(tail, s.at)
		}
		wantTimes(t, tail, end, end, end, end, end)
		r.wantStates(t, "dead:exhausted", "dead:exhausted", "dead:rejected", "delivered", "dead:exhausted")
		if last := got[len(got)-1]; last.n != 5 || last.attempt != "10" || last.at != 2*end {
			t.Errorf("got last request %+v, want the tenth of event 5 after %s", last, 2*end)
		}
	})
}

func TestACallThatComesUpAgainHasItsRetriesBack(t *testing.T) {
	const end = 27*hour + 42*minute + 35*second
	synctest.Test(t, func(t *testing.T) {
		tr := newTransportOf(func(s shot) reply {
			if s.n == 2 && s.attempt == "1" {
				return reply{status: 500, after: 10 * second}
			}
			return reply{status: 500}
		})
		r := rigged(t, Config{Transport: tr})
		r.journal.append("A", ended)
		r.journal.append("A", ended) // would get one attempt behind the exhausted one
		pass(end + second)
		before := len(tr.seen())
		r.journal.append("A", started) // that attempt is under way
		pass(11 * second)
		r.wantStates(t, "dead:exhausted", "")
		wantTimes(t, tr.times()[before:], sums(end+10*second, 250*ms, 500*ms, second)...)
	})
}

func TestRejectedEventsGetTwoMoreAttempts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := newTransportOf(func(s shot) reply {
			if s.n == 1 {
				return reply{status: 422}
			}
			return reply{status: 200}
		})
		r := rigged(t, Config{Transport: tr})
		r.journal.append("A", started)
		r.journal.append("A", said)
		pass(minute)
		wantTimes(t, tr.times(), 0, 2*second, 12*second, 12*second)
		r.wantStates(t, "dead:rejected", "delivered")
	})
}

func TestRejectionsCountAlsoBetweenOtherFailures(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		statuses := []int{400, 500, 400, 500, 400}
		var next int
		tr := newTransportOf(func(shot) reply { next++; return reply{status: statuses[next-1]} })
		r := rigged(t, Config{Transport: tr})
		r.journal.append("A", started)
		pass(minute)
		wantTimes(t, tr.times(), 0, 2*second, 2250*ms, 12250*ms, 12750*ms)
		r.wantStates(t, "dead:rejected")
	})
}

func TestAResetIsRepeatedOnceAtOnceAndNotCounted(t *testing.T) {
	for _, fault := range []error{syscall.ECONNRESET, syscall.EPIPE, syscall.ECONNREFUSED, io.EOF, io.ErrUnexpectedEOF, io.ErrClosedPipe} {
		synctest.Test(t, func(t *testing.T) {
			tr := newTransportOf(func(shot) reply { return reply{err: fault, after: 999 * ms} })
			r := rigged(t, Config{Transport: tr})
			r.journal.append("A", started)
			pass(4 * second)
			wantTimes(t, tr.times(), 0, 999*ms, 2*999*ms+250*ms, 3*999*ms+750*ms)
			var numbers string
			for _, s := range tr.seen() {
				numbers += s.attempt
			}
			if numbers != "1123" {
				t.Errorf("%v: got attempts %s, want 1123", fault, numbers)
			}
		})
	}
}

func TestALateResetIsAnOrdinaryFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := newTransportOf(func(shot) reply { return reply{err: syscall.ECONNRESET, after: second} })
		r := rigged(t, Config{Transport: tr})
		r.journal.append("A", started)
		pass(2 * second)
		wantTimes(t, tr.times(), 0, 1250*ms)
	})
}

func TestAttemptsTimeOutSoonerWhileTheCallIsUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := newTransportOf(func(shot) reply { return reply{status: 200, after: hour} })
		var seen []Attempt
		r := rigged(t, Config{Transport: tr, Observe: func(a Attempt) { seen = append(seen, a) }})
		r.journal.append("A", started)
		pass(10*second + ms)
		r.journal.append("A", ended) // the next attempt is late: 5 s after the first, and lasts 15 s
		pass(21 * second)
		r.stop()
		wantTimes(t, tr.times(), 0, 15*second)
		if len(seen) != 2 || seen[0].Latency != 10*second || seen[1].Latency != 15*second || seen[0].Class != ClassTimeout {
			t.Errorf("got %+v, want time-outs after 10 s and 15 s", seen)
		}
	})
}

func TestJitterStaysWithinAFifth(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := newTransportOf(always(404)) // does not open the breaker
		r := rigged(t, Config{Transport: tr, Jitter: jitter})
		for i := range 50 {
			r.journal.append(fmt.Sprint("call", i), ended)
		}
		r.drain(t)
		byCall := make(map[string][]time.Duration)
		for _, s := range tr.seen() {
			byCall[s.call] = append(byCall[s.call], s.at)
		}
		var factors []float64
		for call, at := range byCall {
			if len(at) != 10 {
				t.Fatalf("%s: got %d attempts, want 10", call, len(at))
			}
			for i, d := range lateDelays {
				f := float64(at[i+1]-at[i]) / float64(d)
				if f < 0.8 || f > 1.2 {
					t.Errorf("%s: got a wait of %s where %s is the step", call, at[i+1]-at[i], d)
				}
				factors = append(factors, f)
			}
		}
		if low, high := slices.Min(factors), slices.Max(factors); low > 0.85 || high < 1.15 {
			t.Errorf("got factors from %.2f to %.2f, want them spread over 0.8 to 1.2", low, high)
		}
	})
}
