package media

import (
	"testing"
	"testing/synctest"
	"time"
)

func TestTicksOfAllStreamsFallTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		zero := time.Now()
		p := pace{zero: zero}
		time.Sleep(7 * time.Millisecond) // the stream begins off the grid
		for _, step := range []struct {
			busy, after, want time.Duration // the tick should be at want after zero
		}{
			{0, 60 * time.Millisecond, 10 * time.Millisecond}, // the first comes soon
			{0, 60 * time.Millisecond, 70 * time.Millisecond},
			{3 * time.Millisecond, 60 * time.Millisecond, 130 * time.Millisecond}, // work does not delay the next
			{0, 10 * time.Millisecond, 140 * time.Millisecond},
			{24 * time.Millisecond, 10 * time.Millisecond, 170 * time.Millisecond}, // what is missed is not made up for
			{0, 0, 180 * time.Millisecond},
			{0, 13 * time.Millisecond, 190 * time.Millisecond}, // off the grid is rounded down
		} {
			time.Sleep(step.busy)
			time.Sleep(p.next(step.after))
			if got := time.Since(zero); got != step.want {
				t.Fatalf("tick at %v, want %v", got, step.want)
			}
		}
	})
}

func TestTicksAreShortWhileThePromptPlays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st := &Stream{limits: limits{tick: 100 * time.Millisecond}}
		tick := func(want time.Duration, when string) {
			t.Helper()
			if got := st.wait(); got != want {
				t.Errorf("a tick of %v %s, want %v", got, when, want)
			}
		}
		tick(100*time.Millisecond, "before anything was sent")
		st.out.playout.add(8000, time.Now())
		st.out.playout.add(8000, time.Now())
		time.Sleep(2*time.Second + playoutMargin - 1)
		tick(10*time.Millisecond, "while the caller may hear the end")
		time.Sleep(time.Nanosecond)
		tick(100*time.Millisecond, "when he has heard it")
		st.out.playout.add(80000, time.Now())
		st.out.playout.clear(time.Now())
		tick(10*time.Millisecond, "right after clear")
		time.Sleep(playoutMargin)
		tick(100*time.Millisecond, "a while after clear")
	})
}
