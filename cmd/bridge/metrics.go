package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/gofiber/fiber/v2/middleware/adaptor"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"aldeabridge/events"
	"aldeabridge/internal/journal"
	"aldeabridge/internal/reqbody"
	"aldeabridge/internal/version"
	"aldeabridge/webhooks"
)

// metrics counts what happens, for Prometheus. Counters of other packages are read at each scrape; see
// gauges. Nothing is counted for a frame of audio: call.ended brings the sums.
type metrics struct {
	registry *prometheus.Registry

	events     *prometheus.CounterVec
	ended      *prometheus.CounterVec
	calls      prometheus.Histogram
	utterances *prometheus.CounterVec
	frames     *prometheus.CounterVec
	silence    prometheus.Counter
	gaps       *prometheus.CounterVec
	refusals   *prometheus.CounterVec
	unheard    *prometheus.CounterVec

	attempts   *prometheus.CounterVec
	attempt    *prometheus.HistogramVec
	delivery   *prometheus.HistogramVec
	dead       *prometheus.CounterVec
	redelivery prometheus.Counter
	unread     *prometheus.CounterVec
}

// Buckets in seconds: of a call, of a request to a webhook, and of an event's way there, which can take a day.
var (
	callBuckets     = []float64{10, 30, 60, 120, 300, 600, 1800, 3600, 7200, 14400}
	attemptBuckets  = []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30}
	deliveryBuckets = []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 60, 600, 3600, 36000, 100000}
)

