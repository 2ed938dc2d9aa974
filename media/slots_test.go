package media

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

func TestSlotsAreCountedFromTheUpgradeOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s slots
		a, _, _ := s.take(2)
		b, _, _ := s.take(2)
		if _, full, _ := s.take(2); !full {
			t.Fatal("a third slot of two was given out")
		}
		if !a.claim() {
			t.Fatal("the first slot could not be claimed")
		}
		time.Sleep(claimWait + time.Second) // the second connection never comes
		if b.claim() {
			t.Error("a slot was claimed after it had expired")
		}
		if got := s.count(); got != 1 {
			t.Errorf("taken: got %d, want 1", got)
		}
		b.free()
		a.free()
		a.free()
		if got := s.count(); got != 0 {
			t.Errorf("taken at the end: got %d, want 0", got)
		}
	})
}

func TestClosedSlotsWaitForTheLast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s slots
		a, _, _ := s.take(2)
		a.claim()
		s.close()
		s.close()
		if _, full, closed := s.take(2); full || !closed {
			t.Error("a slot was given out after close")
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := s.wait(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("wait with a slot taken: got %v, want the deadline", err)
		}
		time.AfterFunc(time.Second, a.free)
		if err := s.wait(t.Context()); err != nil {
			t.Errorf("wait: got %v", err)
		}
	})
}
