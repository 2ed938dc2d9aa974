// Command calls measures what a call costs: it runs bridge and a raw relay of the same frames by turns, each with a load
// generator, a recognizer's stand-in and a webhook's as processes of their own, and reads from /proc what the server
// alone used. Linux only.
//
//	calls -bridge bin/bridge -relay bin/bench-relay -calls "1 10 100" -seconds 30 -rounds 3 -out docs/performance
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "calls:", err)
		os.Exit(1)
	}
}

// run measures, or is one of those who take part.
func run(args []string) error {
	if len(args) > 0 {
		switch args[0] {
		case "load":
			return load(args[1:])
		case "recognizer":
			return recognizer(args[1:])
		case "webhook":
			return webhook(args[1:])
		}
	}
	flags := flag.NewFlagSet("calls", flag.ContinueOnError)
	p := plan{log: os.Stderr}
	flags.StringVar(&p.bridge, "bridge", "bin/bridge", "bridge's program")
	flags.StringVar(&p.relay, "relay", "bin/bench-relay", "the relay's program")
	calls := flags.String("calls", "1 10 100", "numbers of calls, separated by spaces")
	flags.DurationVar(&p.window, "window", 30*time.Second, "how long to measure")
	flags.DurationVar(&p.settle, "settle", 8*time.Second, "how long to wait before, with all calls up")
	flags.IntVar(&p.rounds, "rounds", 3, "how often")
	flags.Float64Var(&p.rate, "rate", 200, "new calls a second")
	flags.StringVar(&p.only, "only", "", "bridge or relay alone")
	flags.StringVar(&p.perf, "perf", "", "file for a profile of each bridge (perf record); the number of calls is appended")
	flags.BoolVar(&p.strace, "strace", false, "print a table of system calls, after measuring")
	flags.StringVar(&p.profiles, "profiles", "", "directory for each bridge's own profiles (BRIDGE_PPROF); the last round's stay")
	flags.DurationVar(&p.stay, "stay", 0, "hang up each call after so much audio; 0 for none before the end")
	flags.BoolVar(&p.strict, "strict", false, "fail when a call is refused, breaks or is not closed, or an utterance does not come to the webhook")
	secure := flags.Bool("tls", false, "connect to the recognizer with TLS, bridge and relay alike")
	env := flags.String("env", "", "more of bridge's environment, NAME=VALUE separated by spaces")
	out := flags.String("out", "bin/bench", "directory for calls.json, calls.md and calls.svg")
	if err := flags.Parse(args); err != nil {
		return err
	}
	p.env = strings.Fields(*env)
	for _, word := range strings.Fields(*calls) {
		n, err := strconv.Atoi(word)
		if err != nil || n < 1 || n >= 1<<(4*digits) {
			return fmt.Errorf("-calls: %q is not a number of calls", word)
		}
		p.calls = append(p.calls, n)
	}
	if *secure {
		dir, err := os.MkdirTemp("", "bench-calls-tls-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(dir)
		if err := p.secure(filepath.Join(dir, "recognizer.pem")); err != nil {
			return err
		}
	}
	all, err := p.measureAll()
	if err != nil {
		return err
	}
	if err := write(*out, newReport(&p, all)); err != nil || !p.strict {
		return err
	}
	for _, m := range all {
		err = errors.Join(err, m.wrong())
	}
	return err
}

// secure makes a certificate for the recognizer, which this process and all it starts trust.
func (p *plan) secure(file string) error {
	p.certificate = file
	return errors.Join(writeCertificate(file), os.Setenv("SSL_CERT_FILE", file))
}

// measureAll measures bridge and relay by turns; in every second round the relay begins.
func (p *plan) measureAll() ([]measurement, error) {
	var all []measurement
	for round := range p.rounds {
		for _, calls := range p.calls {
			servers := []string{"bridge", "relay"}
			if round%2 == 1 {
				servers = []string{"relay", "bridge"}
			}
			for _, server := range servers {
				if p.only != "" && p.only != server {
					continue
				}
				m, err := p.measure(server, calls, round)
				if err != nil {
					return nil, fmt.Errorf("%s, %d calls: %w", server, calls, err)
				}
				fmt.Fprintln(p.log, m.line())
				all = append(all, m)
			}
		}
	}
	return all, nil
}

// profile begins a profile of the bridge, if one is wanted.
func (p *plan) profile(srv *process, calls int) (*exec.Cmd, error) {
	if p.perf == "" || filepath.Base(srv.cmd.Path) == filepath.Base(p.relay) && p.only == "" {
		return nil, nil
	}
	cmd := exec.Command("perf", "record", "-q", "-g", "-F", "999", "-o", fmt.Sprintf("%s.%d", p.perf, calls),
		"-p", strconv.Itoa(srv.cmd.Process.Pid), "--", "sleep", strconv.Itoa(int(p.window.Seconds())))
	cmd.Stderr = p.log
	return cmd, cmd.Start()
}
