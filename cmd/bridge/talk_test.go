package main

import (
	"encoding/base64"
	"fmt"
	"math"
	"slices"
	"sync"
	"testing"
	"time"

	"aldeabridge/aldea/sandbox"
	"aldeabridge/events"
	"aldeabridge/media/mediatest"
	"aldeabridge/webhooks/webhooktest"
)

// tone is µ-law of 440 Hz at an amplitude.
func tone(d time.Duration, amplitude float64) []byte {
	samples := make([]int16, d.Milliseconds()*8)
	for i := range samples {
		samples[i] = int16(amplitude * math.Sin(2*math.Pi*440*float64(i)/8000))
	}
	return mulaw(samples)
}

// BenchmarkTalkingBack reports, for calls that run at the same time, carriers, recognizer and webhook sharing this machine: how
// long after the webhook's answer the first frame of its play is at the carrier, and how long after the caller's first loud
// frame the carrier is told to clear. b.N is not what counts: each round is one call of nine seconds for each of them.
func BenchmarkTalkingBack(b *testing.B) {
	const burst = 4 * time.Second
	prompt := `{"actions":[{"type":"play","format":"mulaw","audio":"` + base64.StdEncoding.EncodeToString(tone(8*time.Second, 3000)) + `"}]}`
	for _, calls := range []int{1, 100} {
		b.Run(fmt.Sprintf("calls=%d", calls), func(b *testing.B) {
			w := newWorld(b, sandbox.Options{Source: sandbox.Marker()}, func(o *options) { o.EchoLoss = 9 })
			var mu sync.Mutex
			answered := map[string]time.Time{}
			w.webhook.Script(func(r webhooktest.Request) webhooktest.Answer {
				if r.Type != string(events.TypeCallStarted) {
					return webhooktest.OK()
				}
				mu.Lock()
				defer mu.Unlock()
				answered[r.CallID] = time.Now()
				return webhooktest.JSON(prompt)
			})
			audio := append(append(silence(burst), tone(time.Second, 12000)...), silence(4*time.Second)...)
			var first, clears []time.Duration
			for range b.N {
				var wg sync.WaitGroup
				for i := range calls {
					wg.Go(func() {
						_ = pause(b.Context(), time.Duration(i)*2*time.Second/time.Duration(calls)) // as calls come, not all at once
						var began, loud time.Time
						c := w.call(newSID("CA"), audio)
						c.Received = func(m mediatest.Message) {
							if m.Event == "media" && began.IsZero() {
								began = m.At
							}
						}
						c.Burst = func(offset time.Duration, at time.Time) {
							if loud.IsZero() && offset >= burst {
								loud = at
							}
						}
						result, err := c.Run(b.Context())
						if err != nil || len(result.ClearedAt) == 0 || began.IsZero() {
							b.Errorf("call %s: %v, %d clears, %d bytes came", c.CallSID, err, len(result.ClearedAt), result.MediaBytes)
							return
						}
						mu.Lock()
						defer mu.Unlock()
						first = append(first, began.Sub(answered[c.CallSID]))
						clears = append(clears, result.ClearedAt[0].Sub(loud))
					})
				}
				wg.Wait()
			}
			for name, all := range map[string][]time.Duration{"answer-to-frame": first, "burst-to-clear": clears} {
				slices.Sort(all)
				for _, q := range []int{50, 95, 99} {
					b.ReportMetric(milliseconds(all[(len(all)-1)*q/100]), fmt.Sprintf("%s-p%d-ms", name, q))
				}
			}
			b.ReportMetric(0, "ns/op")
		})
	}
}
