package calltest

import (
	"context"
	"fmt"
	"io"
	stdlog "log"
	"math/rand/v2"
	"net"
	"net/http"
	"sync"
	"time"

	"aldeabridge/internal/call"
	"aldeabridge/media/mediatest"
	"aldeabridge/test/faultnet"
	"aldeabridge/webhooks/webhooktest"
)

// WebhookSecret signs the webhooks in every world.
const WebhookSecret = "whsec_Y2FsbHRlc3QgY2FsbHRlc3QgY2FsbHRlc3QgY2FsbHQ="

// patience is how long after its last call a world waits for the last webhook.
const patience = 2 * time.Minute

// A simulation is one run of a schedule.
type simulation struct {
	schedule *Schedule
	tally    Tally
	began    time.Time
	// patience is how much later than it should anything may happen: nothing in simulated time, and in real time
	// what a busy machine makes of it.
	patience time.Duration

	dialBridge func(ctx context.Context, network, addr string) (net.Conn, error)
	recognizer *recognizer
	webhook    *webhook
	results    []callResult // of each call
	late       error        // not every call.ended came
}

// A callResult is what the carrier says of a call.
type callResult struct {
	mediatest.Result
	err   error
	first time.Time     // when the first frame left, less its offset
	late  time.Duration // how much later than it should a frame has left at most
}

// sent notes when a frame has left. It leaves late when the bridge does not read.
func (r *callResult) sent(c *Call, offset time.Duration, at time.Time) {
	began := at.Add(-offset)
	if r.first.IsZero() || began.Before(r.first) {
		r.first = began
	}
	late := began.Sub(r.first) - c.Jitter
	for _, s := range c.Stalls {
		late -= s.To - s.From
	}
	r.late = max(r.late, late)
}

// A wiring is what a world is made of: memory or sockets.
type wiring struct {
	carriers   net.Listener
	dialBridge func(ctx context.Context, network, addr string) (net.Conn, error)
	recognizer net.Listener
	toRecog    faultnet.Network
	webhook    net.Listener
	dialHook   func(ctx context.Context, network, addr string) (net.Conn, error)
	close      func()
}

// memory is a world without sockets.
func memory() wiring {
	carriers, recognizer, webhook := faultnet.Listen(), faultnet.Listen(), faultnet.Listen()
	return wiring{
		carriers: carriers, dialBridge: carriers.DialContext,
		recognizer: recognizer, toRecog: recognizer,
		webhook: webhook, dialHook: webhook.DialContext,
		close: func() {},
	}
}

// sockets is a world on the loopback interface.
func sockets() (wiring, error) {
	var listeners [3]net.Listener
	for i := range listeners {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return wiring{}, fmt.Errorf("calltest: %w", err)
		}
		listeners[i] = l
	}
	var d net.Dialer
	relay, err := faultnet.NewRelay(func(ctx context.Context) (net.Conn, error) {
		return d.DialContext(ctx, "tcp", listeners[1].Addr().String())
	})
	if err != nil {
		return wiring{}, err
	}
	return wiring{
		carriers: listeners[0], dialBridge: d.DialContext,
		recognizer: listeners[1], toRecog: relay,
		webhook: listeners[2], dialHook: d.DialContext,
		close: func() { _ = relay.Close() },
	}, nil
}

// run lives through the schedule and returns when nothing is left running.
func (w *simulation) run(ctx context.Context, wires wiring, start Start) error {
	w.began = time.Now()
	w.dialBridge = wires.dialBridge
	w.recognizer = startRecognizer(w, wires.recognizer, wires.toRecog)
	defer wires.close()
	defer w.recognizer.close()
	w.webhook = startWebhook(w, wires.webhook)
	defer w.webhook.close()
	stop, err := start(Network{
		Listener:    wires.carriers,
		Recognizer:  Peer{URL: "ws://" + wires.recognizer.Addr().String(), Secret: "org_calltest", Dial: w.recognizer.dial},
		Webhook:     Peer{URL: "http://" + wires.webhook.Addr().String(), Secret: WebhookSecret, Dial: wires.dialHook},
		Open:        func(inner call.Recognizer) call.Recognizer { return opener{inner, w.recognizer} },
		ReplaySpeed: w.schedule.ReplaySpeed,
		Buffer:      w.schedule.Buffer,
		SampleRate:  w.schedule.rate(),
		Random:      w.random,
	})
	if err != nil {
		return fmt.Errorf("calltest: start: %w", err)
	}
	w.place(ctx, "ws://"+wires.carriers.Addr().String()+"/media/twilio")
	waiting, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	w.late = w.webhook.ended(waiting, len(w.schedule.Calls))
	return stop()
}

