package playback

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

func TestAnEchoDoesNotInterrupt(t *testing.T) {
	all := voices(t)
	for _, one := range []struct {
		name string
		room room
	}{
		{"-12 dB", room{loss: 12}},
		{"-12 dB, a long way", room{loss: 12, up: 60 * ms, down: 40 * ms}},
		{"-12 dB, on a noisy line", room{loss: 12, noise: -45, up: 20 * ms, down: 20 * ms}},
		{"-12 dB, in bursts", room{loss: 12, burst: 15, up: 20 * ms, down: 20 * ms, quiet: time.Second}},
		{"-15 dB, twice", room{loss: 15, again: 70 * ms, up: 20 * ms, down: 20 * ms}},
	} {
		for _, delay := range []time.Duration{0, 33 * ms, 100 * ms, 250 * ms, 600 * ms} {
			for _, loud := range []float64{-12, -25} {
				alarms, n := 0, 0
				for _, voice := range all {
					synctest.Test(t, func(*testing.T) {
						r := one.room
						if r.delay = delay - r.up - r.down; r.delay < 0 {
							return
						}
						n++
						if _, interrupted := r.call(level(voice, loud), 0); interrupted {
							alarms++
						}
					})
				}
				if alarms > 0 {
					t.Errorf("echo %s, %v late, of %v dBFS: got %d of %d interrupted, want none", one.name, delay, loud, alarms, n)
				}
			}
		}
	}
}

func TestTheCallerInterrupts(t *testing.T) {
	all := voices(t)
	for _, one := range []struct {
		loss     float64       // echo return loss in dB, 0 for no echo
		relative float64       // level of the caller relative to the played audio, in dB
		half     time.Duration // median of the detection time
		most     time.Duration // 95th percentile of the detection time
	}{
		{0, 0, 150 * ms, 300 * ms},
		{0, -6, 400 * ms, time.Second},
		{0, -12, 800 * ms, 2 * time.Second},
		{12, 0, 100 * ms, 200 * ms},
		{12, -6, 150 * ms, 800 * ms},
		{12, -12, 400 * ms, 1500 * ms},
		{30, 0, 150 * ms, 300 * ms},
		{30, -6, 400 * ms, time.Second},
		{30, -12, 800 * ms, 2 * time.Second},
	} {
		var took []time.Duration
		for i, voice := range all {
			const begin = 2 * 8000
			heard := slices.Concat(all[(i+1)%len(all)], all[(i+2)%len(all)], all[(i+3)%len(all)], all[(i+4)%len(all)])
			speech := level(voice, -20+one.relative)
			first := duration(int64(begin + onset(speech)))
			synctest.Test(t, func(*testing.T) {
				r := room{up: 20 * ms, down: 20 * ms, delay: 160 * ms, loss: one.loss, noise: -60, caller: append(make([]int16, begin), speech...)}
				at, interrupted := r.call(level(heard, -20), 0)
				if at -= first + r.down; !interrupted {
					at = time.Hour
				} else if at < 0 {
					t.Errorf("echo %+v: interrupted %v before the caller spoke", one, -at)
				}
				took = append(took, at)
			})
		}
		slices.Sort(took)
		half, most := took[len(took)/2], took[(len(took)-1)*19/20]
		t.Logf("echo loss %v dB, caller %+v dB: %v, p95 %v, most %v", one.loss, one.relative, half, most, took[len(took)-1])
		if half > one.half || most > one.most {
			t.Errorf("echo loss %v dB, caller %+v dB: got %v and %v, want at most %v and %v", one.loss, one.relative, half, most, one.half, one.most)
		}
	}
}

func TestABurstInterruptsWithinItsThirdMessage(t *testing.T) {
	for begin := 16000; begin < 16000+message; begin += 20 {
		caller := make([]int16, begin+4000)
		for i := range caller[begin:] {
			caller[begin+i] = int16(8000 * math.Sin(2*math.Pi*440*float64(i)/8000))
		}
		synctest.Test(t, func(t *testing.T) {
			r := room{caller: caller, loss: 30, noise: -60}
			at, _ := r.call(level(babble(1, 4*time.Second), -20), 0)
			if at -= duration(int64(begin)); at < 30*ms || at > 60*ms {
				t.Errorf("a burst that begins %v after a message interrupts after %v, want 30 to 60 ms", duration(int64(begin-16000)), at)
			}
		})
	}
}

func TestNoiseDoesNotInterrupt(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 5))
	amplitude := func(dB float64) float64 { return 32768 * math.Pow(10, dB/20) }
	hiss := func(dB float64) func(int) float64 {
		return func(int) float64 { return amplitude(dB) * rng.NormFloat64() }
	}
	// each makes bursts of length d, one per interval.
	each := func(d, every time.Duration, sound func(int) float64) func(int) float64 {
		n, all := samples(d), samples(every)
		return func(i int) float64 {
			if int64(i)%all < n {
				return sound(i)
			}
			return 0
		}
	}
	for name, sound := range map[string]func(i int) float64{
		"hiss of -45 dBFS":                      hiss(-45),
		"hiss of -32 dBFS":                      hiss(-32),
		"comfort noise of -50 dBFS, on and off": each(500*ms, 1010*ms, hiss(-50)),
		"comfort noise of -42 dBFS, on and off": each(500*ms, 1010*ms, hiss(-42)),
		"hum of -35 dBFS":                       func(i int) float64 { return amplitude(-32) * math.Sin(2*math.Pi*50*float64(i)/8000) },
		"clicks":                                each(2*ms, 83*ms, func(i int) float64 { return amplitude(-6) * float64(i%2*2-1) }),
		"pops":                                  each(15*ms, 207*ms, hiss(-10)),
		"breath of -42 dBFS":                    each(600*ms, 3*time.Second, hiss(-42)),
	} {
		caller := make([]int16, 8*8000)
		for i := range caller {
			if i >= 4000 {
				caller[i] = int16(max(-32768, min(32767, sound(i))))
			}
		}
		synctest.Test(t, func(t *testing.T) {
			r := room{caller: caller, loss: 12, delay: 200 * ms}
			r.quiet = 3 * time.Second
			if at, interrupted := r.call(level(babble(2, 5*time.Second), -20), 0); interrupted {
				t.Errorf("%s interrupts after %v", name, at)
			}
		})
	}
}
