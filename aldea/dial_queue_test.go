package aldea

import (
	"errors"
	"testing"
	"time"
)

// twoHosts is a guard of two hosts, with a stream.
func twoHosts() (*guard, *waiter, time.Time) {
	now := time.Now()
	g := newGuard([]*host{{mode: ModeHealthy}, {index: 1, mode: ModeHealthy}}, 0, nil)
	return g, g.join(now), now
}

func TestTheFirstHostThatWorksIsChosen(t *testing.T) {
	later := time.Now().Add(time.Hour)
	tests := map[string]struct {
		change func(one, two *host, w *waiter)
		want   int // -1 is to wait
	}{
		"both work":                     {func(_, _ *host, _ *waiter) {}, 0},
		"the first just failed it":      {func(_, _ *host, w *waiter) { w.tried[0] = true }, 1},
		"both just failed it":           {func(_, _ *host, w *waiter) { w.tried[0], w.tried[1] = true, true }, 0},
		"the first refuses it":          {func(_, _ *host, w *waiter) { w.barred[0] = true }, 1},
		"both refuse it":                {func(_, _ *host, w *waiter) { w.barred[0], w.barred[1] = true, true }, -1},
		"the first failed once":         {func(one, _ *host, _ *waiter) { one.failures = 1 }, 0},
		"the first fails":               {func(one, _ *host, _ *waiter) { one.failures = 2 }, 1},
		"the first is held":             {func(one, _ *host, _ *waiter) { one.heldUntil = later }, 1},
		"the first stalls":              {func(one, _ *host, _ *waiter) { one.leftUntil = later }, 1},
		"the first has all it can take": {func(one, _ *host, _ *waiter) { one.dialing = maxDials }, 1},
		"both fail":                     {func(one, two *host, _ *waiter) { one.failures, two.failures = 3, 3 }, 0},
		"the second fails, the first has all it can take": {func(one, two *host, _ *waiter) { one.dialing, two.failures = maxDials, 3 }, -1},
		"both are held": {func(one, two *host, _ *waiter) { one.heldUntil, two.heldUntil = later, later }, -1},
	}
	for name, test := range tests {
		g, w, now := twoHosts()
		test.change(g.hosts[0], g.hosts[1], w)
		got := -1
		if h := g.choose(w, now); h != nil {
			got = h.index
		}
		if got != test.want {
			t.Errorf("%s: got host %d, want %d", name, got, test.want)
		}
	}
}

func TestATurnThatIsNotTakenIsGivenBack(t *testing.T) {
	g, w, now := twoHosts()
	g.ask(w, now)
	g.withdraw(w)
	if h := g.hosts[0]; h.dialing != 0 || h.dials != 0 || len(w.turn) != 0 || len(g.waiting) != 0 {
		t.Errorf("got %+v, want no attempt under way", h)
	}
}

func TestASuccessForgetsWhatJustFailed(t *testing.T) {
	g, w, now := twoHosts()
	w.tried[0] = true
	g.ask(w, now)
	g.dialled(w, <-w.turn, nil, now)
	if w.tried[0] || g.hosts[1].open != 1 {
		t.Error("the first host counts as having failed, still")
	}
}

func TestConnectionsThatDoNotLastAreFailures(t *testing.T) {
	for how, want := range map[parting]Mode{partingEarly: ModeOutage, partingStall: ModeOutage, partingLoss: ModeHealthy, partingEnd: ModeHealthy} {
		g, _, now := twoHosts()
		for range outageFailures {
			g.parted(g.hosts[0], how, now)
		}
		if got := g.hosts[0].mode; got != want {
			t.Errorf("parting %d: got %s, want %s", how, got, want)
		}
	}
}

func TestWhatOneStreamCannotBearIsNoReasonForTheOthers(t *testing.T) {
	for _, everybody := range []bool{false, true} {
		g, w, now := twoHosts()
		if !g.bar(w, g.hosts[0], everybody, now) {
			t.Error("no host is left, want the second")
		}
		if got := g.hosts[0].trusted(now); got == everybody {
			t.Errorf("everybody %v: trusted %v", everybody, got)
		}
		if g.bar(w, g.hosts[1], everybody, now) {
			t.Error("a host is left, want none")
		}
	}
}

func TestMovesAreSpacedAndComeAfterThoseWhoWait(t *testing.T) {
	g, w, now := twoHosts()
	from := g.hosts[1]
	if !g.mayMove(w, from, now) || !w.tried[1] {
		t.Error("a stream may not move to a host that works, or would go back at once")
	}
	if g.mayMove(w, from, now) {
		t.Error("two may move at once")
	}
	now = now.Add(time.Second / recoveryRate)
	if !g.mayMove(w, from, now) {
		t.Error("the next may not move in its turn")
	}
	now = now.Add(time.Second)
	g.waiting = append(g.waiting, g.join(now))
	if g.mayMove(w, from, now) {
		t.Error("a stream may move before one that waits")
	}
	g.waiting = nil
	g.hosts[0].failures = 1
	if g.mayMove(w, from, now) {
		t.Error("a stream may move to a host that just failed")
	}
	g.hosts[0].failures = 0
	g.note(g.hosts[0], errors.New("refused"), false, now)
	if g.mayMove(w, from, now) {
		t.Error("a stream may move to a host that just failed")
	}
}
