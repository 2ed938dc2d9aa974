package mediatest

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// planned writes a plan down: track, offset and time of leaving in milliseconds, with ! for lost and x2 for twice.
func planned(c Call) string {
	p := newPlan(&c)
	var items []string
	for {
		it, ok := p.pop()
		if !ok {
			return strings.Join(items, " ")
		}
		s := fmt.Sprintf("%c%d@%d", it.track[0], it.offset.Milliseconds(), it.due.Milliseconds())
		if it.lost {
			s += "!"
		}
		if it.twice {
			s += "x2"
		}
		items = append(items, s)
	}
}

const ms = time.Millisecond

func TestPlans(t *testing.T) {
	sixty := make([]byte, 480)
	for _, c := range []struct {
		name string
		call Call
		want string
	}{
		{"no audio", Call{}, ""},
		{"one track", Call{Inbound: sixty}, "i0@20 i20@40 i40@60"},
		{"an odd end", Call{Inbound: sixty[:170]}, "i0@20 i20@40"},
		{"only the outbound track", Call{Outbound: sixty[:320]}, "o0@20 o20@40"},
		{"two tracks, one of them shorter", Call{Inbound: sixty[:160], Outbound: sixty[:320]}, "i0@20 o0@20 i20@40 o20@40"},
		{"hold", Call{Inbound: sixty[:160], Hold: 20 * ms}, "i0@20 i20@40"},
		{"longer frames", Call{Inbound: sixty, Frame: 30 * ms}, "i0@30 i30@60"},
		{"a stall", Call{Inbound: sixty, Stalls: []Span{{30 * ms, 100 * ms}}}, "i0@20 i20@100 i40@100"},
		{"quiet", Call{Inbound: sixty, Quiet: []Span{{20 * ms, 40 * ms}}}, "i0@20 i20@40! i40@60"},
		{"all lost", Call{Inbound: sixty, Loss: 1}, "i0@20! i20@40! i40@60!"},
		{"all twice", Call{Inbound: sixty, Duplicate: 1}, "i0@20x2 i20@40x2 i40@60x2"},
		{"all swapped", Call{Inbound: make([]byte, 640), Reorder: 1}, "i20@40 i0@40 i60@80 i40@80"},
		{"all swapped, both tracks", Call{Inbound: sixty[:320], Outbound: sixty[:320], Reorder: 1}, "i20@40 o0@40 i0@40 o20@40"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := planned(c.call); got != c.want {
				t.Errorf("\n got %s\nwant %s", got, c.want)
			}
		})
	}
}

func TestFaultsAreDecidedByTheSeed(t *testing.T) {
	call := Call{Inbound: make([]byte, 80000), Loss: 0.2, Duplicate: 0.2, Reorder: 0.2, Jitter: 50 * ms, Seed: 7}
	one, two := planned(call), planned(call)
	call.Seed = 8
	three := planned(call)
	if one != two {
		t.Error("the same seed made two plans")
	}
	if one == three {
		t.Error("two seeds made the same plan")
	}
	if got := strings.Count(one, "!"); got < 50 || got > 150 {
		t.Errorf("lost: got %d of 500, want about 100", got)
	}
}

func TestDelayedFramesKeepTheirOrder(t *testing.T) {
	call := Call{Inbound: make([]byte, 80000), Jitter: 200 * ms}
	p := newPlan(&call)
	var dues []time.Duration
	late := 0
	for {
		it, ok := p.pop()
		if !ok {
			break
		}
		dues = append(dues, it.due)
		if it.due < it.offset+20*ms || it.due > it.offset+220*ms {
			t.Errorf("the frame at %v leaves at %v", it.offset, it.due)
		}
		if it.due > it.offset+20*ms {
			late++
		}
	}
	if !slices.IsSorted(dues) {
		t.Error("messages overtake each other")
	}
	if late < 400 {
		t.Errorf("late: got %d of 500, want nearly all", late)
	}
}

func TestPlaybackRunsByTheClock(t *testing.T) {
	t0 := time.Unix(1000, 0)
	at := func(d time.Duration) time.Time { return t0.Add(d) }
	p := playback{speed: 2}
	p.mark("at once", at(0))
	p.play(make([]byte, 8000), at(0))      // half a second at double speed
	p.play(make([]byte, 8000), at(100*ms)) // behind it
	p.mark("after both", at(200*ms))
	p.play(make([]byte, 8000), at(300*ms))
	p.mark("cleared", at(300*ms))
	for _, c := range []struct {
		now  time.Duration
		want string
	}{{0, "at once"}, {0, ""}, {999 * ms, ""}, {time.Second, "after both"}, {time.Second, ""}} {
		if got, _ := p.due(at(c.now)); got != c.want {
			t.Errorf("at %v: got %q, want %q", c.now, got, c.want)
		}
	}
	p.clear(at(1100 * ms))
	if got, _ := p.due(at(1100 * ms)); got != "cleared" {
		t.Errorf("after the clear: got %q, want the mark", got)
	}
	p.play(make([]byte, 800), at(2*time.Second)) // after a pause
	p.mark("last", at(2*time.Second))
	if got, _ := p.nextDue(); !got.Equal(at(2*time.Second + 50*ms)) {
		t.Errorf("a mark after a pause: got %v", got.Sub(t0))
	}
}
