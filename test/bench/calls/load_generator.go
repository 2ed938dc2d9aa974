package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// The load generator is every carrier's end of every call: one thread goes round a wheel of slots, 20 ms long, and
// writes the frame of each call whose turn it is. Frames are made beforehand but for their numbers.

const (
	slots    = 80 // of 250 µs
	slotTime = 20 * time.Millisecond / slots
)

// A loadReport is what the load generator says at the end.
type loadReport struct {
	Setup   quantiles `json:"setup_ms"` // from connecting to the answer of the upgrade
	Refused int       `json:"refused"`  // calls that the server answered with something other than an upgrade
	Failed  int       `json:"failed"`   // other calls that could not be placed, and those that broke
	Blocked int       `json:"blocked"`  // frames that a socket had no room for
	Lag     quantiles `json:"lag_ms"`   // how much too late slots were served
	Frames  int       `json:"frames"`
	Open    int       `json:"open"` // calls that the server did not close after stop
}

// load runs the load generator: it says "up" when all calls are, stops at a line of input, writes when it sent the
// frames to a file, and reports.
func load(args []string) error {
	flags := flag.NewFlagSet("load", flag.ContinueOnError)
	address := flags.String("to", "", "server")
	calls := flags.Int("calls", 1, "how many")
	rate := flags.Float64("rate", 200, "new calls a second")
	file := flags.String("file", "", "where to write when frames were sent")
	stay := flags.Duration("stay", 0, "hang up each call after so much audio; 0 for none before the end")
	leave := flags.Bool("leave", false, "close connections after stop instead of waiting until the server does")
	if err := flags.Parse(args); err != nil {
		return err
	}
	w := &wheel{voices: newVoices(), join: make(chan *caller, *calls), stay: int(*stay / (20 * time.Millisecond))}
	done := make(chan struct{})
	go func() { defer close(done); w.turn() }()
	report := place(w, *address, *calls, *rate)
	fmt.Println("up")
	_, _ = bufio.NewReader(os.Stdin).ReadString('\n')
	w.over.Store(true)
	<-done
	report.Blocked, report.Lag = w.blocked, quantilesOf(w.lag)
	for _, c := range w.all {
		report.Frames += len(c.sent)
		if c.dead {
			report.Failed++
		}
	}
	report.Open = w.hangUp(*leave)
	if err := writeTimes(*file, w.all); err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(report)
}

// place opens all calls at a steady rate.
func place(w *wheel, address string, calls int, rate float64) (r loadReport) {
	var mu sync.Mutex
	var setups []float64
	var wg sync.WaitGroup
	begin := time.Now()
	for i := range calls {
		time.Sleep(time.Until(begin.Add(time.Duration(float64(i) / rate * float64(time.Second)))))
		wg.Go(func() {
			c := newCaller(i)
			start := time.Now()
			err := c.open(address)
			took := time.Since(start)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				fmt.Fprintln(os.Stderr, "load:", err)
				if errors.Is(err, errRefused) {
					r.Refused++
				} else {
					r.Failed++
				}
				return
			}
			setups = append(setups, took.Seconds()*1000)
			w.join <- c
		})
	}
	wg.Wait()
	r.Setup = quantilesOf(setups)
	return r
}

// A wheel is gone round by one thread.
type wheel struct {
	voices  *voices
	join    chan *caller
	over    atomic.Bool
	stay    int // frames of each call; 0 for no limit
	slots   [slots][]*caller
	all     []*caller
	blocked int
	lag     []float64 // milliseconds
}

func (w *wheel) turn() {
	runtime.LockOSThread()
	random := rand.New(rand.NewPCG(2, 2))
	begin := time.Now()
	var base unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_MONOTONIC, &base)
	for n := 0; !w.over.Load(); n++ {
		due := time.Duration(n) * slotTime
		until := unix.NsecToTimespec(base.Nano() + int64(due))
		_ = unix.ClockNanosleep(unix.CLOCK_MONOTONIC, unix.TIMER_ABSTIME, &until, nil)
		w.welcome(random)
		if n%16 == 0 {
			w.lag = append(w.lag, (time.Since(begin)-due).Seconds()*1000)
		}
		for _, c := range w.slots[n%slots] {
			switch {
			case c.dead:
			case c.over:
				c.drain()
			case w.stay > 0 && len(c.sent) == w.stay:
				c.stop()
			case !c.send(w.voices, time.Now()):
				w.blocked++
			}
		}
	}
}

func (w *wheel) welcome(random *rand.Rand) {
	for {
		select {
		case c := <-w.join:
			i := random.IntN(slots)
			w.slots[i] = append(w.slots[i], c)
			w.all = append(w.all, c)
		default:
			return
		}
	}
}

// hangUp ends all calls that are up and waits until the server closes them. It returns how many it did not.
func (w *wheel) hangUp(leave bool) int {
	for _, c := range w.all {
		if !c.over {
			c.stop()
		}
	}
	open := slices.Clone(w.all)
	for until := time.Now().Add(30 * time.Second); len(open) > 0 && time.Now().Before(until); time.Sleep(20 * time.Millisecond) {
		for _, c := range open {
			if leave && !c.closed {
				c.leave()
			}
			c.drain()
		}
		open = slices.DeleteFunc(open, func(c *caller) bool { return c.closed })
	}
	return len(open)
}

// writeTimes writes when frames were sent, a JSON array for each call.
func writeTimes(file string, all []*caller) error {
	times := map[int][]int64{}
	for _, c := range all {
		times[c.number] = c.sent
	}
	b, err := json.Marshal(times)
	if err != nil {
		return err
	}
	return os.WriteFile(file, b, 0o644)
}