func newMetrics() *metrics {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: "bridge_" + name, Help: help}, labels)
	}
	histogram := func(name, help string, buckets []float64, labels ...string) *prometheus.HistogramVec {
		return prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "bridge_" + name, Help: help, Buckets: buckets}, labels)
	}
	m := &metrics{
		registry:   prometheus.NewRegistry(),
		events:     counter("events_total", "Events of all calls, interims included.", "type"),
		ended:      counter("calls_ended_total", "Media streams that ended, by what ended them.", "reason"),
		calls:      prometheus.NewHistogram(prometheus.HistogramOpts{Name: "bridge_call_seconds", Help: "Length of calls.", Buckets: callBuckets}),
		utterances: counter("utterances_total", "Finished utterances.", "speaker", "ended_by"),
		frames:     counter("media_frames_total", "Messages of media streams that ended; skipped are those that were no use: unreadable, of another stream, of a track that was not announced.", "outcome"),
		silence:    prometheus.NewCounter(prometheus.CounterOpts{Name: "bridge_media_silence_seconds_total", Help: "Silence put in for audio that never came, in calls that ended."}),
		gaps:       counter("audio_gap_seconds_total", "Audio that nobody will transcribe, because it had to wait for too long.", "cause"),
		refusals:   counter("http_refusals_total", "HTTP requests that were answered with an error, by its status.", "status"),
		unheard:    counter("audio_failures_total", "Texts (say) and recordings (play) that were not heard, or not to their end, because their audio failed.", "action", "cause"),
		attempts:   counter("webhook_attempts_total", "Requests to webhooks.", "endpoint", "result"),
		attempt:    histogram("webhook_attempt_seconds", "How long a request to a webhook takes, its answer included.", attemptBuckets, "endpoint"),
		delivery:   histogram("webhook_delivery_seconds", "From an event's place in the journal to the 2xx answer.", deliveryBuckets, "endpoint"),
		dead:       counter("webhook_dead_total", "Deliveries given up.", "endpoint", "reason"),
		redelivery: prometheus.NewCounter(prometheus.CounterOpts{Name: "bridge_webhook_redelivered_total", Help: "Events that were sent again and accepted."}),
		unread:     counter("webhook_answers_unread_total", "2xx answers whose body could not be read, by what was wrong with it.", "endpoint", "cause"),
	}
	m.registry.MustRegister(m.events, m.ended, m.calls, m.utterances, m.frames, m.silence, m.gaps, m.refusals, m.unheard, m.attempts, m.attempt, m.delivery, m.dead, m.redelivery, m.unread,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// event counts an event.
func (m *metrics) event(e events.Event) {
	m.events.WithLabelValues(string(e.Body.Type())).Inc()
	switch b := e.Body.(type) {
	case events.UtteranceFinal:
		m.utterances.WithLabelValues(string(b.Utterance.Speaker), string(b.Utterance.EndedBy)).Inc()
	case events.AudioGap:
		m.gaps.WithLabelValues(string(b.Cause)).Add((b.To - b.From).Duration().Seconds())
	case events.CallEnded:
		m.ended.WithLabelValues(string(b.Reason)).Inc()
		m.calls.Observe(b.Duration.Duration().Seconds())
		m.frames.WithLabelValues("placed").Add(float64(b.Counts.Frames))
		m.frames.WithLabelValues("late").Add(float64(b.Counts.FramesLate))
		m.frames.WithLabelValues("duplicate").Add(float64(b.Counts.FramesDuplicate))
		m.frames.WithLabelValues("bad").Add(float64(b.Counts.FramesBad))
		m.frames.WithLabelValues("skipped").Add(float64(b.Counts.MessagesSkipped))
		m.silence.Add(float64(b.Counts.Silence) / 1000)
	}
}

// answered counts the answer to an HTTP request if it is an error.
func (m *metrics) answered(status int) {
	if status >= 400 {
		m.refusals.WithLabelValues(strconv.Itoa(status)).Inc()
	}
}

// delivered counts an attempt.
func (m *metrics) delivered(a webhooks.Attempt) {
	result := string(a.Class)
	if result == "" {
		result = fmt.Sprintf("%dxx", a.Status/100)
	}
	m.attempts.WithLabelValues(a.Endpoint, result).Inc()
	m.attempt.WithLabelValues(a.Endpoint).Observe(a.Latency.Seconds())
	if a.AnswerErr != nil && a.State == webhooks.StateDelivered {
		m.unread.WithLabelValues(a.Endpoint, unreadCause(a.AnswerErr)).Inc()
	}
	switch {
	case a.State == webhooks.StateDelivered && a.Redelivery != "":
		m.redelivery.Inc()
	case a.State == webhooks.StateDelivered:
		m.delivery.WithLabelValues(a.Endpoint).Observe(a.SinceStored.Seconds())
	}
}

// unreadCause is a label for why an answer could not be read.
func unreadCause(err error) string {
	switch {
	case errors.Is(err, webhooks.ErrAnswerTooLong):
		return "too_long"
	case errors.Is(err, webhooks.ErrAnswerRatio):
		return "ratio"
	case errors.Is(err, webhooks.ErrAnswerCoding):
		return "coding"
	case errors.Is(err, webhooks.ErrAnswerDamaged):
		return "damaged"
	}
	return "cut_off"
}

// A tally is the journal as the dispatcher sees it: it counts what is given up, of which not all was attempted.
type tally struct {
	webhooks.Journal
	dead *prometheus.CounterVec
}

func (t tally) Settle(ctx context.Context, position int64, endpoint, state string) error {
	err := t.Journal.Settle(ctx, position, endpoint, state)
	if reason, dead := strings.CutPrefix(state, "dead:"); dead && err == nil {
		t.dead.WithLabelValues(endpoint, reason).Inc()
	}
	return err
}

// handler answers with all metrics, those of the server's rooms included.
func (m *metrics) handler(s *server) fiber.Handler {
	m.registry.MustRegister(gauges{s})
	return adaptor.HTTPHandler(promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{}))
}

// gauges reads what the rooms of a server say of themselves.
type gauges struct{ server *server }

// Describe says nothing: which endpoints and recognizers there are is known when they are asked.
func (gauges) Describe(chan<- *prometheus.Desc) {}

