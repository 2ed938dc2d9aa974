package main

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"testing"
	"time"

	"aldeabridge/aldea/sandbox"
	"aldeabridge/aldea/sandbox/marker"
	"aldeabridge/events"
	"aldeabridge/media/mediatest"
	"aldeabridge/webhooks"
	"aldeabridge/webhooks/webhooktest"
)

// guard is how long a test waits for what must happen before it fails.
const guard = 60 * time.Second

// A world is a whole bridge over real sockets: a recognizer, the server, a webhook receiver.
type world struct {
	sandbox *sandbox.Server
	webhook *webhooktest.Server
	server  *server
	stop    context.CancelFunc // as SIGTERM does
	stopped chan error         // gets what run returned
}

// newWorld starts one. It is stopped at the end of the test, which fails if it does not stop cleanly.
func newWorld(t testing.TB, so sandbox.Options, change func(*options)) *world {
	t.Helper()
	w := newWorldOf(t, so, change)
	t.Cleanup(func() {
		if err := w.close(); err != nil {
			t.Error(err)
		}
	})
	return w
}

// newWorldOf starts one that the test itself closes.
func newWorldOf(t testing.TB, so sandbox.Options, change func(*options)) *world {
	t.Helper()
	w := &world{sandbox: sandbox.New(so), webhook: webhooktest.New(secretA), stopped: make(chan error, 1)}
	parsed, err := webhooks.ParseSecrets(secretA)
	if err != nil {
		t.Fatal(err)
	}
	o := options{
		Listen:     "127.0.0.1:0",
		MaxCalls:   1000,
		Grace:      guard,
		WebhookURL: w.webhook.URL,
		DataDir:    t.TempDir(),
		Aldea: aldeaOptions{
			URL: w.sandbox.URL, SampleRate: 16000, Language: "en", Endpointing: "300", UtteranceEndMS: 1000, Chunk: 60 * time.Millisecond,
		},
		secrets: secrets{aldeaKey: "org_test", webhook: parsed},
	}
	if change != nil {
		change(&o)
	}
	if w.server, err = newServer(o, hooks{}, slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	w.stop = stop
	go func() { w.stopped <- w.server.run(ctx) }()
	return w
}

// close stops it, and returns what its server says about that.
func (w *world) close() error {
	w.stop()
	err := <-w.stopped
	close(w.stopped)
	w.webhook.Close()
	return errors.Join(err, w.sandbox.Close())
}

// call returns a call to the server that says mulaw.
func (w *world) call(sid string, mulaw []byte) *mediatest.Call {
	return &mediatest.Call{URL: w.server.mediaURL(), CallSID: sid, StreamSID: "MZ" + sid, Inbound: mulaw, From: "+15550100001"}
}

// wait blocks until the webhook has got what enough wants.
func (w *world) wait(t testing.TB, enough func(got []webhooktest.Request) bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), guard)
	defer cancel()
	if err := w.webhook.Wait(ctx, enough); err != nil {
		t.Fatalf("the webhook did not get what it should: %v; it got %d requests", err, len(w.webhook.Requests()))
	}
}

// ended waits for the call.ended of n calls.
func (w *world) ended(t testing.TB, n int) {
	t.Helper()
	w.wait(t, func([]webhooktest.Request) bool {
		got := 0
		for _, r := range w.webhook.Delivered() {
			if r.Type == string(events.TypeCallEnded) {
				got++
			}
		}
		return got >= n
	})
}

// delivered returns the events that the webhook answered 2xx, by call, in order of arrival.
func (w *world) delivered(t testing.TB) map[string][]events.Event {
	t.Helper()
	calls := map[string][]events.Event{}
	for _, r := range w.webhook.Delivered() {
		var e events.Event
		if err := json.Unmarshal(r.Body, &e); err != nil {
			t.Fatalf("%v: %s", err, r.Body)
		}
		calls[e.Call.ID] = append(calls[e.Call.ID], e)
	}
	return calls
}

// texts returns what was said, utterance by utterance.
func texts(es []events.Event) []string {
	var said []string
	for _, e := range es {
		if u, ok := e.Body.(events.UtteranceFinal); ok {
			said = append(said, u.Utterance.Text)
		}
	}
	return said
}

// say returns lines as tones, each with a second of silence behind it.
func say(lines ...string) []byte {
	return mulaw(marker.EncodeUtterances(lines, time.Second))
}

// silence returns µ-law silence.
func silence(d time.Duration) []byte {
	b := make([]byte, d.Milliseconds()*8)
	for i := range b {
		b[i] = 0xFF
	}
	return b
}
