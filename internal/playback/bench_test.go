package playback

import (
	"slices"
	"sync"
	"testing"
	"time"

	"aldeabridge/codec"
)

// A stopwatch is a Line that records when the first clear was sent.
type stopwatch struct {
	wire
	clear chan time.Time
}

func (s *stopwatch) SendClear() error {
	select {
	case s.clear <- time.Now():
	default:
	}
	return nil
}

// BenchmarkBargeIn lets 100 callers, who hear speech, begin to speak one after the other, 20 ms at a time, and measures how
// long after the first loud frame was handed to Heard the clear is sent. The second one comes 20 ms later.
func BenchmarkBargeIn(b *testing.B) {
	bot := make([]byte, 8*8000)
	codec.EncodeMuLaw(bot, level(babble(1, 8*time.Second), -20))
	quiet, loud := make([]byte, message), make([]byte, message)
	for i := range quiet {
		quiet[i], loud[i] = 0xFF, byte(i&1<<7|0x10)
	}
	var mu sync.Mutex
	var took []time.Duration
	for b.Loop() {
		var callers sync.WaitGroup
		for i := range 100 {
			callers.Go(func() {
				d := bargeIn(bot, quiet, loud, 50+i/4, time.Duration(i)*200*time.Microsecond)
				mu.Lock()
				defer mu.Unlock()
				took = append(took, d)
			})
		}
		callers.Wait()
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2])/1e6, "p50-ms")
	b.ReportMetric(float64(took[len(took)*95/100])/1e6, "p95-ms")
	b.ReportMetric(float64(took[len(took)-1])/1e6, "max-ms")
}

// bargeIn simulates one call: the caller is loud after the given number of quiet messages.
func bargeIn(bot, quiet, loud []byte, messages int, offset time.Duration) time.Duration {
	line := &stopwatch{clear: make(chan time.Time, 1)}
	p := New(Config{Line: line})
	defer func() { _ = p.Close() }()
	_ = p.Enqueue(Item{Source: &recording{bot}, Interruptible: true})
	began := time.Now().Add(offset)
	var spoke time.Time
	for i := 0; ; i++ {
		time.Sleep(time.Until(began.Add(time.Duration(i) * 20 * ms)))
		if i < messages {
			p.Heard(quiet)
			continue
		}
		if spoke.IsZero() {
			spoke = time.Now()
		}
		p.Heard(loud)
		select {
		case t := <-line.clear:
			return t.Sub(spoke)
		default:
		}
	}
}

// BenchmarkHeard measures Heard for one frame while audio plays, including the comparison with echoes.
func BenchmarkHeard(b *testing.B) {
	c := newCarrier(1)
	p := New(Config{Line: c})
	c.p = p
	mulaw := make([]byte, 8*8000)
	_ = p.Enqueue(Item{Source: &recording{mulaw}, Interruptible: true})
	for !p.audible.Load() {
		time.Sleep(ms)
	}
	loud := make([]byte, message)
	codec.EncodeMuLaw(loud, level(babble(1, time.Second)[:message], -30))
	b.SetBytes(message)
	for b.Loop() {
		p.Heard(loud)
	}
	_ = p.Close()
}
