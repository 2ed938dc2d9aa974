package aldea

import (
	"bytes"
	"sync"
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
			if most := r.len() + 2*pieceSize; r.taken() > most {
				t.Errorf("it took %d bytes for %d samples, want at most %d", r.taken(), r.len(), most)
			}
		})
	}
}

func TestRingsShareTheirMemory(t *testing.T) {
	spare := &sync.Pool{}
	rings := [2]ring{{limit: 480000, spare: spare}, {limit: 480000, spare: spare}}
	talk := func() {
		for i := range rings { // in turn
			r := &rings[i]
			for range 10 {
				r.append(sound(0, pieceSize))
			}
			if r.taken() < 10*pieceSize || r.taken() > 11*pieceSize {
				t.Errorf("ten pieces took %d bytes", r.taken())
			}
			r.discard(r.end - 1)
		}
	}
	// The pool may lose one or another; without it there would be 20.
	if got := testing.AllocsPerRun(100, talk); got > 10 {
		t.Errorf("got %v pieces allocated for two turns of ten, want hardly any", got)
	}
	rings[0].release()
	if rings[0].taken() != 0 || rings[0].len() != 0 {
		t.Errorf("%d bytes and %d samples are held after the end", rings[0].taken(), rings[0].len())
	}
}

// taken is how much memory the ring holds.
func (r *ring) taken() int { return len(r.pieces) * pieceSize }
