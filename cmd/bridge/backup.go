package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
)

type backupCmd struct {
	apiOptions `embed:""`
	File       string `arg:"" help:"A file that is not there yet; - is standard output."`
}

// Run copies the journal, while everything goes on.
func (c *backupCmd) Run(ctx context.Context, term terminal) error {
	api, err := c.client()
	if err != nil {
		return err
	}
	fetch := func(w io.Writer) error { return api.Download(ctx, "/v1/backup", nil, w) }
	if c.File == "-" {
		if isTerminal(term.stdout) {
			return errors.New("a backup is not for reading on a terminal: name a file")
		}
		return fetch(term.stdout)
	}
	if err := writeWhole(c.File, false, fetch); err != nil {
		return err
	}
	info, err := os.Stat(c.File)
	if err != nil {
		return err
	}
	fmt.Fprintf(term.stderr, "%s: %.1f MB. It holds what was said; only you can read it.\n", c.File, float64(info.Size())/1e6)
	return nil
}
