package playback

import (
	"testing"
	"testing/synctest"
	"time"
)

// near reports whether two durations differ by at most 60 ms.
func near(a, b time.Duration) bool { return (a - b).Abs() <= 60*ms }

func TestItemsAreHeardOneAfterTheOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCarrier(1)
		c.up, c.down = 40*ms, 40*ms
		p, r := connect(t, c)
		began := time.Now()
		enqueue(t, p, "one", say(1, 3*time.Second), true)
		enqueue(t, p, "two", say(2, time.Second), false)
		if err := p.Idle(t.Context()); err != nil {
			t.Fatal(err)
		}
		if took, want := time.Since(began), 4080*ms; !near(took, want) {
			t.Errorf("idle after %v, want about %v", took, want)
		}
		got := r.get()
		want := []Result{{ID: "one", Played: 3 * time.Second, Total: 3 * time.Second, Complete: true}, {ID: "two", Played: time.Second, Total: time.Second, Complete: true}}
		if len(got) != 2 || got[0] != want[0] || got[1] != want[1] {
			t.Errorf("got %+v, want %+v", got, want)
		}
		if c.most > 2*time.Second {
			t.Errorf("the carrier held %v, want at most 2 s", c.most)
		}
		_ = p.Close()
	})
}

func TestAKeyStopsPlayback(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCarrier(1)
		c.up, c.down = 40*ms, 40*ms
		p, r := connect(t, c)
		one := say(1, 10*time.Second)
		enqueue(t, p, "one", one, true)
		enqueue(t, p, "two", say(2, time.Second), true)
		enqueue(t, p, "three", say(3, time.Second), false)
		time.Sleep(2 * time.Second)
		if !p.Interrupt(ByDTMF) {
			t.Error("nothing was interrupted")
		}
		pressed := time.Now()
		_ = p.Idle(t.Context())
		heard := c.heard(time.Now())
		got := r.get()
		if len(got) != 3 || !near(got[0].Played, heard[1]) || got[0].InterruptedBy != ByDTMF || got[1].Played != 0 || got[1].InterruptedBy != ByDTMF || !got[2].Complete {
			t.Errorf("got %+v, heard %v", got, heard[1:4])
		}
		if len(c.clears) != 1 || !c.clears[0].Equal(pressed) {
			t.Errorf("clears at %v, want one at %v", c.clears, pressed)
		}
		_ = p.Close()
		if one.closed != 1 {
			t.Errorf("the source was closed %d times, want once", one.closed)
		}
	})
}
