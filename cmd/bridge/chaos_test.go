package main

import (
	"flag"
	"fmt"
	"sync"
	"testing"
	"time"

	"aldeabridge/test/chaos"
)

// The flags of the chaos tests. What they default to fits into every run of the tests; make chaos asks for more.
var (
	chaosSeed    = flag.Uint64("chaos.seed", 1, "the first seed")
	chaosSeeds   = flag.Int("chaos.seeds", fewer(200, 25), "how many seeds are simulated")
	chaosReal    = flag.Int("chaos.real", fewer(10, 6), "how many seeds run over real sockets")
	chaosCalls   = flag.Int("chaos.calls", 3, "calls of each seed")
	chaosLength  = flag.Duration("chaos.length", 16*time.Second, "about the length of a call")
	chaosWeather = flag.String("chaos.weather", "", "the kind of trouble: calm, resets, outage, overflow, half-open; empty: the seed decides")
	chaosBars    = flag.Int("chaos.bars", fewer(20, 5), "calls at once in the tests of what is promised for 100")
)

// fewer is n, or what takes as long under the race detector.
func fewer(n, underRaceDetector int) int {
	if underRace {
		return underRaceDetector
	}
	return n
}

// realAtOnce is how many worlds of real sockets live at the same time: they mostly wait.
const realAtOnce = 25

// Words are lost in no world, whatever happens to the recognizer.
func TestChaos(t *testing.T) {
	var all calltest.Tally
	begin := time.Now()
	t.Run("seeds", func(t *testing.T) {
		for i := range *chaosSeeds {
			o := calltest.Options{Seed: *chaosSeed + uint64(i), Calls: *chaosCalls, Length: *chaosLength, Weather: calltest.Weather(*chaosWeather)}
			t.Run(fmt.Sprint(o.Seed), func(t *testing.T) {
				t.Parallel()
				simulate(t, schedule(o, "'^TestChaos$' -chaos.seeds=1"), &all)
			})
		}
	})
	t.Logf("simulated in %v: %v", time.Since(begin).Round(time.Millisecond), all.Counts())
}

// The same holds over real sockets, in real time.
func TestChaosOverRealSockets(t *testing.T) {
	var all calltest.Tally
	begin := time.Now()
	var worlds sync.WaitGroup
	places := make(chan struct{}, realAtOnce)
	for i := range *chaosReal {
		o := calltest.Options{Seed: *chaosSeed + uint64(i), Calls: *chaosCalls, Length: *chaosLength, Weather: calltest.Weather(*chaosWeather)}
		if o.Weather == "" && *chaosReal <= realAtOnce { // others take up to a minute
			o.Weather = []calltest.Weather{calltest.Resets, calltest.Outage}[i%2]
			o.Length = min(o.Length, 8*time.Second)
		}
		places <- struct{}{}
		worlds.Go(func() {
			defer func() { <-places }()
			t.Run(fmt.Sprint(o.Seed), func(t *testing.T) {
				calltest.Run(t, schedule(o, "TestChaosOverRealSockets -chaos.real=1"), startBridge, &all)
			})
		})
	}
	worlds.Wait()
	t.Logf("over real sockets in %v: %v", time.Since(begin).Round(time.Millisecond), all.Counts())
}

// schedule is what a seed decides, with the command that runs it again.
func schedule(o calltest.Options, test string) calltest.Schedule {
	s := calltest.New(o)
	s.Replay = fmt.Sprintf("go test ./cmd/bridge -run %s -chaos.seed=%d -chaos.calls=%d -chaos.length=%v", test, o.Seed, o.Calls, o.Length)
	if o.Weather != "" {
		s.Replay += " -chaos.weather=" + string(o.Weather)
	}
	return s
}
