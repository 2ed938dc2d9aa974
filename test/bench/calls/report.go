package main

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"
)

// A report is what is written at the end.
type report struct {
	At           time.Time     `json:"at"`
	Go           string        `json:"go"`
	Cores        int           `json:"cores"`
	Window       string        `json:"window"`
	Rounds       int           `json:"rounds"`
	Stay         string        `json:"stay,omitempty"` // audio after which calls hung up
	Env          []string      `json:"env,omitempty"`
	Rows         []row         `json:"rows"`
	Measurements []measurement `json:"measurements"`
}

// A row is one number of calls: medians over all rounds.
type row struct {
	Calls  int         `json:"calls"`
	Bridge measurement `json:"bridge"`
	Relay  measurement `json:"relay"`
	// Ratio is the median over the rounds of bridge's CPU by the relay's in the same round; 0 where one is missing.
	Ratio float64 `json:"cpu_ratio"`
}

func newReport(p *plan, all []measurement) report {
	r := report{At: time.Now().UTC().Truncate(time.Second), Go: runtime.Version(), Cores: runtime.NumCPU(), Window: p.window.String(),
		Rounds: p.rounds, Env: p.env, Measurements: all}
	if p.stay > 0 {
		r.Stay = p.stay.String()
	}
	for _, calls := range p.calls {
		of := func(server string) (some []measurement) {
			for _, m := range all {
				if m.Calls == calls && m.Server == server {
					some = append(some, m)
				}
			}
			return some
		}
		bridge, relay := of("bridge"), of("relay")
		one := row{Calls: calls, Bridge: medians(bridge), Relay: medians(relay)}
		var ratios []float64
		for i := range min(len(bridge), len(relay)) {
			if relay[i].CPU > 0 {
				ratios = append(ratios, bridge[i].CPU/relay[i].CPU)
			}
		}
		one.Ratio = median(ratios)
		r.Rows = append(r.Rows, one)
	}
	return r
}

// medians is one measurement made of the medians of several. Counts are sums.
func medians(all []measurement) (m measurement) {
	if len(all) == 0 {
		return m
	}
	m.Server, m.Calls = all[0].Server, all[0].Calls
	for _, f := range []func(*measurement) *float64{
		func(m *measurement) *float64 { return &m.CPU }, func(m *measurement) *float64 { return &m.Idle },
		func(m *measurement) *float64 { return &m.PSS }, func(m *measurement) *float64 { return &m.RSS },
		func(m *measurement) *float64 { return &m.Memory }, func(m *measurement) *float64 { return &m.Switches },
		func(m *measurement) *float64 { return &m.Syscalls }, func(m *measurement) *float64 { return &m.Others },
		func(m *measurement) *float64 { return &m.LoadCPU }, func(m *measurement) *float64 { return &m.Sent },
	} {
		var values []float64
		for i := range all {
			values = append(values, *f(&all[i]))
		}
		*f(&m) = median(values)
	}
	for _, f := range []func(*measurement) *quantiles{
		func(m *measurement) *quantiles { return &m.Speech }, func(m *measurement) *quantiles { return &m.Latency },
		func(m *measurement) *quantiles { return &m.Webhook }, func(m *measurement) *quantiles { return &m.HangUp },
		func(m *measurement) *quantiles { return &m.Load.Setup }, func(m *measurement) *quantiles { return &m.Load.Lag },
	} {
		var q [4][]float64
		for i := range all {
			one := f(&all[i])
			for j, v := range []float64{one.P50, one.P95, one.P99, one.Max} {
				q[j] = append(q[j], v)
			}
		}
		*f(&m) = quantiles{median(q[0]), median(q[1]), median(q[2]), slices.Max(q[3])}
	}
	m.TLS, m.Profiled = all[0].TLS, all[0].Profiled
	for _, one := range all {
		for name, n := range one.Losses {
			if m.Losses == nil {
				m.Losses = map[string]float64{}
			}
			m.Losses[name] += n
		}
		m.Connections += one.Connections
		m.Resumed += one.Resumed
		m.Load.Refused += one.Load.Refused
		m.Finals += one.Finals
		m.Utterances += one.Utterances
		m.Load.Failed += one.Load.Failed
		m.Load.Blocked += one.Load.Blocked
		m.Load.Frames += one.Load.Frames
		m.Load.Open += one.Load.Open
	}
	return m
}