// Collect asks each room.
func (g gauges) Collect(out chan<- prometheus.Metric) {
	put := func(kind prometheus.ValueType, name, help string, value float64, labels ...string) {
		var names, values []string
		for i := 0; i+1 < len(labels); i += 2 {
			names, values = append(names, labels[i]), append(values, labels[i+1])
		}
		out <- prometheus.MustNewConstMetric(prometheus.NewDesc("bridge_"+name, help, names, nil), kind, value, values...)
	}
	gauge := func(name, help string, value float64, labels ...string) {
		put(prometheus.GaugeValue, name, help, value, labels...)
	}
	count := func(name, help string, value float64, labels ...string) {
		put(prometheus.CounterValue, name, help, value, labels...)
	}
	gauge("info", "The version that runs.", 1, "version", version.String())
	count("actions_late_total", "Answers whose actions were not done: their call was over, or too many waited.", float64(g.server.late.Load()))
	backlog := g.server.calls.Stats()
	gauge("events_waiting", "Events that the journal has not taken yet.", float64(backlog.Waiting))
	count("action_failures_untold_total", "action.failed events that were too many to be sent.", float64(backlog.Untold))
	count("events_lost_total", "Events that the journal never took.", float64(backlog.Lost))
	gauge("calls", "Calls that are up.", float64(g.server.media.Stats().Active))
	count("log_lines_suppressed_total", "Lines of the log that were only counted, because too many of their kind came.",
		float64(suppressedLines(g.server.logger)))
	g.media(count)
	g.edge(gauge, count)
	g.speech(gauge, count)
	g.recognizer(gauge, count)
	g.journal(gauge, count)
	g.webhooks(gauge)
	if g.server.api != nil {
		s := g.server.api.Stats()
		gauge("api_event_streams", "Clients that follow events as they happen.", float64(s.Streams))
		count("api_interims_dropped_total", "Interims that a slow client did not get.", float64(s.Dropped))
	}
}

// putFunc hands on one value; labels are names and values in turn.
type putFunc func(name, help string, value float64, labels ...string)

func (g gauges) media(count putFunc) {
	s := g.server.media.Stats()
	for reason, n := range map[string]int64{
		"not_authenticated": s.Denied, "full": s.Full, "no_start": s.NoStart, "token": s.Token, "second_stream": s.Second, "too_often": s.TooOften,
	} {
		count("media_refused_total", "Media streams and voice webhooks that were refused.", float64(n), "reason", reason)
	}
	for limit, n := range map[string]int64{"rate": s.Keys, "call": g.server.calls.Stats().Keys} {
		count("media_keys_dropped_total", "Keys that made no event: pressed too fast, or too many on one call.", float64(n), "limit", limit)
	}
	count("media_parameters_left_out_total", "Custom parameters of media streams that were left out: too many, or too long.", float64(s.LeftOut))
	count("media_streams_without_audio_total", "Media streams that brought messages, and no audio that can be read.", float64(s.NoAudio))
}

func (g gauges) edge(gauge, count putFunc) {
	e := &g.server.edge
	s := e.listener.Stats()
	gauge("connections", "Connections to this server that are no media streams.", float64(s.Open))
	gauge("connections_limit", "How many there can be.", float64(s.Limit))
	const closed = "Connections without a request that were closed to make room for others, because of what was used up."
	count("connections_closed_total", closed, float64(s.ClosedTotal), "reason", "total")
	count("connections_closed_total", closed, float64(s.ClosedAddress), "reason", "address")
	count("connections_closed_total", closed, float64(s.ClosedDescriptors), "reason", "descriptors")
	count("accept_failures_total", "Connections that the operating system had no room for.", float64(s.AcceptFailures))
	gauge("calls_limit", "How many calls can be up: BRIDGE_MAX_CALLS, or as many as there are open files for.", float64(e.plan.Calls))
	bodies := map[string]reqbody.Stats{"carrier": e.media.Stats(), "api": e.api.Stats()}
	for from, b := range bodies {
		gauge("http_body_bytes", "Memory of request bodies above 8 KiB that are being received.", float64(b.Used), "from", from)
		count("http_bodies_refused_total", "Bodies refused because too much of that memory was in use.", float64(b.Refused), "from", from)
	}
}

func (g gauges) speech(gauge, count putFunc) {
	if g.server.speech == nil || g.server.speech.cache == nil {
		return
	}
	cache := g.server.speech.cache
	gauge("speech_cache_bytes", "Speech that is kept.", float64(cache.Size()))
	count("speech_cache_discarded_total", "Files of the speech cache that were damaged, and not used.", float64(cache.Discarded()))
}

