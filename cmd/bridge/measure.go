package main

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// A usage is what a process has used so far, by Linux's /proc.
type usage struct {
	at     time.Time
	cpu    time.Duration // user and system
	memory int64         // resident and its own, in bytes: not the program's file, which is mapped once
}

// clockTicks is the unit of the times in /proc/PID/stat: hundredths of a second on every Linux (USER_HZ).
const clockTicks = time.Second / 100

// usageOf reads what the process pid uses (proc(5)).
func usageOf(pid int) (usage, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return usage{}, fmt.Errorf("--pid: cannot measure process %d: %w", pid, err)
	}
	memory, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	if err != nil {
		return usage{}, fmt.Errorf("--pid: cannot measure process %d: %w", pid, err)
	}
	var size, resident, shared int64 // pages
	if _, err := fmt.Fscan(bytes.NewReader(memory), &size, &resident, &shared); err != nil {
		return usage{}, fmt.Errorf("--pid: /proc/%d/statm: %w", pid, err)
	}
	// The second field is the program's name in parentheses and may hold anything.
	fields := strings.Fields(string(b[bytes.LastIndexByte(b, ')')+1:]))
	if len(fields) < 13 {
		return usage{}, fmt.Errorf("--pid: /proc/%d/stat has %d fields, want 13 or more", pid, len(fields))
	}
	var n [2]int64
	for i, field := range []int{11, 12} { // utime, stime
		if n[i], err = strconv.ParseInt(fields[field], 10, 64); err != nil {
			return usage{}, fmt.Errorf("--pid: /proc/%d/stat: %w", pid, err)
		}
	}
	return usage{
		at:     time.Now(),
		cpu:    time.Duration(n[0]+n[1]) * clockTicks,
		memory: (resident - shared) * int64(os.Getpagesize()),
	}, nil
}

// cost says what a process used for calls between two readings, beyond what it had before.
func cost(before, during usage, calls int) string {
	cpu := float64(during.cpu-before.cpu) / float64(during.at.Sub(before.at)) * 100
	memory := float64(during.memory-before.memory) / 1000
	return fmt.Sprintf("the server used %.1f%% of a core (%.3f%% a call) and %.1f MB (%.0f kB a call above the %.1f MB before)",
		cpu, cpu/float64(calls), float64(during.memory)/1e6, memory/float64(calls), float64(before.memory)/1e6)
}
