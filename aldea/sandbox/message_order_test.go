package sandbox_test

import (
	"math"
	"testing"
)

// wantOrderlyTimes checks what holds for the messages of every stream: finals are contiguous, interims share the
// start of the final they lead to, words rise within their segment.
func wantOrderlyTimes(t *testing.T, all []message) {
	t.Helper()
	end := 0.0
	for _, m := range of(all, "Results") {
		if math.Abs(m.start()-end) > 1e-9 {
			t.Errorf("got a result starting at %v, want %v, the end of the last final: %v", m.start(), end, m)
		}
		last := m.start() * 1000
		for _, w := range m.words() {
			from, to := w.([]any)[1].(float64), w.([]any)[2].(float64)
			if from < last-0.5 || to < from || to > m.end()*1000+0.5 {
				t.Errorf("got word %v out of order in %v", w, m)
			}
			last = to
		}
		if m.flag("is_final") {
			end = m.end()
		}
	}
}