func (g gauges) recognizer(gauge, count putFunc) {
	h := g.server.client.Health()
	gauge("recognizer_streams", "Speakers that are listened to.", float64(h.Streams))
	gauge("recognizer_waiting", "Of these, those without a connection: their audio waits.", float64(h.Waiting))
	gauge("recognizer_queued", "Of these, those that wait because ALDEA_MAX_CONNECTIONS are in use.", float64(h.Queued))
	for cause, n := range h.Setbacks {
		count("recognizer_setbacks_total", "Lost connections and failed attempts.", float64(n), "cause", string(cause))
	}
	for outcome, n := range map[string]int64{"odd": h.Odd, "malformed": h.Malformed, "unknown": h.Unknown} {
		count("recognizer_messages_total", "Messages of a recognizer that were not as documented: odd ones were used as far as possible.", float64(n), "outcome", outcome)
	}
	count("recognizer_slowed_total", "How often reading waited because a recognizer sent more than it needs to.", float64(h.Slowed))
	for _, host := range h.Hosts {
		gauge("recognizer_trusted", "Whether a recognizer is believed to work.", bit(host.Trusted), "host", host.Host)
		gauge("recognizer_connections", "Connections to a recognizer.", float64(host.Connections), "host", host.Host)
		count("recognizer_dials_total", "Attempts to connect to a recognizer.", float64(host.Dials), "host", host.Host)
		count("recognizer_dial_failures_total", "Attempts that failed.", float64(host.Failures), "host", host.Host)
		count("recognizer_losses_total", "Connections that ended before their stream did.", float64(host.Losses), "host", host.Host)
	}
}

func (g gauges) journal(gauge, count putFunc) {
	kept, ok := g.server.store.(*journal.Store)
	if !ok {
		return
	}
	s := kept.Stats()
	gauge("journal_healthy", "Whether the disk takes events, and the files are whole and in their place.", bit(kept.Health() == nil))
	gauge("journal_waiting", "Deliveries that are not settled.", float64(s.Waiting))
	count("journal_events_total", "Events stored.", float64(s.Appended))
	count("journal_commits_total", "Transactions, of one sync each.", float64(s.Commits))
	count("journal_commit_seconds_total", "Time they took.", s.CommitTime.Seconds())
	count("journal_failures_total", "Transactions that the disk did not take.", float64(s.Failures))
	count("journal_attempts_lost_total", "Requests to webhooks that are not in the delivery log.", float64(s.AttemptsLost))
	count("journal_deleted_calls_total", "Calls forgotten by age, size or request.", float64(s.DeletedCalls))
	gauge("journal_clock_doubted", "Whether nothing is deleted by age for now, because the clock jumped ahead.", bit(s.ClockDoubted))
	repair := s.Salvage
	if repair == nil {
		repair = &journal.Salvage{}
	}
	gauge("journal_repaired", "Whether the file was damaged at the last start, and is repaired.", bit(s.Salvage != nil))
	gauge("journal_repair_lost_events", "Events known to be lost by that damage.", float64(repair.Lost))
	gauge("journal_repair_repeated_deliveries", "Deliveries made again because nobody knows whether they were made.", float64(repair.Repeated))
	count("journal_abandoned_total", "Deliveries that still waited when their call was too old to keep.", float64(s.Abandoned))
}

func (g gauges) webhooks(gauge putFunc) {
	if g.server.dispatcher == nil {
		return
	}
	now := time.Now()
	for _, e := range g.server.dispatcher.Status() {
		for _, state := range []webhooks.EndpointState{webhooks.EndpointOpen, webhooks.EndpointPaused, webhooks.EndpointFailing, webhooks.EndpointDisabled} {
			gauge("webhook_endpoint_state", "Which state an endpoint is in.", bit(e.State == state), "endpoint", e.Name, "state", string(state))
		}
		gauge("webhook_lanes", "Calls with something to send.", float64(e.Lanes), "endpoint", e.Name)
		gauge("webhook_waiting", "Events that wait.", float64(e.Waiting), "endpoint", e.Name)
		gauge("webhook_sending", "Requests under way.", float64(e.Sending), "endpoint", e.Name)
		oldest := 0.0
		if !e.Oldest.IsZero() {
			oldest = now.Sub(e.Oldest).Seconds()
		}
		gauge("webhook_oldest_waiting_seconds", "How long the oldest event has waited.", oldest, "endpoint", e.Name)
	}
}

// bit is 1 for true.
func bit(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
