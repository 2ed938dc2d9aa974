package main

import (
	"context"
	"log/slog"
	"os"
	"runtime/debug"
	"sync"
)

type serveCmd struct {
	options
	Pprof string `env:"BRIDGE_PPROF" placeholder:"HOST:PORT" help:"Serve profiles there, on this machine only."`
	Print bool   `env:"BRIDGE_PRINT" help:"Print utterances; on by itself on a terminal if there is no webhook."`
}

// gcPercent is how much the heap may grow between two collections, unless GOGC says otherwise. A call allocates
// little but keeps its buffers: a low value costs no processor time that could be measured with 100 calls, and
// saves a third of the memory of Go's own 100.
const gcPercent = 15

// Run serves until ctx ends.
func (c *serveCmd) Run(ctx context.Context, term terminal, logger *slog.Logger) error {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	if err := startPprof(c.Pprof, logger); err != nil {
		return err
	}
	var h hooks
	if c.Print || c.WebhookURL == "" && isTerminal(term.stdout) {
		show := newScreen(term, false)
		show.inPlace = false // log lines are printed between
		h.event = show.event
	}
	s, err := newServer(c.options, h, logger)
	if err != nil {
		return err
	}
	memory := newTrimmer()
	trimming, stop := context.WithCancel(ctx)
	var trimmed sync.WaitGroup
	trimmed.Go(func() { memory.run(trimming) })
	defer trimmed.Wait()
	defer stop()
	return s.run(ctx)
}
