package webhooks

import (
	"fmt"
	"runtime"
	"testing"
	"testing/synctest"
	"time"
)

// fill queues n lanes of a priority.
func fill(g *gate, c priority, n int) {
	for range n {
		g.push(&lane{}, c)
	}
}

// take admits all lanes that may send now and counts them by priority.
func take(g *gate) (n [priorities]int) {
	for l := g.next(time.Now()); l != nil; l = g.next(time.Now()) {
		n[l.slotPriority]++
	}
	return n
}

func TestTheGateAdmitsUrgentLanesFirst(t *testing.T) {
	for _, c := range []struct {
		name        string
		busy, ready [priorities]int
		want        [priorities]int
	}{
		{"few", [priorities]int{}, [priorities]int{1, 2, 3, 4}, [priorities]int{1, 2, 3, 4}},
		{"live before late", [priorities]int{}, [priorities]int{60, 0, 60, 0}, [priorities]int{60, 0, 4, 0}},
		{"fresh before failing", [priorities]int{}, [priorities]int{60, 60, 0, 0}, [priorities]int{60, 4, 0, 0}},
		{"failing lanes leave a quarter", [priorities]int{}, [priorities]int{0, 100, 0, 100}, [priorities]int{0, 48, 0, 0}},
		{"failing late lanes have a quarter", [priorities]int{}, [priorities]int{0, 0, 0, 100}, [priorities]int{0, 0, 0, 16}},
		{"all failing lanes leave a quarter", [priorities]int{0, 0, 0, 16}, [priorities]int{0, 100, 0, 0}, [priorities]int{0, 32, 0, 0}},
		{"late lanes may have all", [priorities]int{}, [priorities]int{0, 0, 100, 0}, [priorities]int{0, 0, 64, 0}},
		{"late lanes have a quarter while live ones wait", [priorities]int{0, 0, 0, 10}, [priorities]int{0, 100, 100, 0}, [priorities]int{0, 38, 6, 0}},
		{"no more than the limit", [priorities]int{}, [priorities]int{100, 100, 100, 100}, [priorities]int{64, 0, 0, 0}},
		{"none when all are taken", [priorities]int{0, 0, 64, 0}, [priorities]int{1, 1, 1, 1}, [priorities]int{}},
	} {
		g := &gate{limit: 64, busy: c.busy}
		for k := range priorities {
			fill(g, k, c.ready[k])
		}
		if got := take(g); got != c.want {
			t.Errorf("%s: got %v through, want %v", c.name, got, c.want)
		}
		for k := range priorities {
			if got, want := len(g.ready[k]), c.ready[k]-c.want[k]; got != want {
				t.Errorf("%s: priority %d: got %d left, want %d", c.name, k, got, want)
			}
		}
	}
}

func TestAGateWithOneSlotAdmitsEveryPriority(t *testing.T) {
	for limit := 1; limit <= 4; limit++ {
		for k := range priorities {
			g := &gate{limit: limit}
			fill(g, k, 10)
			passed := 0
			for range 10 {
				for _, n := range take(g) {
					passed += n
					for range n {
						g.done(k)
					}
				}
			}
			if passed != 10 {
				t.Errorf("limit %d, priority %d: got %d lanes through, want 10", limit, k, passed)
			}
		}
	}
}

func TestAPauseIsNeverShortenedByAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &gate{limit: 64}
		fill(g, liveFresh, 1)
		g.pause(time.Now(), 10*second)
		g.pause(time.Now(), second)
		pass(9 * second)
		if g.next(time.Now()) != nil {
			t.Error("the gate is open within its pause")
		}
		pass(second)
		if g.next(time.Now()) == nil {
			t.Error("the gate is shut after its pause")
		}
	})
}

func TestNoMoreThanTheLimitIsUnderWayAtOnce(t *testing.T) {
	for _, limit := range []int{0, 1, 7} { // 0 is 64
		synctest.Test(t, func(t *testing.T) {
			tr := newTransportOf(func(shot) reply { return reply{status: 200, after: second} })
			e := Endpoint{Name: "main", URL: "http://endpoint.test", Secrets: []Secret{testSecret}, Concurrency: limit}
			r := rigged(t, Config{Transport: tr, Endpoints: []Endpoint{e}})
			for i := range 200 {
				r.journal.append(fmt.Sprint("call", i), started)
			}
			pass(500 * ms)
			want := limit
			if want == 0 {
				want = 64
			}
			if got := len(tr.seen()); got != want {
				t.Errorf("limit %d: got %d requests at once, want %d", limit, got, want)
			}
			r.drain(t)
			if got := len(tr.seen()); got != 200 {
				t.Errorf("limit %d: got %d requests in all, want 200", limit, got)
			}
		})
	}
}

func TestLanesThatAreIdleOrWaitingHaveNoGoroutine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := newTransportOf(func(s shot) reply {
			if s.n == 1 {
				return reply{status: 200}
			}
			return reply{status: 500}
		})
		r := rigged(t, Config{Transport: tr})
		pass(0)
		before := runtime.NumGoroutine()
		for i := range 1000 {
			r.journal.append(fmt.Sprint("call", i), started)
			if i%2 == 0 {
				r.journal.append(fmt.Sprint("call", i), said) // fails and waits
			}
		}
		pass(100 * ms)
		if after := runtime.NumGoroutine(); after > before+10 {
			t.Errorf("got %d goroutines with 1000 lanes, %d without", after, before)
		}
		if got := len(tr.seen()); got != 1500 {
			t.Errorf("got %d requests, want 1500", got)
		}
	})
}
