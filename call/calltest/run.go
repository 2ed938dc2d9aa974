package calltest

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// Simulate lives through a schedule in simulated time and in memory, and fails t if anything is not as it should be.
// It returns what happened. The program under test must not have goroutines that outlive it by more than a minute.
func Simulate(t *testing.T, s Schedule, start Start) *Tally {
	t.Helper()
	w := &world{schedule: &s}
	synctest.Test(t, func(t *testing.T) {
		w.report(t, w.run(context.Background(), memory(), start))
		// What cleans up behind itself now and then needs to see that it is over.
		time.Sleep(time.Minute)
		synctest.Wait()
	})
	return &w.tally
}

// Run lives through a schedule in real time and over real sockets. Else it is like Simulate.
func Run(t testing.TB, s Schedule, start Start) *Tally {
	t.Helper()
	wires, err := sockets()
	if err != nil {
		t.Fatal(err)
	}
	w := &world{schedule: &s}
	w.report(t, w.run(context.Background(), wires, start))
	return &w.tally
}

// report judges and fails the test with what was found.
func (w *world) report(t testing.TB, err error) {
	t.Helper()
	if w.results == nil {
		t.Fatal(err)
	}
	findings := w.judge()
	if err != nil {
		findings = append(findings, "the bridge did not stop cleanly: "+err.Error())
	}
	if len(findings) == 0 {
		return
	}
	again := ""
	if w.schedule.Replay != "" {
		again = "\nagain: " + w.schedule.Replay
	}
	t.Errorf("%d findings:\n  - %s\n%v%s", len(findings), strings.Join(findings, "\n  - "), w.schedule, again)
}
