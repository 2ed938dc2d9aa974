package aldea

import (
	"testing"
	"time"
)

func TestTimelineMapsConnectionTimeToTheSource(t *testing.T) {
	const s = time.Second
	plain := func(l *timeline) { l.audio(0, 80000) }
	replay := func(l *timeline) { l.audio(16000, 8000); l.audio(24000, 8000) }
	gap := func(l *timeline) { l.audio(0, 8000); l.audio(40000, 8000) }
	filled := func(l *timeline) { l.filler(0, 160); l.audio(0, 8000) }
	tests := []struct {
		name      string
		delay     time.Duration
		sent      func(*timeline)
		conn      time.Duration
		at, until time.Duration
	}{
		{"nothing sent", 0, func(*timeline) {}, s, 0, 0},
		{"first connection", 0, plain, 3 * s, 3 * s, 3 * s},
		{"before the beginning", 0, plain, -s, 0, 0},
		{"beyond what was sent", 0, plain, 11 * s, 10 * s, 10 * s},
		{"codec delay", 2 * ms, plain, 3 * s, 2998 * ms, 2998 * ms},
		{"codec delay at the beginning", 2 * ms, plain, ms, 0, 0},
		{"second connection", 0, replay, 500 * ms, 2500 * ms, 2500 * ms},
		{"second connection, at its start", 0, replay, 0, 2 * s, 2 * s},
		{"second connection, codec delay at its start", 2 * ms, replay, ms, 2 * s, 2 * s},
		{"before a gap", 0, gap, 900 * ms, 900 * ms, 900 * ms},
		{"at a gap: what begins is behind it, what ends before", 0, gap, s, 5 * s, s},
		{"behind a gap", 0, gap, 1500 * ms, 5500 * ms, 5500 * ms},
		{"at a gap, with delay", 2 * ms, gap, 1002 * ms, 5 * s, s},
		{"inside filler", 0, filled, 10 * ms, 0, 0},
		{"behind filler", 0, filled, 520 * ms, 500 * ms, 500 * ms},
		{"filler in the middle", 0, func(l *timeline) { l.audio(0, 8000); l.filler(8000, 160); l.audio(8000, 8000) }, 1520 * ms, 1500 * ms, 1500 * ms},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			l := timeline{delay: test.delay}
			test.sent(&l)
			if got := l.at(test.conn); got != test.at {
				t.Errorf("what begins at %v: got %v, want %v", test.conn, got, test.at)
			}
			if got := l.until(test.conn); got != test.until {
				t.Errorf("what ends at %v: got %v, want %v", test.conn, got, test.until)
			}
		})
	}
}

func TestAResultMayEndALittleBehindWhatWasSent(t *testing.T) {
	var l timeline
	l.audio(80000, 8000)
	for end, want := range map[time.Duration]bool{time.Second: true, time.Second + claimSlack: true, time.Second + claimSlack + ms: false} {
		if got := l.credible(end); got != want {
			t.Errorf("%v: got %v, want %v", end, got, want)
		}
	}
}

func TestTimelineNeedsNoMorePairsThanThereAreJumps(t *testing.T) {
	var l timeline
	for i := range int64(1000) {
		l.audio(i*480, 480)
	}
	if len(l.pairs) != 1 {
		t.Errorf("continuous audio took %d pairs, want 1", len(l.pairs))
	}
	for i := range int64(1000) {
		l.audio(1_000_000+i*1000, 480)
	}
	if len(l.pairs) != maxPairs {
		t.Errorf("1000 gaps took %d pairs, want the limit of %d", len(l.pairs), maxPairs)
	}
	if got, want := l.until(timeOf(l.sent)), timeOf(1_000_000+999*1000+480); got != want {
		t.Errorf("the end is at %v, want %v", got, want)
	}
}
