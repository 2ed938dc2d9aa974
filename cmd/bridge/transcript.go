package main

import (
	"context"
	"errors"
	"io"
	"net/url"
	"strings"

	"aldeabridge/internal/api/client"
	"aldeabridge/internal/api/types"
)

type transcriptCmd struct {
	apiOptions `embed:""`
	Call       string `arg:"" optional:"" help:"The call's id; without it the newest call."`
	Format     string `default:"text" enum:"text,json,srt,vtt,csv" help:"One of ${enum} (${default})."`
	Output     string `short:"o" placeholder:"FILE" help:"Write to FILE, which appears when it is whole and replaces what was there."`
}

// Run prints what was said on a call.
func (c *transcriptCmd) Run(ctx context.Context, term terminal) error {
	api, err := c.client()
	if err != nil {
		return err
	}
	id := c.Call
	if id == "" {
		if id, err = newestCall(ctx, api); err != nil {
			return err
		}
	}
	fetch := func(w io.Writer) error {
		return api.Download(ctx, "/v1/calls/"+url.PathEscape(id)+"/transcript", url.Values{"format": {c.Format}}, w)
	}
	if c.Output != "" && c.Output != "-" {
		return writeWhole(c.Output, true, fetch)
	}
	if !isTerminal(term.stdout) {
		return fetch(term.stdout)
	}
	var b strings.Builder
	if err := fetch(&b); err != nil {
		return err
	}
	_, err = io.WriteString(term.stdout, printableLines(b.String()))
	return err
}

// newestCall is the id of the call that began last.
func newestCall(ctx context.Context, api *client.Client) (string, error) {
	for call, err := range client.List[types.Call](ctx, api, "/v1/calls", url.Values{"limit": {"1"}}) {
		return call.ID, err
	}
	return "", errors.New("there are no calls yet")
}
