package call_test

import (
	"errors"
	"testing"
	"time"

	"aldeabridge/events"
	"aldeabridge/internal/call"
)

// A webhook that answers each action.failed with an action that fails gets 200 of those events at once, then five a second. Further
// ones are counted.
func TestFailuresOfActionsAreBounded(t *testing.T) {
	noSpeech := func(c *call.Config) { c.Speech = recording{err: errors.New("no engine")} }
	onStage(t, noSpeech, func(s *stage) {
		fail := func(n int) {
			for range n {
				s.act(`{"actions":[{"type":"say","text":"hi"}]}`)
				s.after(0)
				s.calls.Refuse("CA1", "evt_1", errors.New("not JSON"))
				s.after(0)
			}
		}
		for i, step := range []struct {
			wait         time.Duration
			told, untold int // in all
		}{{0, 200, 100}, {time.Second, 205, 395}, {time.Minute, 405, 495}} {
			s.after(step.wait)
			fail(150)
			if told, untold := len(got[events.ActionFailed](s)), s.calls.Stats().Untold; told != step.told || untold != int64(step.untold) {
				t.Errorf("step %d: got %d events and %d not sent, want %d and %d", i+1, told, untold, step.told, step.untold)
			}
		}
	})
}
