package call

import (
	"cmp"
	"context"
	"log/slog"
	"math"
	"net/url"
	"slices"
	"sync"
	"time"

	"aldeabridge/events"
	"aldeabridge/internal/playback"
	"aldeabridge/internal/transcript"
)

// A Recognizer opens a Transcriber for each speaker of each call. It is called concurrently.
type Recognizer interface {
	// Open does not block, also if the recognizer is unreachable: the Transcriber buffers the audio.
	Open(ctx context.Context, call events.Call, speaker events.Speaker) Transcriber
	// With returns a Recognizer with the settings of l, or an error if it does not support one of them. If the service refuses
	// the settings, the Transcriber reports that once, as Heard.Refused, and goes on with the settings from before.
	With(l Listening) (Recognizer, error)
}

// Listening is a change of recognition settings. Nil leaves a setting unchanged.
type Listening struct {
	Language    *string
	Keywords    *[]string
	Endpointing *time.Duration // silence that ends an utterance
}

// A Transcriber turns one speaker's audio into results. Its times count from the speaker's first sample.
type Transcriber interface {
	// Write appends µ-law bytes to the speaker's audio. It copies them and never blocks.
	Write(mulaw []byte)
	// Next waits for the next result. It returns io.EOF after the last, and another error if the recognizer failed
	// permanently: then speech may be missing.
	Next(ctx context.Context) (Heard, error)
	// Finalize requests the final results of all audio written so far.
	Finalize()
	// FinalizeOnce is Finalize that is not repeated when the connection to the recognizer is replaced.
	FinalizeOnce()
	// Behind reports whether a lack of results is inconclusive: the recognizer has not received all audio, or this server has
	// received nothing from it, not even a pong, since the given time (zero for no such time).
	Behind(since time.Time) bool
	// CloseSend ends the audio. Next returns the remaining results.
	CloseSend()
	// Close ends the recognition without waiting for results.
	Close() error
}

// Heard is one message of a Transcriber. At most one field is set. One without a field is ignored.
type Heard struct {
	Result        *transcript.Result
	UtteranceEnd  *transcript.UtteranceEnd
	SpeechStarted *SpeechStarted
	// Event is an event about the recognition, such as a gap. It is emitted unchanged except for its times.
	Event events.Body
	// Refused is why the service refused the settings of Recognizer.With.
	Refused error
}

// SpeechStarted means that a speaker began to speak.
type SpeechStarted struct {
	At time.Duration // from the speaker's first sample
}

// A Journal stores events. At most one goroutine of each call calls it at a time.
type Journal interface {
	// Append assigns the event its sequence number in the call and makes it durable.
	Append(ctx context.Context, e events.Event) (events.Record, error)
}

// Config is the configuration that all calls of a server share.
type Config struct {
	Recognizer Recognizer // required
	Journal    Journal    // required
	// Observe, if not nil, receives every event of every call: stored events after the journal has them, transient ones as
	// they happen. It is called concurrently for different calls, but not for one. It must not block.
	Observe func(events.Event)
	// Settings are the recognizer's settings in call.started.
	Settings events.Recognizer
	// Route, if not nil, sets Recognizer, Settings and UtteranceTimeout for one call. It is called for each stream of the
	// call and must not block.
	Route func(c *Config, call events.Call)
	// Speech makes the audio of say and play actions. If it is nil, they fail.
	Speech Speech
	// Control sends requests to the carrier. If it is nil, only a hang-up works, and only if Stream.HangUp is set.
	Control Control
	// EchoLoss is the minimum echo return loss, in dB. Zero means playback's default.
	EchoLoss float64
	// Past returns what the journal has of a call from before a restart. If it is nil, every call is new. An error is logged,
	// and the call counts as new.
	Past func(ctx context.Context, callID string) (Past, error)
	// BaseURL is this server's URL as receivers reach it, without a trailing slash. Links in events begin with it. If it is
	// empty, they are paths.
	BaseURL string
	// UtteranceTimeout is the time without results after which an utterance with final results ends. It defaults to
	// 1.5 seconds.
	UtteranceTimeout time.Duration
	// DrainTimeout bounds how long End waits for the last results. It defaults to 15 seconds.
	DrainTimeout time.Duration
	Logger       *slog.Logger // nil discards
}

