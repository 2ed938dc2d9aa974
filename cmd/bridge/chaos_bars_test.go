package main

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"runtime"
	"testing"
	"time"

	"aldeabridge/events"
	"aldeabridge/test/chaos"
)

// crowd is a schedule of calls that come in one after the other, at most four a second, and last for length. trouble
// is what becomes of each one's connections.
func crowd(calls int, length time.Duration, trouble func(r *rand.Rand, l *calltest.Leg)) calltest.Schedule {
	s := calltest.Schedule{Seed: *chaosSeed, Weather: "by hand", ReplaySpeed: 1.25}
	for i := range calls {
		r := rand.New(rand.NewPCG(*chaosSeed, uint64(i)))
		l := calltest.Leg{Speaker: events.Caller}
		l.Talk(r, fmt.Sprintf("%c%c", 'a'+i/26%26, 'a'+i%26), length)
		if trouble != nil {
			trouble(r, &l)
		}
		s.Calls = append(s.Calls, calltest.Call{
			SID: fmt.Sprintf("CA%03d", i), At: time.Duration(i)*250*time.Millisecond + time.Duration(i)*37*time.Microsecond, Legs: []calltest.Leg{l},
		})
	}
	return s
}

// resets breaks every connection after 2 to 8 seconds and refuses a fifth of the handshakes.
func resets(r *rand.Rand, l *calltest.Leg) {
	for t := time.Duration(0); t < l.Length(); {
		a := calltest.Attempt{Reset: 2*time.Second + time.Duration(r.Int64N(int64(6*time.Second)))}
		if r.IntN(5) == 0 {
			a = calltest.Attempt{Status: []int{http.StatusServiceUnavailable, http.StatusTooManyRequests}[r.IntN(2)]}
		}
		t += a.Reset
		l.Attempts = append(l.Attempts, a)
	}
}

// drops breaks connections now and then.
func drops(r *rand.Rand, l *calltest.Leg) {
	for t := time.Duration(0); t < l.Length(); {
		a := calltest.Attempt{Reset: 5*time.Second + time.Duration(r.Int64N(int64(35*time.Second)))}
		t += a.Reset
		l.Attempts = append(l.Attempts, a)
	}
}

func TestNothingIsLostWhenEveryConnectionBreaksAgainAndAgain(t *testing.T) {
	var all calltest.Tally
	simulate(t, crowd(*chaosBars, time.Minute, resets), &all)
	t.Log(all.Counts())
}

func TestManyCallsCatchUpAfterAnOutageOfHalfAMinuteWithoutAStorm(t *testing.T) {
	length, speed := 2*time.Minute, 4.0
	if *chaosBars >= 100 {
		length, speed = 4*time.Minute, 1.25 // what it is by default: catching up takes four times as long as the outage
	}
	outage := calltest.Span{From: 20*time.Second + time.Duration(*chaosBars)*250*time.Millisecond}
	outage.To = outage.From + 30*time.Second
	// Both worlds hold the same calls and the same peers; what differs is what the bridge keeps after an outage.
	heap := func(outages []calltest.Span) (inUse uint64) {
		s := crowd(*chaosBars, length, nil)
		s.Outages, s.ReplaySpeed = outages, speed
		s.Moments = []calltest.Moment{
			{At: length - 5*time.Second, Do: func() { inUse = heapInUse() }},
		}
		var all calltest.Tally
		simulate(t, s, &all)
		t.Log(all.Counts())
		if outages != nil && all.Counts().PeakDials >= 20 {
			t.Errorf("got %d dials in a second, want fewer than 20", all.Counts().PeakDials)
		}
		for _, c := range s.Calls {
			inUse -= uint64(len(c.Legs[0].Audio)) // the carriers'
		}
		return inUse
	}
	calm := heap(nil)
	stormy := heap([]calltest.Span{outage})
	t.Logf("heap at the end: %d kB after an outage, %d kB without one", stormy>>10, calm>>10)
	if stormy > calm+calm/10 {
		t.Errorf("got %d kB of heap when all have caught up, want at most a tenth more than the %d kB without an outage", stormy>>10, calm>>10)
	}
}

func TestAHalfOpenRecognizerIsNoticedAndNothingIsLost(t *testing.T) {
	var all calltest.Tally
	simulate(t, crowd(*chaosBars, time.Minute, func(r *rand.Rand, l *calltest.Leg) {
		l.Attempts = []calltest.Attempt{{Freeze: time.Second + time.Duration(r.Int64N(int64(30*time.Second)))}}
	}), &all)
	t.Log(all.Counts())
	if n := all.Counts().Faults["half-open"]; n != *chaosBars {
		t.Errorf("got %d half-open connections, want %d", n, *chaosBars)
	}
}

func TestNothingIsLeftOverAfterRandomDrops(t *testing.T) {
	simulate(t, crowd(*chaosBars, 20*time.Second, drops), nil) // pools and tables are as full as they get
	length := time.Duration(*chaosBars) * 6 * time.Second      // ten minutes of a hundred calls
	before, goroutines := heapInUse(), runtime.NumGoroutine()
	var all calltest.Tally
	simulate(t, crowd(*chaosBars, length, drops), &all) // and a bubble does not end before its last goroutine
	t.Log(all.Counts())
	after := heapInUse()
	t.Logf("heap %d kB before, %d kB after", before>>10, after>>10)
	if after > before+before/10+1<<20 {
		t.Errorf("got %d kB of heap at the end, want no more than a tenth and 1 MB above %d kB", after>>10, before>>10)
	}
	if n := runtime.NumGoroutine(); n > goroutines {
		t.Errorf("got %d goroutines at the end, want no more than %d", n, goroutines)
	}
}

func TestNoSocketIsLeftOverAfterRandomDrops(t *testing.T) {
	outside()
	length := 8 * time.Second
	if *chaosBars >= 100 {
		length = 10 * time.Minute
	}
	sockets, goroutines := openFiles(t), runtime.NumGoroutine()
	var all calltest.Tally
	calltest.Run(t, crowd(*chaosBars, length, drops), startBridge, &all)
	t.Log(all.Counts())
	eventually(t, func() error {
		if n := openFiles(t); n > sockets {
			return fmt.Errorf("got %d open files at the end, want no more than %d", n, sockets)
		}
		if n := runtime.NumGoroutine(); n > goroutines {
			return fmt.Errorf("got %d goroutines at the end, want no more than %d", n, goroutines)
		}
		return nil
	})
}

// heapInUse is what is alive on the heap.
func heapInUse() uint64 {
	runtime.GC()
	runtime.GC() // what pools hold survives one
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// openFiles is how many files and sockets this process has.
func openFiles(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}

// eventually waits until what ends by itself has ended: goroutines on their way out, sockets in the hands of the
// runtime's poller.
func eventually(t *testing.T, check func() error) {
	t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for err := check(); err != nil; err = check() {
		if time.Now().After(deadline) {
			t.Error(err)
			return
		}
		runtime.Gosched()
		time.Sleep(20 * time.Millisecond)
	}
}