// line is a measurement for people who wait.
func (m *measurement) line() string {
	line := fmt.Sprintf("round %d %6s %4d calls: %.4f %% a call, %5.1f kB a call (idle %.1f MB), %.2f syscalls and %.2f switches a frame, "+
		"latency %.0f/%.0f/%.0f ms (speech %.0f/%.0f/%.0f), webhook %.1f/%.1f/%.1f ms, lost %d of %d, set-up %.1f/%.1f/%.1f, at most %.1f ms, refused %d, failed %d, blocked %d, open %d; sent %.0f %%, lag p99 %.1f ms, load %.0f %%, others %.0f %%",
		m.Round, m.Server, m.Calls, m.CPU, m.Memory, m.Idle, m.Syscalls, m.Switches, m.Latency.P50, m.Latency.P95, m.Latency.P99,
		m.Speech.P50, m.Speech.P95, m.Speech.P99,
		m.Webhook.P50, m.Webhook.P95, m.Webhook.P99, m.lost(), m.Finals, m.Load.Setup.P50, m.Load.Setup.P95, m.Load.Setup.P99, m.Load.Setup.Max,
		m.Load.Refused, m.Load.Failed, m.Load.Blocked, m.Load.Open,
		m.Sent*100, m.Load.Lag.P99, m.LoadCPU, m.Others) + lossLine(m.Losses)
	if m.TLS {
		line += fmt.Sprintf("; TLS, %d of %d handshakes resumed", m.Resumed, m.Connections)
	}
	if m.Profiled {
		line += "; WITH PROFILES, not to be compared with a measurement without"
	}
	return line
}

// wrong says what should not have happened to calls and utterances, if anything did.
func (m *measurement) wrong() error {
	lost := m.lost()
	if m.Server == "relay" {
		lost = 0
	}
	if m.Load.Refused+m.Load.Failed+m.Load.Open+lost != 0 || m.Finals == 0 {
		return fmt.Errorf("%s, %d calls: %d refused, %d failed, %d not closed, %d of %d utterances lost",
			m.Server, m.Calls, m.Load.Refused, m.Load.Failed, m.Load.Open, lost, m.Finals)
	}
	return nil
}

// lost is how many utterances did not come to the webhook. The relay has none.
func (m *measurement) lost() int { return m.Finals - m.Utterances }

// table is the report as Markdown.
func (r *report) table() string {
	var b strings.Builder
	b.WriteString("| calls | CPU a call: bridge | relay | ratio | memory a call: bridge | relay | added latency of speech p50/p95/p99: bridge | of all frames | relay | " +
		"system calls a frame: bridge | relay | final → webhook p50/p95/p99 | utterances lost | set-up p99 |\n" +
		"|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|\n")
	three := func(q quantiles) string { return fmt.Sprintf("%.1f / %.1f / %.1f ms", q.P50, q.P95, q.P99) }
	for _, row := range r.Rows {
		a, z := row.Bridge, row.Relay
		fmt.Fprintf(&b, "| %d | %.4f %% | %.4f %% | %.2f | %.0f kB | %.0f kB | %s | %s | %s | %.2f | %.2f | %s | %d of %d | %.0f ms |\n",
			row.Calls, a.CPU, z.CPU, row.Ratio, a.Memory, z.Memory, three(a.Speech), three(a.Latency), three(z.Latency), a.Syscalls, z.Syscalls,
			three(a.Webhook), a.lost(), a.Finals, a.Load.Setup.P99)
	}
	return b.String()
}

// write writes calls.json, calls.md and calls.svg, and prints the table.
func write(dir string, r report) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	if err := writeJSON(filepath.Join(dir, "calls.json"), r); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "calls.svg"), []byte(r.plot()), 0o644); err != nil {
		return err
	}
	fmt.Print(r.table())
	return os.WriteFile(filepath.Join(dir, "calls.md"), []byte(r.table()), 0o644)
}
