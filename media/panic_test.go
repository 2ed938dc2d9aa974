package media

import (
	"slices"
	"testing"
	"time"
)

// panickingReceiver panics when it receives audio.
type panickingReceiver struct{ calls int }

func (r *panickingReceiver) Audio(Track, []byte) {
	r.calls++
	panic("audio")
}
func (*panickingReceiver) DTMF(string, time.Duration) {}
func (*panickingReceiver) Mark(string)                {}

// startStream returns a stream on ws that has read its start message, and the panics that it reports.
func startStream(t *testing.T, ws *fakeSocket) (*Stream, *[]any) {
	t.Helper()
	ws.in <- []byte(startJSON)
	st := newStream(ws, testLimits)
	var panics []any
	st.onPanic = func(p any) { panics = append(panics, p) }
	if !st.awaitStart() {
		t.Fatal("no start")
	}
	return st, &panics
}

func TestPanicInWatchdogTimerEndsTheStream(t *testing.T) {
	simulated(t, func(t *testing.T) {
		ws := newFakeSocket()
		st, panics := startStream(t, ws)
		to := &panickingReceiver{}
		if got := st.Receive(t.Context(), to); got != EndInternal {
			t.Errorf("reason: got %q, want %q", got, EndInternal)
		}
		st.release()
		if !slices.Equal(*panics, []any{"audio"}) || to.calls != 1 {
			t.Errorf("got panics %v and %d calls of the receiver, want one of each", *panics, to.calls)
		}
		if got := ws.written(); !slices.Equal(got, []string{"close 1011"}) {
			t.Errorf("written: got %q, want close 1011", got)
		}
	})
}

func TestPanicInPingTimerEndsTheStream(t *testing.T) {
	simulated(t, func(t *testing.T) {
		ws := newFakeSocket()
		ws.pingPanics = true
		st, panics := startStream(t, ws)
		if got := st.Receive(t.Context(), &listener{}); got != EndInternal {
			t.Errorf("reason: got %q, want %q", got, EndInternal)
		}
		st.release()
		if !slices.Equal(*panics, []any{"ping"}) {
			t.Errorf("got panics %v, want ping", *panics)
		}
		if got := ws.written(); !slices.Equal(got, []string{"close 1011"}) {
			t.Errorf("written: got %q, want close 1011", got)
		}
	})
}