// A Call is one media stream of a call, from its first audio to call.ended. Make it with Calls.Start.
type Call struct {
	calls   *Calls
	config  Config
	info    events.Call
	logger  *slog.Logger
	tracks  []*track // one for each speaker, fixed
	shared  *sharedState
	base    time.Duration // the stream's beginning, from the beginning of the call
	resumed bool          // the call had a stream before
	prefix  string        // of its utterances' ids
	keys    int64         // number dropped; used by DTMF, then by End
	hangUp  func()
	abort   func()
	end     sync.Once

	recognition recognitionState

	failures  failureLimit
	actions   *actionQueue
	gatherer  *gatherer
	player    *playback.Player // nil if the stream cannot play audio
	mu        sync.Mutex
	playbacks []actionPlayback // what the player has, in order; guarded by mu
	since     time.Duration    // when playbacks was last empty, from the beginning of the call; guarded by mu

	ctx    context.Context // of recognition
	cancel context.CancelFunc
}

// A Stream describes the media stream of a Call.
type Stream struct {
	Call   events.Call
	Media  events.MediaFormat
	Tracks []events.Speaker
	// Line sends audio to the caller. It is nil if the stream is one-way.
	Line playback.Line
	// HangUp ends the stream. The carrier then ends the call if it has no further instructions. It must not block.
	HangUp func()
	// Abort ends the stream because of a fault in this program. It must not block.
	Abort func()
}

// Start begins a call, or continues one that had a stream before. When it returns, call.started is queued and a Transcriber is
// open for each track. ctx bounds the stream: when it ends, recognition stops and the results so far are emitted. The caller
// must call End.
func (cs *Calls) Start(ctx context.Context, s Stream) *Call {
	c := &Call{
		calls:  cs,
		config: cs.config,
		info:   s.Call,
		logger: cs.config.Logger.With("call_sid", s.Call.ID, "stream_sid", s.Call.StreamID),
	}
	if cs.config.Route != nil {
		cs.config.Route(&c.config, s.Call)
	}
	c.ctx, c.cancel = context.WithCancel(ctx)
	c.hangUp, c.abort, c.actions, c.gatherer = s.HangUp, s.Abort, newActionQueue(c), newGatherer(c)
	if s.Line != nil {
		c.player = playback.New(playback.Config{Line: s.Line, EchoLoss: c.config.EchoLoss, Finished: c.played, Panicked: c.panicked})
	}
	c.recognition.current = &recognition{
		recognizer: c.config.Recognizer, language: c.config.Settings.Language, timeout: c.config.UtteranceTimeout,
	}
	cs.join(ctx, c)
	c.put(time.Now(), events.CallStarted{Tracks: s.Tracks, Media: s.Media, Recognizer: c.config.Settings, Resumed: c.resumed})
	c.startTracks(s.Tracks)
	c.logger.Info("call started", "tracks", len(s.Tracks), "resumed", c.resumed)
	return c
}

// Audio appends µ-law bytes to a speaker's audio. It never blocks and does not keep mulaw. Audio of a speaker who is not among
// the call's tracks is ignored. One goroutine at a time may call it for a speaker.
func (c *Call) Audio(speaker events.Speaker, mulaw []byte) {
	for _, t := range c.tracks {
		if t.speaker == speaker {
			t.write(mulaw)
			break
		}
	}
	if c.player != nil && speaker == events.Caller {
		c.player.Heard(mulaw)
	}
}

// Mark reports that the carrier returned a mark. It never blocks.
func (c *Call) Mark(name string) {
	if c.player != nil {
		c.player.Mark(name)
	}
}

