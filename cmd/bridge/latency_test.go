package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"aldeabridge/codec"
	"aldeabridge/media/mediatest"
)

// A stopwatch is a recognizer that only notes when audio arrives. A call's audio is one constant level, from
// which the stopwatch knows the call.
type stopwatch struct {
	mu      sync.Mutex
	arrived map[byte][]arrival // by the call's level, as a µ-law byte
}

// An arrival says that all audio before until had come at a time.
type arrival struct {
	until time.Duration
	at    time.Time
}

func (s *stopwatch) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	up := websocket.Upgrader{Subprotocols: []string{"token"}}
	conn, err := up.Upgrade(w, r, nil)
	if err != nil {
		return
	}
	defer conn.Close()
	var mine []arrival
	var level [1]byte
	bytes := 0
	for {
		kind, b, err := conn.ReadMessage()
		if err != nil {
			return
		}
		if kind == websocket.TextMessage {
			if string(b) == `{"type":"CloseStream"}` {
				break
			}
			continue
		}
		bytes += len(b)
		if len(mine) == 10 { // the level is steady by now
			codec.EncodeMuLaw(level[:], []int16{int16(binary.LittleEndian.Uint16(b))})
		}
		mine = append(mine, arrival{time.Duration(bytes) * time.Second / 32000, time.Now()})
	}
	s.mu.Lock()
	s.arrived[level[0]] = mine
	s.mu.Unlock()
	_ = conn.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(1000, ""), time.Now().Add(time.Second))
}

// BenchmarkAddedLatency reports how long after a frame left the carrier its audio arrives at the recognizer,
// with carrier, bridge and recognizer sharing this machine. b.N is not what counts: each round is a fixed
// number of calls of ten seconds.
func BenchmarkAddedLatency(b *testing.B) {
	for _, calls := range []int{1, 50, 100} {
		b.Run(fmt.Sprintf("calls=%d", calls), func(b *testing.B) {
			var all []time.Duration
			for range b.N {
				all = append(all, latencies(b, calls, 10*time.Second)...)
			}
			slices.Sort(all)
			for name, q := range map[string]float64{"p50-ms": 0.50, "p95-ms": 0.95, "p99-ms": 0.99} {
				b.ReportMetric(milliseconds(all[int(q*float64(len(all)-1))]), name)
			}
			b.ReportMetric(0, "ns/op")
		})
	}
}

// latencies places calls and returns the added latency of each of their frames.
func latencies(b *testing.B, calls int, length time.Duration) []time.Duration {
	watch := &stopwatch{arrived: map[byte][]arrival{}}
	recognizer := httptest.NewServer(watch)
	defer recognizer.Close()
	o := options{Listen: "127.0.0.1:0", MaxCalls: 1000, Grace: 20 * time.Second, secrets: secrets{aldeaKey: "org_bench"},
		Journal: journalOptions{inMemory: true},
		Aldea:   aldeaOptions{URL: recognizer.URL, SampleRate: 16000, Language: "en", Endpointing: "300"}}
	srv, err := newServer(o, hooks{}, slog.New(slog.DiscardHandler))
	if err != nil {
		b.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	stopped := make(chan error, 1)
	go func() { stopped <- srv.run(ctx) }()

	left := make([][]time.Time, calls) // when each frame of each call left
	var wg sync.WaitGroup
	for i := range calls {
		wg.Go(func() {
			_ = pause(ctx, time.Duration(i)*time.Second/time.Duration(calls)) // as calls come, not all at once
			c := &mediatest.Call{URL: srv.mediaURL(), Inbound: slices.Repeat([]byte{byte(i)}, int(length.Milliseconds())*8),
				Sent: func(_ mediatest.Track, _ time.Duration, at time.Time) { left[i] = append(left[i], at) }}
			if _, err := c.Run(ctx); err != nil {
				b.Error(err)
			}
		})
	}
	wg.Wait()
	stop()
	if err := <-stopped; err != nil {
		b.Fatal(err)
	}
	var all []time.Duration
	for i := range calls {
		arrivals := watch.arrived[byte(i)]
		if len(arrivals) == 0 {
			b.Fatalf("call %d did not arrive", i)
		}
		for frame, at := range left[i] {
			end := time.Duration(frame+1) * 20 * time.Millisecond
			if n := slices.IndexFunc(arrivals, func(a arrival) bool { return a.until >= end }); n >= 0 {
				all = append(all, arrivals[n].at.Sub(at))
			}
		}
	}
	return all
}
