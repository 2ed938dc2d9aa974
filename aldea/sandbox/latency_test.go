package sandbox_test

import (
	"slices"
	"testing"
	"time"

	"aldeabridge/aldea/sandbox"

	"github.com/gorilla/websocket"
)

// arrivals plays hello() live and returns its results and when they came, Metadata left out.
func arrivals(t *testing.T, f sandbox.Fault) (all []arrival) {
	t.Helper()
	bubble(t, sandbox.Options{Fault: f}, func(t *testing.T, srv *sandbox.Server) {
		c := dial(t, srv, "")
		wait := c.hearing()
		c.live(3 * time.Second)
		c.control("CloseStream")
		got, err := wait()
		wantClose(t, err, websocket.CloseNormalClosure)
		if want := []string{"hello world", "good bye"}; !slices.Equal(utterances(textsOf(got)), want) {
			t.Errorf("%v: got %q, want %q", f, utterances(textsOf(got)), want)
		}
		all = got[1:]
	})
	return all
}

func times(all []arrival) []time.Duration {
	var some []time.Duration
	for _, a := range all {
		some = append(some, a.at)
	}
	return some
}

func TestResultsComeLateByAFixedTime(t *testing.T) {
	prompt, late := times(arrivals(t, sandbox.Fault{})), times(arrivals(t, sandbox.Fault{Latency: 700 * time.Millisecond}))
	for i := range late {
		if want := prompt[i] + 700*time.Millisecond; late[i] != want {
			t.Errorf("message %d: got it at %v, want %v", i, late[i], want)
		}
	}
}

func TestJitterIsBoundedKeepsTheOrderAndRepeats(t *testing.T) {
	const jitter = 500 * time.Millisecond
	prompt := arrivals(t, sandbox.Fault{})
	f := sandbox.Fault{Latency: 100 * time.Millisecond, Jitter: jitter, Seed: 3}
	once, again := arrivals(t, f), arrivals(t, f)
	f.Seed = 4
	other := arrivals(t, f)
	if !slices.Equal(times(once), times(again)) || slices.Equal(times(once), times(other)) {
		t.Errorf("got %v, %v with the same seed and %v with another", times(once), times(again), times(other))
	}
	for i := range once {
		late := once[i].at - prompt[i].at - 100*time.Millisecond
		if brief(once[i].text) != brief(prompt[i].text) || late < 0 || late > jitter {
			t.Errorf("message %d: got %s, %v late; want %s", i, brief(once[i].text), late, brief(prompt[i].text))
		}
	}
}

func TestResultsComeInBursts(t *testing.T) {
	prompt, late := times(arrivals(t, sandbox.Fault{})), times(arrivals(t, sandbox.Fault{Burst: 2 * time.Second}))
	for i := range late {
		if want := (prompt[i] + 2*time.Second - 1).Truncate(2 * time.Second); late[i] != want {
			t.Errorf("message %d: got it at %v, want %v", i, late[i], want)
		}
	}
}

func TestADropLosesWhatWasNotDue(t *testing.T) {
	f := sandbox.Fault{Latency: time.Second, DropAfter: 1500 * time.Millisecond}
	bubble(t, sandbox.Options{Fault: f}, func(t *testing.T, srv *sandbox.Server) {
		c := dial(t, srv, "")
		wait := c.hearing()
		for range 100 {
			time.Sleep(20 * time.Millisecond)
			if c.conn.WriteMessage(websocket.BinaryMessage, make([]byte, 320)) != nil {
				break
			}
		}
		all, _ := wait()
		if got := briefs(textsOf(all)); !slices.Equal(got, []string{"hello 0-0.4"}) {
			t.Errorf("got %q, want only the interim that was due at 1.4 s", got)
		}
	})
}
