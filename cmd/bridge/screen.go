package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"aldeabridge/events"
	"aldeabridge/webhooks"
	"aldeabridge/webhooks/webhooktest"
)

// A screen shows a demo while it runs: interims that grow into utterances, and each webhook with its latency.
// On a terminal interims grow in place; elsewhere only what is final is printed; as JSON everything is.
// Its methods may be called concurrently.
type screen struct {
	json bool

	mu sync.Mutex
	lines
	utterances int
	latencies  []time.Duration // journal → 2xx, one for each delivery
	failures   int
}

func newScreen(term terminal, asJSON bool) *screen {
	return &screen{json: asJSON, lines: lines{out: term.stdout, inPlace: !asJSON && isTerminal(term.stdout)}}
}

// begin says what will be seen.
func (s *screen) begin(sc scene, srv *server, webhook string) {
	if s.json {
		s.line(map[string]any{"demo": "begin", "recognizer": sc.source.Name(), "says": sc.name, "missing": sc.missing, "seconds": seconds(sc.caller)})
		return
	}
	fmt.Fprintf(s.out, "One phone call, from carrier to webhook, all on this machine.\n\n")
	fmt.Fprintf(s.out, "  carrier     says %s, %.0f s\n", sc.name, seconds(sc.caller))
	fmt.Fprintf(s.out, "  bridge      %s\n", srv.mediaURL())
	fmt.Fprintf(s.out, "  recognizer  %s\n", sc.source.Name())
	fmt.Fprintf(s.out, "  webhook     %s, verifies every signature\n", webhook)
	if sc.missing != "" {
		fmt.Fprintf(s.out, "\n  No speech is recognized: %s\n", sc.missing)
	}
	fmt.Fprintln(s.out)
}

// event shows one event of the call.
func (s *screen) event(e events.Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.json {
		if b, err := e.JSON(); err == nil {
			fmt.Fprintf(s.out, "%s\n", b)
		}
	}
	if _, ok := e.Body.(events.UtteranceFinal); ok {
		s.utterances++
	}
	if d, ok := describe(e); ok && !s.json {
		d.show(&s.lines, prefix(d.at, d.who))
	}
}

// attempt shows one delivery.
func (s *screen) attempt(a webhooks.Attempt) {
	s.mu.Lock()
	defer s.mu.Unlock()
	ok := a.Status >= 200 && a.Status < 300
	if ok {
		s.latencies = append(s.latencies, a.SinceStored)
	} else {
		s.failures++
	}
	if s.json {
		s.line(map[string]any{"delivery": a.EventID, "type": a.Type, "attempt": a.Number, "status": a.Status, "error": failure(a), "ms": milliseconds(a.SinceStored)})
		return
	}
	outcome := fmt.Sprint(a.Status)
	if a.Status == 0 {
		outcome = failure(a)
	}
	s.say(prefix("", ""), fmt.Sprintf("→ webhook %s  %s in %.1f ms", a.Type, outcome, milliseconds(a.SinceStored)))
}

// answer shows what a webhook asks for.
func (s *screen) answer(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.json {
		s.line(map[string]any{"answer": text})
		return
	}
	s.say(prefix("", ""), "← "+text)
}

// saved tells which files hold the two sides of the call.
func (s *screen) saved(files []string) {
	if s.json {
		s.line(map[string]any{"saved": files})
		return
	}
	fmt.Fprintf(s.out, "\nThe caller's side and what he heard: %s\n", strings.Join(files, ", "))
}

// failure says what went wrong with a delivery, or nothing.
func failure(a webhooks.Attempt) string {
	if a.Err == nil {
		return ""
	}
	return a.Err.Error()
}

// end prints the summary. It fails unless what arrived is whole, verified and in order.
func (s *screen) end(receiver *webhooktest.Server) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	report := receiver.Report()
	slices.Sort(s.latencies)
	median, worst := 0.0, 0.0
	if n := len(s.latencies); n > 0 {
		median, worst = milliseconds(s.latencies[n/2]), milliseconds(s.latencies[n-1])
	}
	if s.json {
		s.line(map[string]any{"demo": "end", "utterances": s.utterances, "delivered": len(s.latencies), "failures": s.failures,
			"gaps": report.Gaps, "repeats": report.Repeats, "disorder": report.Disorder, "unverified": report.Unverified, "median_ms": median, "worst_ms": worst})
	} else {
		fmt.Fprintf(s.out, "\n%d utterances; %d webhooks arrived, every signature verified: %s; in order, none missing: %s\n",
			s.utterances, len(s.latencies), yes(report.Unverified == 0), yes(report.Gaps == 0 && report.Disorder == 0))
		fmt.Fprintf(s.out, "From stored event to the webhook's 200: median %.1f ms, worst %.1f ms.\n", median, worst)
		fmt.Fprintf(s.out, "\nNext: run %[1]s in one terminal and %[1]s call FILE.wav in another; README.md has more.\n", os.Args[0])
	}
	if s.utterances == 0 {
		return errors.New("demo: no utterance was recognized")
	}
	return report.Err()
}

// line prints v as a line of JSON.
func (s *screen) line(v any) {
	if b, err := json.Marshal(v); err == nil {
		fmt.Fprintf(s.out, "%s\n", events.EscapeHidden(b))
	}
}

func seconds(mulaw []byte) float64 { return float64(len(mulaw)) / 8000 }

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

func yes(b bool) string {
	if b {
		return "yes"
	}
	return "NO"
}
