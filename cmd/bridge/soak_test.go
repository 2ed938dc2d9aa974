package main

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"aldeabridge/aldea/sandbox"
)

// BenchmarkSoak places 50 calls of a minute, each with a sentence of its own every three seconds, and fails
// unless the webhook gets every utterance once, at the right call, in order.
func BenchmarkSoak(b *testing.B) {
	const calls, lines = 50, 20
	for range b.N {
		w := newWorld(b, sandbox.Options{Source: sandbox.Marker()}, nil)
		var wg sync.WaitGroup
		for i := range calls {
			wg.Go(func() {
				_ = pause(context.Background(), time.Duration(i)*time.Second/calls)
				if _, err := w.call(fmt.Sprintf("CA%02d", i), say(sentences(i, lines)...)).Run(context.Background()); err != nil {
					b.Error(err)
				}
			})
		}
		wg.Wait()
		w.ended(b, calls)
		got := w.delivered(b)
		for i := range calls {
			if said := texts(got[fmt.Sprintf("CA%02d", i)]); !slices.Equal(said, sentences(i, lines)) {
				b.Errorf("call %d: got %q", i, said)
			}
		}
		if err := w.webhook.Report().Err(); err != nil {
			b.Error(err)
		}
		b.ReportMetric(calls*lines, "utterances/op")
		b.ReportMetric(float64(runtime.NumGoroutine()), "goroutines-left")
	}
}

// sentences is what call i says.
func sentences(i, n int) []string {
	said := make([]string, n)
	for k := range said {
		said[k] = fmt.Sprintf("call %d sentence %d is this", i, k)
	}
	return said
}
