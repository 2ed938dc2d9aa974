package main

import (
	"bytes"
	"crypto/tls"
	"encoding/json"
	"flag"
	"io"
	"net"
	"net/http"
	"os"
	"regexp"
	"strconv"
	"sync"
	"time"
)

// The webhook's stand-in answers everything with 204 and notes how old each utterance is.

// said finds the time in an utterance's text.
var said = regexp.MustCompile(`"text":"call \d+ said its sentence number \d+ at (\d+)"`)

// A sink is the webhook.
type sink struct {
	mu       sync.Mutex
	requests int
	seen     map[int64]float64 // milliseconds from the final result to the first request, by when it was said
}

// A sinkReport lists the received requests.
type sinkReport struct {
	Requests  int               `json:"requests"`
	Latencies map[int64]float64 `json:"latencies"` // of utterances, by when they were said: from the final result to the request, milliseconds
}

// within returns the latencies of utterances that were said in [from, to).
func (r sinkReport) within(from, to int64) (all []float64) {
	for at, latency := range r.Latencies {
		if at >= from && at < to {
			all = append(all, latency)
		}
	}
	return all
}

// webhook runs the webhook's stand-in.
func webhook(args []string) error {
	flags := flag.NewFlagSet("webhook", flag.ContinueOnError)
	listen := flags.String("listen", "127.0.0.1:0", "address")
	if err := flags.Parse(args); err != nil {
		return err
	}
	return serve(*listen, nil, &sink{seen: map[int64]float64{}})
}

func (s *sink) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	now := time.Now().UnixNano()
	if r.URL.Path == "/report" {
		s.mu.Lock()
		defer s.mu.Unlock()
		_ = json.NewEncoder(w).Encode(sinkReport{s.requests, s.seen})
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	w.WriteHeader(http.StatusNoContent)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests++
	if !bytes.Contains(body, []byte(`"type":"utterance.final"`)) {
		return
	}
	if m := said.FindSubmatch(body); m != nil {
		at, _ := strconv.ParseInt(string(m[1]), 10, 64)
		if _, again := s.seen[at]; !again {
			s.seen[at] = float64(now-at) / 1e6
		}
	}
}

// serve runs an HTTP server, behind TLS if there is a configuration for it, and says on standard output where, until
// standard input ends.
func serve(listen string, config *tls.Config, h http.Handler) error {
	l, err := net.Listen("tcp", listen)
	if err != nil {
		return err
	}
	if config != nil {
		l = tls.NewListener(l, config)
	}
	if _, err := os.Stdout.WriteString(l.Addr().String() + "\n"); err != nil {
		return err
	}
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		_ = l.Close()
	}()
	_ = http.Serve(l, h)
	return nil
}
