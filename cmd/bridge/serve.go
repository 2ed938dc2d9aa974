package main

import (
	"context"
	"log/slog"
)

type serveCmd struct {
	options
	Print bool `env:"BRIDGE_PRINT" help:"Print what is said; on by itself on a terminal if there is no webhook."`
}

// Run serves until ctx ends.
func (c *serveCmd) Run(ctx context.Context, term terminal, logger *slog.Logger) error {
	var h hooks
	if c.Print || c.WebhookURL == "" && isTerminal(term.stdout) {
		show := newScreen(term, false)
		show.inPlace = false // log lines come in between
		h.event = show.event
	}
	s, err := newServer(c.options, h, logger)
	if err != nil {
		return err
	}
	return s.run(ctx)
}
