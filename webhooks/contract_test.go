package webhooks

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// failures records n failed attempts of several lanes in turn, spread evenly over a time.
func failures(b *breaker, from time.Time, n, lanes int, over time.Duration) {
	all := make([]lane, lanes)
	for i := range n {
		at := from.Add(over * time.Duration(i) / time.Duration(max(1, n-1)))
		b.record(&all[i%lanes], outcome{status: 500, start: at, end: at})
	}
}

func TestTheBreakerOpensAtTwentyFailuresOfTwoLanesOverTenSeconds(t *testing.T) {
	now := time.Now()
	success, notFound := outcome{verdict: delivered, status: 200, start: now, end: now}, outcome{status: 404, start: now, end: now}
	for _, c := range []struct {
		name string
		do   func(b *breaker)
		open bool
	}{
		{"just enough", func(b *breaker) { failures(b, now, 20, 2, 10*second) }, true},
		{"one failure less", func(b *breaker) { failures(b, now, 19, 2, hour) }, false},
		{"one lane", func(b *breaker) { failures(b, now, 100, 1, hour) }, false},
		{"too soon", func(b *breaker) { failures(b, now, 100, 50, 10*second-ms) }, false},
		{"not in a row", func(b *breaker) {
			failures(b, now, 19, 2, minute)
			b.record(&lane{}, success)
			failures(b, now, 19, 2, minute)
		}, false},
		{"others do not count", func(b *breaker) {
			failures(b, now, 19, 2, minute)
			for range 50 {
				b.record(&lane{}, notFound)
			}
		}, false},
		{"others do not break the row", func(b *breaker) {
			failures(b, now, 19, 2, minute)
			b.record(&lane{}, notFound)
			failures(b, now.Add(minute), 1, 1, 0)
		}, true},
	} {
		var b breaker
		if c.do(&b); b.open != c.open {
			t.Errorf("%s: got open %t, want %t", c.name, b.open, c.open)
		}
	}
}

func TestFailuresOfTheEndpointAsAWholeCountForTheBreaker(t *testing.T) {
	now := time.Now()
	count := func(status int, header http.Header) bool {
		v, _ := judge(status, header, now)
		return outcome{verdict: v, status: status}.isEndpointFailure()
	}
	for _, status := range []int{500, 501, 502, 503, 504, 599} {
		if !count(status, http.Header{}) {
			t.Errorf("%d does not count", status)
		}
	}
	for _, status := range []int{200, 301, 400, 401, 403, 404, 407, 408, 409, 410, 422, 425, 429} {
		if count(status, http.Header{}) {
			t.Errorf("%d counts", status)
		}
	}
	if count(503, http.Header{"Retry-After": {"7"}}) {
		t.Error("503 with Retry-After counts")
	}
	for _, class := range []Class{ClassDNS, ClassRefused, ClassReset, ClassTLS, ClassTimeout} {
		if !(outcome{class: class, err: errors.New("failed")}).isEndpointFailure() {
			t.Errorf("%s does not count", class)
		}
	}
}

func TestAFailingEndpointIsProbedOnTheLateStepsUntilEventsExpire(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const calls = 20
		tr := newTransportOf(always(500))
		r := rigged(t, Config{Transport: tr})
		for i := range calls {
			r.journal.append(fmt.Sprint("call", i), said)
			r.journal.append(fmt.Sprint("call", i), ended)
		}
		pass(36 * second) // the third attempts, after 35 s, opened it
		if got := r.d.Status()[0].State; got != EndpointFailing {
			t.Fatalf("got %s, want failing", got)
		}
		before := len(tr.seen())
		pass(72*hour - 36*second)
		probes := sums(35*second, 5*second, 30*second, 2*minute, 10*minute, 30*minute, 2*hour, 5*hour, 10*hour, 10*hour, 10*hour, 10*hour, 10*hour, 10*hour)
		wantTimes(t, tr.times()[before:], probes...)
		if got := r.journal.settled(); got != 0 {
			t.Errorf("got %d settled after 72 h, want none", got)
		}
		pass(minute) // expired events are searched every hour
		if got := r.journal.count(ReasonExpired.State()); got != 2*calls {
			t.Errorf("got %d expired after 72 h, want all %d", got, 2*calls)
		}
	})
}

func TestTheProbeIsTheLiveLaneThatWaitsLongest(t *testing.T) {
	now := time.Now()
	l := func(since time.Duration, streams int, failing bool) *lane {
		return &lane{since: now.Add(-since), streams: streams, newest: now, failing: failing, queue: make([]item, 1)}
	}
	again := l(hour, 0, false)
	again.redelivers = true
	byRank := []*lane{l(2*second, 1, false), l(second, 1, false), l(minute, 1, true), l(5*minute, 0, false), l(hour, 0, true), again}
	g := &gate{limit: 64}
	for i := len(byRank) - 1; i >= 0; i-- {
		g.push(byRank[i], byRank[i].priority(now))
	}
	for n, want := range byRank {
		c, i, ok := g.longestWaiting(now)
		if !ok {
			t.Fatalf("got none as number %d", n+1)
		}
		if got := g.admit(c, i); got != want {
			t.Errorf("number %d: got the lane that waits since %s, want that since %s", n+1, got.since, want.since)
		}
	}
}

