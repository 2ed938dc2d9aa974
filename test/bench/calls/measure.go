package main

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

// A plan says what is measured.
type plan struct {
	bridge, relay string // the programs
	env           []string
	calls         []int
	rounds        int
	window        time.Duration // measured, once all calls are up
	settle        time.Duration // before that
	rate          float64       // new calls a second
	only          string        // bridge or relay; empty for both in turn
	perf          string        // where to write a profile of the bridge, with perf record
	strace        bool
	profiles      string        // directory for the bridge's own profiles
	certificate   string        // file of the recognizer's; empty without TLS
	stay          time.Duration // of audio, after which a call hangs up; 0 if none does before the end
	strict        bool          // fail when a call or an utterance does
	log           io.Writer
}

// A measurement is one server with one number of calls, once.
type measurement struct {
	Server   string  `json:"server"` // bridge or relay
	Calls    int     `json:"calls"`
	Round    int     `json:"round"`
	CPU      float64 `json:"cpu_percent_a_call"` // of one core, by the audio that was sent: 50 frames are a second of a call
	Sent     float64 `json:"sent_of_due"`        // how much of the audio the load generator came to send
	Idle     float64 `json:"idle_mb"`            // PSS before the first call
	PSS      float64 `json:"pss_mb"`
	RSS      float64 `json:"rss_mb"`
	Memory   float64 `json:"kb_a_call"`                  // PSS above idle
	Switches float64 `json:"voluntary_switches_a_frame"` // of all its threads
	Syscalls float64 `json:"system_calls_a_frame"`       // 0 where perf could not count them
	Others   float64 `json:"others_cpu_percent_of_core"` // load generator, recognizer and webhook
	LoadCPU  float64 `json:"load_cpu_percent_of_a_core"` // the load generator of these

	Speech     quantiles  `json:"added_latency_of_speech_ms"`
	Latency    quantiles  `json:"added_latency_ms"`               // of all frames
	Webhook    quantiles  `json:"final_to_webhook_ms"`            // of what was said in the window
	HangUp     quantiles  `json:"final_to_webhook_at_hang_up_ms"` // of what was said when all calls ended in the same moment
	Finals     int        `json:"finals"`                         // said by the recognizer
	Utterances int        `json:"utterances"`                     // that came to the webhook
	Load       loadReport `json:"load"`

	Losses      map[string]float64 `json:"losses,omitempty"`        // by bridge's own count, until its last call was over
	Connections int                `json:"recognizer_connections"`  // that were upgraded
	Resumed     int                `json:"tls_resumed,omitempty"`   // of these, by a TLS session
	TLS         bool               `json:"tls_to_recognizer"`       // whether they had TLS
	Profiled    bool               `json:"with_profiles,omitempty"` // not to be compared with a measurement without

	used time.Duration // of the processor
}

// measure runs one server with one number of calls.
func (p *plan) measure(server string, calls, round int) (m measurement, err error) {
	m = measurement{Server: server, Calls: calls, Round: round, TLS: p.certificate != ""}
	dir, err := os.MkdirTemp("", "bench-calls-")
	if err != nil {
		return m, err
	}
	defer os.RemoveAll(dir)
	hook, hookAt, err := role(p.log, "webhook")
	if err != nil {
		return m, err
	}
	defer hook.stop()
	ears, earsAt, err := role(p.log, "recognizer", "-calls", strconv.Itoa(calls), "-tls", p.certificate)
	if err != nil {
		return m, err
	}
	defer ears.stop()
	profiles, err := p.profiler(server, calls)
	if err != nil {
		return m, err
	}
	m.Profiled = profiles != nil
	srv, address, err := p.server(server, dir, earsAt, hookAt, profiles.env())
	if err != nil {
		return m, err
	}
	defer srv.stop()
	if err := profiles.check(); err != nil {
		return m, err
	}
	time.Sleep(time.Second)
	idle, err := srv.read()
	if err != nil {
		return m, err
	}
	times := filepath.Join(dir, "sent.json")
	gen, up, err := role(p.log, "load", "-to", address, "-calls", strconv.Itoa(calls), "-rate", fmt.Sprint(p.rate), "-file", times,
		"-stay", p.stay.String(), "-leave="+strconv.FormatBool(server == "relay"))
	if err != nil {
		return m, err
	}
	defer gen.stop()
	if up != "up" {
		return m, fmt.Errorf("load: %s", up)
	}
	time.Sleep(p.settle)
	all := []*process{srv, gen, ears, hook}
	before, err := readAll(all)
	if err != nil {
		return m, err
	}
	profile, err := p.profile(srv, calls)
	if err != nil {
		return m, err
	}
	profiled := make(chan error, 1)
	go func() { profiled <- profiles.record(p.window) }()
	time.Sleep(p.window)
	after, err := readAll(all)
	if err != nil {
		return m, err
	}
	if profile != nil {
		_ = profile.Wait()
	}
	if err := <-profiled; err != nil {
		return m, err
	}
	m.fill(idle, before, after)
	if n, _, err := systemCalls(srv.cmd.Process.Pid, 3*time.Second, false); err == nil {
		m.Syscalls = n / float64(calls) / 50
	}
	if p.strace {
		_, table, err := systemCalls(srv.cmd.Process.Pid, 3*time.Second, true)
		fmt.Fprintf(p.log, "%s, %d calls, 3 seconds:\n%s%v\n", server, calls, table, err)
	}
	hangUp := time.Now().UnixNano()
	fmt.Fprintln(gen.in, "stop")
	if err := json.NewDecoder(gen.out).Decode(&m.Load); err != nil {
		return m, fmt.Errorf("load: %w", err)
	}
	time.Sleep(time.Second) // the recognizer's last calls, and the last webhooks
	if err := m.hear(times, p.scheme("http")+earsAt, hookAt, before[0].at.UnixNano(), after[0].at.UnixNano(), hangUp); err != nil {
		return m, err
	}
	if server == "bridge" {
		m.Losses, err = readLosses(address)
	}
	return m, err
}

