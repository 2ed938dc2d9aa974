package main

import (
	"os"
	"strings"
	"testing"
	"time"
)

func TestTheUsageOfThisProcessCanBeRead(t *testing.T) {
	u, err := usageOf(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	if u.memory < 1<<20 || u.cpu < 0 {
		t.Errorf("got %+v, want more than a megabyte", u)
	}
	if _, err := usageOf(1 << 30); err == nil || !strings.Contains(err.Error(), "--pid") {
		t.Errorf("a process that is not there: got %v, want an error that names the option", err)
	}
}

func TestCostIsWhatCallsAdd(t *testing.T) {
	now := time.Now()
	got := cost(usage{at: now, memory: 20e6}, usage{at: now.Add(10 * time.Second), cpu: time.Second, memory: 30e6}, 100)
	want := "the server used 10.0% of a core (0.100% a call) and 30.0 MB (100 kB a call above the 20.0 MB before)"
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}