func TestTenLanesAreAdmittedAtFirstAndTwiceAsManyEachSecond(t *testing.T) {
	now := time.Now()
	r := slowStart{began: now}
	for after, want := range map[time.Duration]int{0: 10, 999 * ms: 10, second: 20, 2 * second: 40} {
		if got := r.limit(64, now.Add(after)); got != want {
			t.Errorf("after %s: got %d, want %d", after, got, want)
		}
	}
	if got := r.limit(64, now.Add(3*second)); got != 64 || !r.began.IsZero() {
		t.Errorf("after 3 s: got %d, want all 64 from then on", got)
	}
	if got := (&slowStart{}).limit(64, now); got != 64 {
		t.Errorf("without an opening: got %d, want all 64", got)
	}
}

func TestAnEndpointIsDisabledAfterThreeDaysAndTwentyAttempts(t *testing.T) {
	now := time.Now()
	for _, c := range []struct {
		attempts int
		over     time.Duration
		want     bool
	}{{20, 72 * hour, true}, {19, 720 * hour, false}, {1000, 72*hour - second, false}} {
		var b breaker
		if failures(&b, now, c.attempts, 1, c.over); b.shouldDisable(now.Add(c.over)) != c.want {
			t.Errorf("%d attempts over %s: got disabled %t, want %t", c.attempts, c.over, !c.want, c.want)
		}
		b.record(&lane{}, outcome{verdict: delivered, end: now.Add(c.over)})
		if b.shouldDisable(now.Add(2 * c.over)) {
			t.Errorf("%d attempts over %s, then a 2xx: got disabled", c.attempts, c.over)
		}
	}
}

func TestRedeliveriesUseAQuarterOfTheSlots(t *testing.T) {
	for _, c := range []struct {
		name        string
		ready, want [priorities]int
	}{
		{"alone", [priorities]int{redelivered: 100}, [priorities]int{redelivered: 16}},
		{"after late ones", [priorities]int{lateFresh: 60, redelivered: 100}, [priorities]int{lateFresh: 60, redelivered: 4}},
		{"while live ones wait", [priorities]int{liveFresh: 40, liveRetry: 100, lateFresh: 10, redelivered: 100}, [priorities]int{liveFresh: 40, liveRetry: 24}},
	} {
		g := &gate{limit: 64}
		for k := range priorities {
			fill(g, k, c.ready[k])
		}
		if got := take(g); got != c.want {
			t.Errorf("%s: got %v through, want %v", c.name, got, c.want)
		}
	}
}

func TestEveryDelayIsMultipliedByItsFactor(t *testing.T) {
	for _, c := range []struct {
		name   string
		script func(shot) reply
		want   []time.Duration // gaps
	}{
		{"live", always(500), []time.Duration{300 * ms, 600 * ms, 1200 * ms, 2400 * ms, 4800 * ms, 6 * second, 6 * second}},
		{"rejected", always(422), []time.Duration{2400 * ms, 12 * second}},
		{"paused", func(shot) reply { return reply{status: 429} }, []time.Duration{300 * ms, 600 * ms, 1200 * ms}},
	} {
		synctest.Test(t, func(t *testing.T) {
			tr := newTransportOf(c.script)
			r := rigged(t, Config{Transport: tr, Jitter: func() float64 { return 1.2 }})
			r.journal.append("A", started)
			pass(25 * second)
			if got, want := tr.times(), append([]time.Duration{0}, sums(0, c.want...)...); len(got) < len(want) || fmt.Sprint(got[:len(want)]) != fmt.Sprint(want) {
				t.Errorf("%s: got requests at %v\nwant                  %v", c.name, got, want)
			}
		})
	}
}

func TestConnectingMayTakeThreeSeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var seen []Attempt
		r := rigged(t, Config{
			Dial:    func(ctx context.Context, _, _ string) (net.Conn, error) { <-ctx.Done(); return nil, ctx.Err() },
			Observe: func(a Attempt) { seen = append(seen, a) },
		})
		r.journal.append("A", ended)
		pass(4 * second)
		r.stop()
		if len(seen) != 1 || seen[0].Latency != 3*second || seen[0].Class != ClassTimeout {
			t.Errorf("got %+v, want a time-out after 3 s", seen)
		}
	})
}

func TestTheTimeOutIsOneToThirtySeconds(t *testing.T) {
	for timeout, ok := range map[time.Duration]bool{0: true, second - 1: false, second: true, 30 * second: true, 30*second + 1: false, -second: false} {
		err := Endpoint{Name: "main", Timeout: timeout}.check()
		if (err == nil) != ok || err != nil && !strings.Contains(err.Error(), "time-out") {
			t.Errorf("%s: got %v", timeout, err)
		}
	}
}