// scheme returns the beginning of a URL of the recognizer.
func (p *plan) scheme(plain string) string {
	if p.certificate != "" {
		return plain + "s://"
	}
	return plain + "://"
}

// server starts the server under test.
func (p *plan) server(name, dir, ears, hook string, more []string) (*process, string, error) {
	address, err := free()
	if err != nil {
		return nil, "", err
	}
	var srv *process
	if name == "relay" {
		srv, err = start(p.log, nil, p.relay, "-listen", address, "-to", p.scheme("ws")+ears+"/relay")
	} else {
		env := append([]string{"BRIDGE_LISTEN=" + address, "ALDEA_URL=" + p.scheme("ws") + ears, "ALDEA_API_KEY=bench", "WEBHOOK_URL=http://" + hook,
			"BRIDGE_DATA_DIR=" + dir, "BRIDGE_MAX_CALLS=100000", "LOG_FORMAT=json"}, p.env...)
		env = append(env, more...)
		log, ferr := os.Create(filepath.Join(os.TempDir(), "bench-calls-bridge.log"))
		if ferr != nil {
			return nil, "", ferr
		}
		defer log.Close()
		srv, err = start(log, env, p.bridge, "serve")
	}
	if err != nil {
		return nil, "", err
	}
	if err := await(address); err != nil {
		srv.stop()
		return nil, "", fmt.Errorf("%s: %w", name, err)
	}
	return srv, address, nil
}

func readAll(all []*process) ([]reading, error) {
	readings := make([]reading, len(all))
	for i, p := range all {
		var err error
		if readings[i], err = p.read(); err != nil {
			return nil, err
		}
	}
	return readings, nil
}

// fill sets the fields that come from the readings.
func (m *measurement) fill(idle reading, before, after []reading) {
	percent := func(i int) float64 {
		return float64(after[i].cpu-before[i].cpu) / float64(after[i].at.Sub(before[i].at)) * 100
	}
	n := float64(m.Calls)
	m.used = after[0].cpu - before[0].cpu
	m.Idle, m.PSS, m.RSS = float64(idle.pss)/1e6, float64(after[0].pss)/1e6, float64(after[0].rss)/1e6
	m.Memory = float64(after[0].pss-idle.pss) / 1e3 / n
	m.LoadCPU = percent(1)
	for i := 1; i < len(after); i++ {
		m.Others += percent(i)
	}
	m.Switches = float64(after[0].switches - before[0].switches) // of all frames
}

// hear requests the reports of recognizer and webhook about frames sent within a window of the wall clock. At hangUp all calls ended.
func (m *measurement) hear(times, ears, hook string, from, to, hangUp int64) error {
	var heard recognizerReport
	if err := get(ears+"/report", &heard); err != nil {
		return err
	}
	hooked, err := m.hooked("http://"+hook+"/report", heard.Finals)
	if err != nil {
		return err
	}
	b, err := os.ReadFile(times)
	if err != nil {
		return err
	}
	var sent map[int][]int64
	if err := json.Unmarshal(b, &sent); err != nil {
		return err
	}
	frames := 0
	for _, times := range sent {
		for _, at := range times {
			if at >= from && at < to {
				frames++
			}
		}
	}
	audio := time.Duration(max(1, frames)) * 20 * time.Millisecond
	m.CPU = float64(m.used) / float64(audio) * 100
	m.Sent = float64(audio) / (float64(to-from) * float64(m.Calls))
	m.Switches /= float64(max(1, frames))
	speech, every := addedLatency(sent, heard.Arrivals, from, to)
	m.Speech, m.Latency = quantilesOf(speech), quantilesOf(every)
	m.Webhook, m.HangUp = quantilesOf(hooked.within(from, to)), quantilesOf(hooked.within(hangUp, math.MaxInt64))
	m.Finals, m.Utterances = heard.Finals, len(hooked.Latencies)
	m.Connections, m.Resumed = heard.Connections, heard.Resumed
	return nil
}

// hooked returns the webhook's report once it has all utterances, or no new one for a few seconds.
func (m *measurement) hooked(url string, finals int) (r sinkReport, err error) {
	before, since := -1, time.Now()
	for {
		r = sinkReport{}
		if err := get(url, &r); err != nil {
			return r, err
		}
		if r.Requests != before {
			before, since = r.Requests, time.Now()
		}
		if m.Server == "relay" || len(r.Latencies) >= finals || time.Since(since) > 5*time.Second {
			return r, nil
		}
		time.Sleep(200 * time.Millisecond)
	}
}

func get(url string, v any) error {
	resp, err := http.Get(url)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	return json.NewDecoder(resp.Body).Decode(v)
}
