package transcript

import "testing"

// BenchmarkUtterance is one utterance of ten words: four interims, two finals, speech_final.
func BenchmarkUtterance(b *testing.B) {
	b.ReportAllocs()
	steps := []Result{
		interim("one two", 0, 1), interim("one two three four", 0, 2), final("one two three four five", 0, 2.5),
		interim("six seven", 2.5, 3), interim("six seven eight nine", 2.5, 4), speechFinal("six seven eight nine ten", 2.5, 5),
	}
	for b.Loop() {
		a := New(Options{Prefix: "bench"})
		for _, r := range steps {
			a.Result(r, start)
		}
	}
}
