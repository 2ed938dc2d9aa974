package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"time"

	"aldeabridge/aldea/sandbox"
)

type sandboxCmd struct {
	Listen   string   `env:"SANDBOX_LISTEN" default:"127.0.0.1:8090" placeholder:"HOST:PORT" help:"Address to listen on (${default})."`
	Source   string   `default:"auto" enum:"auto,speech,marker,script,simulated" help:"Where the text comes from: ${enum}."`
	Script   string   `placeholder:"FILE" help:"What --source script says; docs/sandbox.md has the format."`
	Profile  string   `default:"aldea" enum:"aldea,deepgram,mixed" help:"Whose wire to speak: ${enum} (any legal variant, by chance)."`
	Keys     []string `name:"key" placeholder:"KEY" help:"Accept only these keys (any org_… key)."`
	Insecure bool     `help:"Let anybody in on an address that is open to others."`
	Faults   string   `placeholder:"FAULTS" help:"How the first connections misbehave, such as: drop=3.2s; 2x status=503 retry-after=2s; ok. docs/sandbox.md has all faults."`
	Seed     uint64   `default:"1" placeholder:"N" help:"Seed of the mixed profile and of random faults (${default})."`
}

// Validate rejects what does not go together. kong calls it.
func (c *sandboxCmd) Validate() error {
	switch {
	case c.Source != "script" && c.Script != "":
		return errors.New("--script: it needs --source script")
	case c.Source == "script" && c.Script == "":
		return errors.New("--source script: it needs --script FILE")
	case c.Script != "":
		if err := checkFiles(c.Script); err != nil {
			return fmt.Errorf("--script: %w", err)
		}
	}
	if _, err := sandbox.ParseFaults(c.Faults); err != nil {
		return fmt.Errorf("--faults: %w", err)
	}
	return nil
}

// Run serves the stand-in until ctx ends.
func (c *sandboxCmd) Run(ctx context.Context, term terminal, logger *slog.Logger) (err error) {
	if len(c.Keys) == 0 && !c.Insecure && !isLoopback(c.Listen) {
		return fmt.Errorf("SANDBOX_LISTEN: %s is open to others: name the keys with --key, or pass --insecure", c.Listen)
	}
	source, err := c.source()
	if err != nil {
		return err
	}
	faults, err := sandbox.ParseFaults(c.Faults)
	if err != nil {
		return fmt.Errorf("--faults: %w", err)
	}
	handler := sandbox.NewHandler(sandbox.Options{
		Plan:    faults,
		Seed:    c.Seed,
		Source:  source,
		Profile: sandbox.Profile(c.Profile),
		Keys:    c.Keys,
		Logger:  logger,
	})
	defer func() { err = errors.Join(err, handler.Close()) }()
	var lc net.ListenConfig
	ln, err := lc.Listen(ctx, "tcp", c.Listen)
	if err != nil {
		return fmt.Errorf("SANDBOX_LISTEN: %w", err)
	}
	fmt.Fprintf(term.stdout, "sandbox: %s\n  ALDEA_URL=ws://%s  ALDEA_API_KEY=org_anything\n  inspect: http://%s/inspect, faults: http://%s/control/faults\n",
		source.Name(), ln.Addr(), ln.Addr(), ln.Addr())
	srv := &http.Server{Handler: c.guarded(handler), ReadHeaderTimeout: 10 * time.Second}
	stop := context.AfterFunc(ctx, func() { _ = srv.Close() })
	defer stop()
	if err := srv.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// guarded protects inspection and control from web pages, where no key does. Streams are for web pages too: clients of the
// real service may run in one.
func (c *sandboxCmd) guarded(handler http.Handler) http.Handler {
	if len(c.Keys) > 0 || !isLoopback(c.Listen) {
		return handler
	}
	local := localOnly(handler)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/inspect" || strings.HasPrefix(r.URL.Path, "/control/") {
			local.ServeHTTP(w, r)
			return
		}
		handler.ServeHTTP(w, r)
	})
}

func (c *sandboxCmd) source() (sandbox.Source, error) {
	if c.Source == "script" {
		return sandbox.ReadScript(c.Script)
	}
	return sandboxSource(c.Source)
}

// sandboxSource returns the source of text called name. "auto" is offline recognition where it is installed,
// else the simulated recognizer, which calls itself that.
func sandboxSource(name string) (sandbox.Source, error) {
	switch name {
	case "marker":
		return sandbox.Marker(), nil
	case "simulated":
		return sandbox.Simulated("as asked"), nil
	}
	speech, err := sandbox.Speech(sandbox.SpeechOptions{})
	if err != nil && name == "auto" {
		return sandbox.Simulated(err.Error()), nil
	}
	return speech, err
}
