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
			{24 * time.Millisecond, 10 * time.Millisecond, 165 * time.Millisecond}, // what is missed is not made up for
			{0, 0, 170 * time.Millisecond},
			{0, 13 * time.Millisecond, 180 * time.Millisecond}, // off the grid is rounded down
		} {
			time.Sleep(step.busy)
			time.Sleep(p.next(step.after))
			if got := time.Since(zero); got != step.want {
				t.Fatalf("tick at %v, want %v", got, step.want)
			}
		}
	})
}
