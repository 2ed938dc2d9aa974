package main

import (
	"context"
	"runtime"
	"runtime/debug"
	"time"
)

const (
	// trimEvery is how often unused memory is looked for. After a crowd of connections has gone the process is as small as before
	// within a minute: pools need two collections to become empty.
	trimEvery = 15 * time.Second
	// trimFrom is how many bytes more than ever before are worth a collection.
	trimFrom = 4 << 20
)

// A trimmer gives memory back to the operating system while the process has little to do. Go collects an idle heap only every two
// minutes, and until then the memory of many connections stays resident. A busy heap is collected often enough.
type trimmer struct {
	usage func() (bytes uint64, collected time.Time) // of the whole process, and the last collection
	free  func()
	least uint64 // bytes that were in use when they were fewest
}

func newTrimmer() *trimmer {
	t := &trimmer{usage: memoryUsage, free: debug.FreeOSMemory}
	t.least, _ = t.usage()
	return t
}

// run trims until ctx ends.
func (t *trimmer) run(ctx context.Context) {
	tick := time.NewTicker(trimEvery)
	defer tick.Stop()
	for {
		select {
		case now := <-tick.C:
			t.trim(now)
		case <-ctx.Done():
			return
		}
	}
}

// trim frees memory if there may be some, and nothing else has collected lately.
func (t *trimmer) trim(now time.Time) {
	bytes, collected := t.usage()
	t.least = min(t.least, bytes)
	if bytes < t.least+trimFrom || now.Sub(collected) < trimEvery-time.Second {
		return
	}
	t.free()
	bytes, _ = t.usage()
	t.least = min(t.least, bytes)
}

func memoryUsage() (bytes uint64, collected time.Time) {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.Sys - m.HeapReleased, time.Unix(0, int64(m.LastGC))
}
