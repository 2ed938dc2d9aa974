package aldea

import (
	"bytes"
	"testing"
)

func TestRingKeepsTheLatestSamplesUnderTheirNumbers(t *testing.T) {
	type step struct {
		write, discard int // samples to append; then discard before this number
		start, end     int64
	}
	tests := map[string]struct {
		limit int
		steps []step
	}{
		"nothing":                  {100, []step{{0, 0, 0, 0}}},
		"fits":                     {100, []step{{60, 0, 0, 60}, {40, 0, 0, 100}}},
		"drops the oldest":         {100, []step{{100, 0, 0, 100}, {30, 0, 30, 130}, {100, 0, 130, 230}}},
		"more at once than it has": {100, []step{{10, 0, 0, 10}, {250, 0, 160, 260}, {1, 0, 161, 261}}},
		"discard makes room":       {100, []step{{90, 50, 50, 90}, {60, 0, 50, 150}, {0, 999, 150, 150}, {10, 20, 150, 160}}},
		"grows":                    {40000, []step{{7000, 3000, 3000, 7000}, {9000, 0, 3000, 16000}, {30000, 0, 6000, 46000}}},
		"grows while wrapped":      {20000, []step{{8000, 7000, 7000, 8000}, {6000, 0, 7000, 14000}, {9000, 0, 7000, 23000}, {9000, 0, 12000, 32000}}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			r := ring{limit: test.limit}
			n := 0
			for i, step := range test.steps {
				r.append(sound(n, step.write))
				n += step.write
				r.discard(int64(step.discard))
				if r.start != step.start || r.end != step.end {
					t.Fatalf("step %d: holds %d to %d, want %d to %d", i, r.start, r.end, step.start, step.end)
				}
				got := make([]byte, r.len()+10)
				if c := r.read(got, r.start); c != r.len() || !bytes.Equal(got[:c], sound(int(r.start), c)) {
					t.Fatalf("step %d: %d samples read, or not those that were written", i, c)
				}
				if half := r.start + int64(r.len()/2); r.read(got[:r.len()/3], half) != r.len()/3 ||
					!bytes.Equal(got[:r.len()/3], sound(int(half), r.len()/3)) {
					t.Fatalf("step %d: reading from the middle gave other samples", i)
				}
			}
			if len(r.buf) > test.limit {
				t.Errorf("it took %d bytes, want at most %d", len(r.buf), test.limit)
			}
		})
	}
}

func TestRingTakesNoMoreThanItNeeds(t *testing.T) {
	r := ring{limit: 480000}
	for i := range 10000 {
		r.append(sound(i*160, 160))
		r.discard(r.end - 4000)
	}
	if len(r.buf) != ringMin {
		t.Errorf("half a second took %d bytes, want %d", len(r.buf), ringMin)
	}
}
