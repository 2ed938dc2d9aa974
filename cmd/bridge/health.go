package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

type healthCmd struct {
	URL    string `arg:"" optional:"" placeholder:"URL" help:"The bridge's address (that of BRIDGE_LISTEN on this machine)."`
	Listen string `env:"BRIDGE_LISTEN" default:"127.0.0.1:8080" hidden:""`
}

// Run asks for /readyz and fails unless the answer is 200. Containers use it as their health check.
func (c *healthCmd) Run(ctx context.Context, term terminal) error {
	base, err := bridgeURL("URL", c.URL, c.Listen)
	if err != nil {
		return err
	}
	url := strings.TrimSuffix(base, "/") + "/readyz"
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return fmt.Errorf("no bridge answers at %s: is `bridge` running? (%w)", base, err)
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(io.LimitReader(resp.Body, 4096)) // shown as far as it came
	fmt.Fprintln(term.stdout, printableLines(string(body)))
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answered %s", url, resp.Status)
	}
	return nil
}
