package main

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

// Each row is what the trimmer finds at a tick.
func TestMemoryIsGivenBackWhileThereIsLittleToDo(t *testing.T) {
	const mb = 1 << 20
	synctest.Test(t, func(t *testing.T) {
		var used uint64
		var collected time.Time
		freed := false
		tr := &trimmer{least: 22 * mb, usage: func() (uint64, time.Time) { return used, collected }, free: func() { freed, collected = true, time.Now() }}
		for _, c := range []struct {
			name  string
			used  uint64
			busy  bool // something was collected lately
			frees bool
		}{
			{"at the start", 22 * mb, false, false},
			{"a little more", 25 * mb, false, false},
			{"a crowd has come", 70 * mb, false, true},
			{"the crowd is busy", 75 * mb, true, false},
			{"the crowd has gone", 75 * mb, false, true},
			{"the pools are not empty yet", 30 * mb, false, true},
			{"as before", 23 * mb, false, false},
		} {
			time.Sleep(trimEvery)
			used, freed = c.used, false
			if c.busy {
				collected = time.Now().Add(-time.Second)
			}
			if tr.trim(time.Now()); freed != c.frees {
				t.Errorf("%s: freed is %v, want %v", c.name, freed, c.frees)
			}
		}
	})
}

func TestTheTrimmerEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		looked := 0
		tr := &trimmer{usage: func() (uint64, time.Time) { looked++; return 0, time.Now() }, free: func() { t.Error("want nothing freed") }}
		done := make(chan struct{})
		go func() {
			defer close(done)
			tr.run(ctx)
		}()
		time.Sleep(10*trimEvery + time.Second)
		cancel()
		<-done
		if looked != 10 {
			t.Errorf("looked %d times, want 10", looked)
		}
	})
}

func TestMemoryUsageIsThatOfTheProcess(t *testing.T) {
	if bytes, _ := memoryUsage(); bytes < 1<<20 || bytes > 1<<40 {
		t.Errorf("got %d bytes", bytes)
	}
}
