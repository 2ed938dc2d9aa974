package main

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"
)

// A machineWatch measures what the machine takes for next to nothing, while something else is measured.
type machineWatch struct {
	cancel       context.CancelFunc
	running      sync.WaitGroup
	syncs, wakes []time.Duration
}

// watchMachine begins.
func watchMachine(t testing.TB) *machineWatch {
	t.Helper()
	file, err := os.Create(filepath.Join(t.TempDir(), "sync"))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	m := &machineWatch{cancel: cancel}
	m.running.Go(func() {
		defer file.Close()
		for page := make([]byte, 4096); pause(ctx, 100*time.Millisecond) == nil; {
			began := time.Now()
			if _, err := file.Write(page); err != nil || file.Sync() != nil {
				t.Error("the disk of the temporary directory takes nothing")
				return
			}
			m.syncs = append(m.syncs, time.Since(began))
		}
	})
	m.running.Go(func() {
		for due := time.Now().Add(time.Millisecond); pause(ctx, time.Until(due)) == nil; due = time.Now().Add(20 * time.Millisecond) {
			m.wakes = append(m.wakes, time.Since(due))
		}
	})
	return m
}

// stop returns what was measured, in order of size.
func (m *machineWatch) stop() (syncs, wakes []time.Duration) {
	m.cancel()
	m.running.Wait()
	slices.Sort(m.syncs)
	slices.Sort(m.wakes)
	return m.syncs, m.wakes
}
