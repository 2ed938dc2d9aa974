package main

import (
	"context"
	"log/slog"
)

type serveCmd struct {
	options
}

// Run serves until ctx ends.
func (c *serveCmd) Run(ctx context.Context, logger *slog.Logger) error {
	s, err := newServer(c.options, hooks{}, logger)
	if err != nil {
		return err
	}
	return s.run(ctx)
}
