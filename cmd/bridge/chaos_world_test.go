package main

import (
	"context"
	"log/slog"
	"sync"
	"testing"
	"time"

	"aldeabridge/aldea"
	"aldeabridge/internal/call"
	"aldeabridge/media/mediatest"
	"aldeabridge/test/chaos"
	"aldeabridge/webhooks"
)

// startBridge starts a whole bridge on a simulated network. It is a calltest.Start.
func startBridge(n calltest.Network) (stop func() error, err error) {
	secret, err := webhooks.ParseSecrets(n.Webhook.Secret)
	if err != nil {
		return nil, err
	}
	s, err := newServer(options{
		MaxCalls:   10_000,
		Grace:      time.Minute,
		WebhookURL: n.Webhook.URL,
		Journal:    journalOptions{inMemory: true},
		Aldea: aldeaOptions{
			URL: n.Recognizer.URL, SampleRate: n.SampleRate, Language: "en", Endpointing: "300", UtteranceEndMS: 1000, Chunk: 60 * time.Millisecond,
			ReplaySpeed: n.ReplaySpeed, Buffer: n.Buffer,
		},
		secrets: secrets{aldeaKey: n.Recognizer.Secret, webhook: secret},
	}, hooks{
		listener: n.Listener,
		aldea:    func(c *aldea.Config) { c.Dial, c.Random = n.Recognizer.Dial, n.Random },
		call:     func(c *call.Config) { c.Recognizer = n.Open(c.Recognizer) },
		webhooks: func(c *webhooks.Config) {
			c.Dial, c.Jitter = n.Webhook.Dial, func() float64 { return 0.8 + 0.4*n.Random() }
		},
	}, slog.New(slog.DiscardHandler))
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	stopped := make(chan error, 1)
	go func() { stopped <- s.run(ctx) }()
	return func() error {
		cancel()
		return <-stopped
	}, nil
}

// outside starts what Fiber and fasthttp keep running for the life of the process (they note the time of day), so
// that no bubble has to wait for it.
var outside = sync.OnceFunc(func() {
	s, err := newServer(options{
		Listen: "127.0.0.1:0", Grace: time.Second,
		Journal: journalOptions{inMemory: true},
		Aldea:   aldeaOptions{URL: "ws://127.0.0.1:1", SampleRate: 16000},
		secrets: secrets{aldeaKey: "org_test"},
	}, hooks{}, slog.New(slog.DiscardHandler))
	if err != nil {
		panic(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	stopped := make(chan error, 1)
	go func() { stopped <- s.run(ctx) }()
	_, err = (&mediatest.Call{URL: s.mediaURL() + "/nowhere/at/all"}).Run(ctx) // refused, after the server has begun
	stop()
	if <-stopped; err == nil {
		panic("the server took a stream at a path that does not exist")
	}
})

// simulate lives through a schedule in memory and simulated time.
func simulate(t *testing.T, s calltest.Schedule, all *calltest.Tally) {
	t.Helper()
	outside()
	calltest.Simulate(t, s, startBridge, all)
}