// maxKeys is the most dtmf.received events of one call. Each event has all parameters of the call, and is stored.
const maxKeys = 10_000

// DTMF reports a key press at a time since the stream's first sample. It never blocks. Keys beyond maxKeys are counted and ignored.
func (c *Call) DTMF(digit string, at time.Duration) {
	if c.shared.queue.keyCount() >= maxKeys {
		c.keyDropped()
		return
	}
	c.put(time.Now(), events.DTMFReceived{Digit: digit, At: events.Offset(c.base + at)})
	if c.player != nil {
		c.player.Interrupt(playback.ByDTMF)
	}
	c.gatherer.press(digit, c.base+at)
}

// keyDropped counts an ignored key, and logs the first of the stream.
func (c *Call) keyDropped() {
	c.calls.keys.Add(1)
	if c.keys++; c.keys == 1 {
		c.logger.Warn("keys of a call are dropped: it has pressed too many", "most", maxKeys)
	}
}

// End ends the stream: it waits for the recognizer's last results and emits them, then call.ended. It returns when the journal
// has all events, or leaves that to another stream of the call. Only the first End has an effect; later ones return at once.
// Call it after the last Audio. It sets Utterances and DTMF of counts.
func (c *Call) End(reason events.EndReason, counts events.Counts) {
	c.end.Do(func() { c.finish(reason, counts) })
}

func (c *Call) finish(reason events.EndReason, counts events.Counts) {
	var samples int64
	for _, t := range c.tracks {
		t.leg.closeSend(t.now(), events.ByCallEnd)
		samples = max(samples, t.samples)
	}
	c.actions.finish()
	if c.player != nil {
		_ = c.player.Close() // it always returns nil
	}
	c.gatherer.finish()
	// A recognizer that never finishes must not keep the call from ending.
	drainTimer := time.AfterFunc(c.config.DrainTimeout, c.cancel)
	for _, t := range c.tracks {
		t.wait()
	}
	drainTimer.Stop()
	c.cancel()

	lines := c.shared.queue.transcript()
	slices.SortStableFunc(lines, func(a, b events.Line) int { return cmp.Compare(a.Start, b.Start) })
	counts.Utterances, counts.DTMF = len(lines), c.shared.queue.keyCount()
	counts.DTMFDropped += c.keys
	duration := c.base + length(samples)
	c.put(time.Now(), c.bounded(events.CallEnded{
		Reason:     reason,
		Duration:   events.Offset(duration),
		Counts:     counts,
		Transcript: lines,
	}))
	if c.calls.leave(c) {
		c.shared.queue.close()
	}
	c.logger.Info("call ended", "reason", reason, "duration", duration.Round(time.Millisecond), "utterances", counts.Utterances,
		"frames", counts.Frames, "frames_late", counts.FramesLate, "frames_duplicate", counts.FramesDuplicate,
		"frames_bad", counts.FramesBad, "messages_skipped", counts.MessagesSkipped, "silence_ms", counts.Silence)
}

// put queues an event of this stream.
func (c *Call) put(now time.Time, body events.Body) { c.shared.queue.put(now, c.info, body) }

// maxEvent is the greatest size of an event's JSON, in bytes: a common limit of webhook receivers.
const maxEvent = 1 << 20

// bounded replaces the transcript by a link if call.ended would be longer than maxEvent.
func (c *Call) bounded(ended events.CallEnded) events.CallEnded {
	b, err := events.Event{Time: time.Now(), Call: c.info, Sequence: math.MaxInt64, Body: ended}.JSON()
	if err != nil || len(b) <= maxEvent {
		return ended // the journal refuses one that cannot be marshaled
	}
	ended.Transcript = []events.Line{}
	ended.TranscriptURL = c.config.BaseURL + "/v1/calls/" + url.PathEscape(c.info.ID) + "/transcript"
	return ended
}
