package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"runtime/debug"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"aldeabridge/aldea"
	"aldeabridge/events"
	"aldeabridge/media/mediatest"
	"aldeabridge/webhooks"
)

// A relay race is what happens to each final: when the recognizer sent it, when it was read from the bridge's socket,
// and when its request had arrived at the webhook. Finals are known by their text.
type relayRace struct {
	every time.Duration // between the finals of a call

	mu                      sync.Mutex
	calls                   int
	sent, received, arrived map[string]time.Time
}

func (r *relayRace) note(when map[string]time.Time, text string, at time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	when[text] = at
}

// recognize is a recognizer that hears a final every so often, whatever is said.
func (r *relayRace) recognize(w http.ResponseWriter, req *http.Request) {
	up := websocket.Upgrader{Subprotocols: []string{"token"}}
	conn, err := up.Upgrade(w, req, nil)
	if err != nil {
		return
	}
	defer conn.Close()
	r.mu.Lock()
	call := r.calls
	r.calls++
	r.mu.Unlock()
	start, end, n := 0.0, 0.0, 0
	next := time.Now().Add(r.every)
	for {
		kind, b, err := conn.ReadMessage()
		if err != nil {
			return
		}
		if kind == websocket.TextMessage {
			if string(b) == `{"type":"CloseStream"}` {
				_ = conn.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(1000, ""), time.Now().Add(time.Second))
				return
			}
			continue
		}
		if end += float64(len(b)) / 32000; time.Now().Before(next) {
			continue
		}
		next = next.Add(r.every)
		n++
		text := fmt.Sprintf("call %d final %d", call, n)
		message := fmt.Appendf(nil, `{"type":"Results","channel_index":[0],"duration":%f,"start":%f,"is_final":true,"speech_final":true,`+
			`"channel":{"alternatives":[{"transcript":%q,"confidence":0.9,"words":[]}]}}`, end-start, start, text)
		start = end
		r.note(r.sent, text, time.Now())
		if err := conn.WriteMessage(websocket.TextMessage, message); err != nil {
			return
		}
	}
}

// deliver is the webhook.
func (r *relayRace) deliver(_ http.ResponseWriter, req *http.Request) {
	at := time.Now()
	var e struct {
		Type string
		Data struct{ Utterance struct{ Text string } }
	}
	if json.NewDecoder(req.Body).Decode(&e) == nil && e.Type == string(events.TypeUtteranceFinal) {
		r.note(r.arrived, e.Data.Utterance.Text, at)
	}
}

// dial connects the bridge to its recognizer and notes what is read.
func (r *relayRace) dial(ctx context.Context, network, address string) (net.Conn, error) {
	var d net.Dialer
	conn, err := d.DialContext(ctx, network, address)
	return wiretap{conn, r}, err
}

// A wiretap notes when finals are read from a connection.
type wiretap struct {
	net.Conn
	race *relayRace
}

var finalText = regexp.MustCompile(`"transcript":"(call \d+ final \d+)"`)

func (w wiretap) Read(b []byte) (int, error) {
	n, err := w.Conn.Read(b)
	at := time.Now()
	for _, found := range finalText.FindAllSubmatch(b[:n], -1) {
		w.race.note(w.race.received, string(found[1]), at)
	}
	return n, err
}

// BenchmarkUtteranceLatency reports how long after a final was read from the recognizer's socket the request that tells
// of it is at the webhook; and the same from the moment that the recognizer began to send it. The journal is on the
// disk, as durable as by default; carriers, bridge, recognizer and webhook share this machine. What the machine itself
// takes meanwhile is reported beside it: a sync of 4 kB on the same disk, and how late a timer fires. b.N
// is not what counts: each round is calls of a minute, with a final every two seconds.
func BenchmarkUtteranceLatency(b *testing.B) {
	defer debug.SetGCPercent(debug.SetGCPercent(gcPercent)) // as bridge serve does
	for _, calls := range []int{1, 100} {
		b.Run(fmt.Sprintf("calls=%d", calls), func(b *testing.B) {
			var received, sent []time.Duration
			m := watchMachine(b)
			for range b.N {
				r := race(b, calls, time.Minute)
				for text, at := range r.sent {
					arrived, ok := r.arrived[text]
					if !ok || r.received[text].IsZero() {
						b.Fatalf("%q was sent and did not arrive", text)
					}
					received, sent = append(received, arrived.Sub(r.received[text])), append(sent, arrived.Sub(at))
				}
			}
			syncs, wakes := m.stop()
			slices.Sort(received)
			slices.Sort(sent)
			at := func(all []time.Duration, q float64) float64 { return milliseconds(all[int(q*float64(len(all)-1))]) }
			b.ReportMetric(at(received, 0.50), "p50-ms")
			b.ReportMetric(at(received, 0.99), "p99-ms")
			b.ReportMetric(at(received, 1), "max-ms")
			b.ReportMetric(at(sent, 0.50), "sent-p50-ms")
			b.ReportMetric(at(sent, 0.99), "sent-p99-ms")
			b.ReportMetric(at(syncs, 0.50), "sync-p50-ms")
			b.ReportMetric(at(syncs, 0.99), "sync-p99-ms")
			b.ReportMetric(at(wakes, 0.99), "wake-p99-ms")
			b.ReportMetric(float64(len(received)), "utterances")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// race places calls and returns what happened to their finals.
func race(b *testing.B, calls int, length time.Duration) *relayRace {
	r := &relayRace{every: 2 * time.Second, sent: map[string]time.Time{}, received: map[string]time.Time{}, arrived: map[string]time.Time{}}
	recognizer, webhook := httptest.NewServer(http.HandlerFunc(r.recognize)), httptest.NewServer(http.HandlerFunc(r.deliver))
	defer recognizer.Close()
	defer webhook.Close()
	secret, err := webhooks.ParseSecrets(secretA)
	if err != nil {
		b.Fatal(err)
	}
	srv, err := newServer(options{Listen: "127.0.0.1:0", MaxCalls: 1000, Grace: 20 * time.Second, DataDir: b.TempDir(), WebhookURL: webhook.URL,
		secrets: secrets{aldeaKey: "org_bench", webhook: secret},
		Aldea:   aldeaOptions{URL: recognizer.URL, SampleRate: 16000, Language: "en", Endpointing: "300", UtteranceEndMS: 1000},
	}, hooks{aldea: func(c *aldea.Config) { c.Dial = r.dial }}, slog.New(slog.DiscardHandler))
	if err != nil {
		b.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	stopped := make(chan error, 1)
	go func() { stopped <- srv.run(ctx) }()
	var wg sync.WaitGroup
	for i := range calls {
		wg.Go(func() {
			_ = pause(ctx, time.Duration(i)*2*time.Second/time.Duration(calls)) // as calls come, not all at once
			if _, err := (&mediatest.Call{URL: srv.mediaURL(), Inbound: silence(length)}).Run(ctx); err != nil {
				b.Error(err)
			}
		})
	}
	wg.Wait()
	stop()
	if err := <-stopped; err != nil {
		b.Fatal(err)
	}
	return r
}
