package aldea

import (
	"testing"
	"time"
)

func TestAHostIsFreeWhenNothingSpeaksAgainstIt(t *testing.T) {
	now := time.Now()
	past, future := now.Add(-time.Second), now.Add(time.Second)
	tests := []struct {
		name string
		host *host
		want bool
	}{
		{"healthy", &host{mode: ModeHealthy}, true},
		{"healthy, whatever the pace was", &host{mode: ModeHealthy, nextAt: future}, true},
		{"healthy, one below the limit", &host{mode: ModeHealthy, dialing: maxDials - 1}, true},
		{"healthy, at the limit", &host{mode: ModeHealthy, dialing: maxDials}, false},
		{"healthy, at the limit with what failed", &host{mode: ModeHealthy, dialing: maxDials - 3, failures: 3}, false},
		{"held", &host{mode: ModeHealthy, heldUntil: future}, false},
		{"no longer held", &host{mode: ModeHealthy, heldUntil: past}, true},
		{"outage, in time", &host{mode: ModeOutage, nextAt: now, failures: 99}, true},
		{"outage, too early", &host{mode: ModeOutage, nextAt: future}, false},
		{"outage, held", &host{mode: ModeOutage, nextAt: past, heldUntil: future}, false},
		{"outage, all hang", &host{mode: ModeOutage, dialing: maxDials}, false},
		{"recovering, in time", &host{mode: ModeRecovering, nextAt: past}, true},
		{"recovering, too early", &host{mode: ModeRecovering, nextAt: future}, false},
	}
	for _, test := range tests {
		if got := test.host.free(now); got != test.want {
			t.Errorf("%s: got %v, want %v", test.name, got, test.want)
		}
		if at := test.host.freeAt(now); !at.IsZero() && (test.want || at != future) {
			t.Errorf("%s: time makes it free at %v", test.name, at)
		}
	}
}

func TestATroubleGetsWorseWithTimeAndFailures(t *testing.T) {
	now := time.Now()
	tests := []struct {
		apart    time.Duration
		failures int
		want     level
	}{
		{0, 0, levelNone}, {2999 * ms, 2, levelNone}, {0, 3, levelDegraded}, {3 * time.Second, 0, levelDegraded},
		{29999 * ms, 9, levelDegraded}, {30 * time.Second, 0, levelDown}, {time.Hour, 0, levelDown},
	}
	for _, test := range tests {
		trouble := trouble{apart: now.Add(-test.apart), failures: test.failures}
		if got := trouble.level(now); got != test.want {
			t.Errorf("%v and %d failures: got %d, want %d", test.apart, test.failures, got, test.want)
		}
	}
}

func TestThoseWhoWereAskedToWaitDoNotComeTogether(t *testing.T) {
	now := time.Now()
	h := &host{mode: ModeHealthy}
	h.hold(7*time.Second, now)
	if h.heldUntil.Before(now.Add(7*time.Second)) || !h.heldUntil.Before(now.Add(7*time.Second+backoffBase)) {
		t.Errorf("held for %v, want 7s and some jitter", h.heldUntil.Sub(now))
	}
	other := &host{mode: ModeHealthy}
	if other.hold(7*time.Second, now); other.heldUntil.Equal(h.heldUntil) {
		t.Error("two hosts are held for the same time, to the nanosecond")
	}
	begun := 0
	for at := now; at.Before(h.heldUntil.Add(time.Second)); at = at.Add(time.Millisecond) {
		if !h.free(at) {
			continue
		}
		h.begin(at)
		h.dialing--
		if begun++; begun == 2 && at.Before(h.heldUntil.Add(time.Second/recoveryRate)) {
			t.Errorf("the second came %v after the first", at.Sub(h.heldUntil))
		}
	}
	if begun < recoveryRate-1 || begun > recoveryRate {
		t.Errorf("%d came in the first second, want about %d", begun, recoveryRate)
	}
}
