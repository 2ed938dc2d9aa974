package attack

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

// A usage is what a process holds.
type usage struct {
	memory int64 // resident, in bytes
	files  int   // open files
}

// measure reads the usage of a process. It is zero for one that is gone.
func measure(pid int) usage {
	files, _ := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
	return usage{memory: status(pid, "VmRSS:"), files: len(files)}
}

// peakMemory is the most memory that was ever resident.
func peakMemory(pid int) int64 { return status(pid, "VmHWM:") }

// status reads a number of bytes from the kernel's status of a process.
func status(pid int, field string) int64 {
	b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	_, rest, _ := strings.Cut(string(b), field)
	fields := strings.Fields(rest)
	if len(fields) == 0 {
		return 0
	}
	kilobytes, _ := strconv.ParseInt(fields[0], 10, 64)
	return kilobytes << 10
}

// A fileWatch finds the most files that a process has open.
type fileWatch struct {
	done chan struct{}
	wait sync.WaitGroup
	peak int
}

// watchFiles begins to watch a process.
func watchFiles(pid int) *fileWatch {
	w := &fileWatch{done: make(chan struct{})}
	w.wait.Go(func() {
		tick := time.NewTicker(50 * time.Millisecond)
		defer tick.Stop()
		for {
			w.peak = max(w.peak, measure(pid).files)
			select {
			case <-tick.C:
			case <-w.done:
				return
			}
		}
	})
	return w
}

// stop ends the watch and returns the peak.
func (w *fileWatch) stop() int {
	close(w.done)
	w.wait.Wait()
	return w.peak
}
