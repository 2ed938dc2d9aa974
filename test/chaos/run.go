package calltest

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// Simulate lives through a schedule in simulated time and in memory, and fails t if anything is not as it should be.
// What happened is added to all, unless that is nil. The program under test must not have goroutines that outlive it by
// more than a minute.
func Simulate(t *testing.T, s Schedule, start Start, all *Tally) {
	t.Helper()
	w := &simulation{schedule: &s}
	defer w.addTo(all) // also when the bubble fails the test at once
	synctest.Test(t, func(t *testing.T) {
		w.report(t, w.run(context.Background(), memory(), start))
		// What cleans up behind itself now and then needs to see that it is over.
		time.Sleep(time.Minute)
		synctest.Wait()
	})
}

// Run lives through a schedule in real time and over real sockets. Else it is like Simulate.
func Run(t testing.TB, s Schedule, start Start, all *Tally) {
	t.Helper()
	wires, err := sockets()
	if err != nil {
		t.Fatal(err)
	}
	w := &simulation{schedule: &s, patience: 2 * time.Second} // the machine may be busy
	defer w.addTo(all)
	w.report(t, w.run(context.Background(), wires, start))
}

func (w *simulation) addTo(all *Tally) {
	if all != nil {
		all.Add(&w.tally)
	}
}

// report judges and fails the test with what was found.
func (w *simulation) report(t testing.TB, err error) {
	t.Helper()
	if w.results == nil {
		t.Fatal(err)
	}
	findings := w.check()
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