// random is a number that depends on the seed and the time.
func (w *simulation) random() float64 {
	return rand.New(rand.NewPCG(w.schedule.Seed, uint64(time.Since(w.began)))).Float64()
}

// place makes all calls and waits until they are over.
func (w *simulation) place(ctx context.Context, url string) {
	w.results = make([]callResult, len(w.schedule.Calls))
	var calls sync.WaitGroup
	for _, m := range w.schedule.Moments {
		calls.Go(func() {
			if pause(ctx, m.At) {
				m.Do()
			}
		})
	}
	for i := range w.schedule.Calls {
		calls.Go(func() {
			c := &w.schedule.Calls[i]
			if !pause(ctx, c.At) {
				return
			}
			carrier := c.carrier()
			carrier.URL, carrier.Dial, carrier.Seed = url, w.dialBridge, w.schedule.Seed+uint64(i)
			carrier.Sent = func(_ mediatest.Track, offset time.Duration, at time.Time) { w.results[i].sent(c, offset, at) }
			w.results[i].Result, w.results[i].err = carrier.Run(ctx)
		})
	}
	calls.Wait()
}

// carrier is the call as a carrier makes it.
func (c *Call) carrier() *mediatest.Call {
	m := &mediatest.Call{
		CallSID: c.SID, StreamSID: "MZ" + c.SID, From: "+15550100001",
		HangUp: c.HangUp, Jitter: c.Jitter, Duplicate: c.Duplicate, Stalls: c.Stalls, DTMF: c.Digits,
	}
	for _, l := range c.Legs {
		if l.Speaker == speakerOf(mediatest.Outbound) {
			m.Outbound = l.Audio
		} else {
			m.Inbound = l.Audio
		}
	}
	return m
}

// pause waits, and reports false if ctx ends first.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// rate is the sample rate of the recognizer.
func (s *Schedule) rate() int {
	if s.SampleRate == 0 {
		return 16000
	}
	return s.SampleRate
}

// leg is the plan of a leg and the length of its call; an empty one if the schedule has none.
func (s *Schedule) leg(key legKey) (*Leg, time.Duration) {
	for i := range s.Calls {
		if s.Calls[i].SID != key.call {
			continue
		}
		for n := range s.Calls[i].Legs {
			if l := &s.Calls[i].Legs[n]; l.Speaker == key.speaker {
				return l, s.Calls[i].Length()
			}
		}
	}
	return &Leg{Speaker: key.speaker}, 0
}

// A webhook is the receiver of events.
type webhook struct {
	*webhooktest.Endpoint
	server http.Server
	served sync.WaitGroup
}

func startWebhook(w *simulation, l net.Listener) *webhook {
	h := &webhook{Endpoint: webhooktest.NewEndpoint(WebhookSecret)}
	h.Script(func(r webhooktest.Request) webhooktest.Answer {
		if r.Attempt == 1 && w.schedule.fails(r.CallID, r.Sequence) {
			w.tally.fault("webhook 503")
			return webhooktest.Status(http.StatusServiceUnavailable)
		}
		return webhooktest.OK()
	})
	h.server = http.Server{Handler: h, ErrorLog: stdlog.New(io.Discard, "", 0)}
	h.served.Go(func() { _ = h.server.Serve(l) })
	return h
}

// fails decides whether the first attempt of an event fails.
func (s *Schedule) fails(call string, sequence int64) bool {
	if s.WebhookErrors == 0 {
		return false
	}
	n := s.Seed
	for _, b := range []byte(fmt.Sprint(call, sequence)) {
		n = n*1099511628211 ^ uint64(b)
	}
	return rand.New(rand.NewPCG(n, s.Seed)).Float64() < s.WebhookErrors
}

// ended waits for the last event of n calls.
func (h *webhook) ended(ctx context.Context, n int) error {
	over := map[string]bool{}
	seen := 0
	return h.Wait(ctx, func(got []webhooktest.Request) bool {
		for ; seen < len(got) && got[seen].Done; seen++ {
			if got[seen].Type == "call.ended" && got[seen].Status/100 == 2 {
				over[got[seen].CallID] = true
			}
		}
		return len(over) >= n
	})
}

func (h *webhook) close() {
	h.Close()
	_ = h.server.Close()
	h.served.Wait()
}
