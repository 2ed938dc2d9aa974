package aldea

import (
	"testing"
	"testing/synctest"
	"time"
)

func TestPacerNeverHoldsUpLiveAudio(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := pacer{speed: 1.25}
		p.restart(time.Now())
		for i := range 10000 {
			if wait := p.wait(60*ms, time.Now()); wait != 0 {
				t.Fatalf("chunk %d must wait %v", i, wait)
			}
			p.spend(60 * ms)
			time.Sleep(60 * ms)
		}
	})
}

func TestPacerSendsABacklogAtItsSpeed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := pacer{speed: 1.25}
		p.restart(time.Now())
		start := time.Now()
		for range 100 { // 10 s
			time.Sleep(p.wait(100*ms, time.Now()))
			if wait := p.wait(100*ms, time.Now()); wait != 0 {
				t.Fatalf("after the wait it must wait %v more", wait)
			}
			p.spend(100 * ms)
		}
		want := (10*time.Second - paceBurst) * 4 / 5
		if took := time.Since(start); took < want || took > want+ms {
			t.Errorf("10s took %v, want %v", took, want)
		}
	})
}

func TestPacerDoesNotSaveUpCredit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := pacer{speed: 1.25}
		p.restart(time.Now())
		time.Sleep(time.Hour)
		if p.wait(paceBurst, time.Now()) != 0 {
			t.Error("after a pause, a burst must wait")
		}
		p.spend(paceBurst)
		if p.wait(100*ms, time.Now()) == 0 {
			t.Error("after the burst, more need not wait")
		}
	})
}
