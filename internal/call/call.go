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
	// Open returns at once, also when the recognizer cannot be reached: the audio waits inside.
	Open(ctx context.Context, call events.Call, speaker events.Speaker) Transcriber
	// With returns a Recognizer that listens differently. Its error says what of l cannot be. A Transcriber of it whose
	// settings the service refuses says so once, as Heard.Refused, and goes on as one of the Recognizer before.
	With(l Listening) (Recognizer, error)
}

// Listening is how speech is to be recognized from now on. Nil leaves a setting as it is.
type Listening struct {
	Language    *string
	Keywords    *[]string
	Endpointing *time.Duration // silence that ends an utterance
}

// A Transcriber turns one speaker's audio into results. Its times count from the speaker's first sample.
type Transcriber interface {
	// Write takes the next µ-law bytes of the speaker's time line. It copies them and never blocks.
	Write(mulaw []byte)
	// Next waits for the next thing heard. It returns io.EOF after the last, and any other error when the
	// recognizer failed for good: then some of what was said may be missing.
	Next(ctx context.Context) (Heard, error)
	// Finalize asks for the final results of all audio written so far.
	Finalize()
	// FinalizeOnce is Finalize that is not repeated when the connection to the recognizer is replaced.
	FinalizeOnce()
	// Behind reports whether the recognizer's silence means nothing: it has not received all audio, or nothing at
	// all, not even a pong, came from it since a time (zero for no such time).
	Behind(since time.Time) bool
	// CloseSend says that no more audio comes. Next goes on until the last result.
	CloseSend()
	// Close gives up at once.
	Close() error
}

// Heard is one thing a Transcriber says. At most one field is set; with none it is to be ignored.
type Heard struct {
	Result        *transcript.Result
	UtteranceEnd  *transcript.UtteranceEnd
	SpeechStarted *SpeechStarted
	// Event is something about the recognition itself, such as a gap in it, that goes out as it is.
	Event events.Body
	// Refused says why the settings that Recognizer.With added are not those of the Transcriber any more.
	Refused error
}

// SpeechStarted says that a speaker began to speak.
type SpeechStarted struct {
	At time.Duration // from the speaker's first sample
}

// A Journal stores events. It is called by one goroutine of each call at a time.
type Journal interface {
	// Append gives the event its place in the call's sequence and makes it durable.
	Append(ctx context.Context, e events.Event) (events.Record, error)
}

// Config is what all calls of a server share.
type Config struct {
	Recognizer Recognizer // required
	Journal    Journal    // required
	// Observe, if not nil, is told every event of every call: stored ones after the journal has them, the
	// others as they happen. Calls of it overlap for different calls, not for one. It must not block.
	Observe func(events.Event)
	// Settings is told to receivers in call.started.
	Settings events.Recognizer
	// Route, if not nil, changes Recognizer, Settings and UtteranceTimeout to what they are for one call. It is asked
	// for each stream of the call and must not block.
	Route func(c *Config, call events.Call)
	// Speech makes the audio of actions. Nil: nothing can be played.
	Speech Speech
	// Control steers calls. Nil: only a hang-up works, and only where Stream.HangUp does.
	Control Control
	// EchoLoss is how much weaker than what the caller hears its echo in the caller's audio is at least, in dB. Zero
	// means playback's default.
	EchoLoss float64
	// Past tells what happened on a call before this server's memory of it. Nil: every call is new. An error
	// is logged, and the call counts as new.
	Past func(ctx context.Context, callID string) (Past, error)
	// BaseURL is what receivers call this server, without a slash at its end. Links in events begin with it.
	// Empty makes them paths.
	BaseURL string
	// UtteranceTimeout ends an utterance when its finals are in and nothing more is heard for so long.
	// It defaults to 1.5 seconds.
	UtteranceTimeout time.Duration
	// DrainTimeout bounds how long End waits for the last words. It defaults to 15 seconds.
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
	life    *life
	base    time.Duration // where the stream begins on the call's time line
	resumed bool          // the call had a stream before
	prefix  string        // of the ids of its utterances
	keys    int64         // dropped; DTMF's, then End's
	hangUp  func()
	abort   func()
	end     sync.Once

	recognition recognitionState

	failures failureLimit
	actor    *actor
	gatherer *gatherer
	player   *playback.Player // nil if the caller cannot hear us
	mu       sync.Mutex
	speaking []speaking    // what the player has, in order
	since    time.Duration // when it got something to play, on the call's time line

	ctx    context.Context // of recognition
	cancel context.CancelFunc
}

// A Stream is what a Call is made from.
type Stream struct {
	Call   events.Call
	Media  events.MediaFormat
	Tracks []events.Speaker
	// Line carries audio to the caller. Nil: the stream only listens.
	Line playback.Line
	// HangUp ends the stream, and with it the call if the carrier has no other instructions. It must not block.
	HangUp func()
	// Abort ends the stream because of a fault in this program. It must not block.
	Abort func()
}

// Start begins a call, or goes on with one that had a stream before: call.started is on its way and a Transcriber
// is open for each track when it returns. ctx bounds the whole stream: when it ends, recognition stops at once and
// what was heard is emitted. Somebody must call End.
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
	c.hangUp, c.abort, c.actor, c.gatherer = s.HangUp, s.Abort, newActor(c), newGatherer(c)
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

// Audio hands on the next µ-law bytes of a speaker's time line. It never blocks and keeps nothing of mulaw.
// Audio of a speaker who is not among the call's tracks is ignored. One goroutine at a time for a speaker.
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

// Mark tells of the carrier's echo of a mark.
func (c *Call) Mark(name string) {
	if c.player != nil {
		c.player.Mark(name)
	}
}

// maxKeys is how many keys of one call make events. Each event has all parameters of the call, and is stored.
const maxKeys = 10_000

// DTMF reports a key press at a time since the stream's first sample. It never blocks. Keys beyond maxKeys do nothing.
func (c *Call) DTMF(digit string, at time.Duration) {
	if c.life.queue.pressed() >= maxKeys {
		c.keyDropped()
		return
	}
	c.put(time.Now(), events.DTMFReceived{Digit: digit, At: events.Offset(c.base + at)})
	if c.player != nil {
		c.player.Interrupt(playback.ByDTMF)
	}
	c.gatherer.press(digit, c.base+at)
}

// keyDropped counts a key that makes no event, and reports the first of the stream.
func (c *Call) keyDropped() {
	c.calls.keys.Add(1)
	if c.keys++; c.keys == 1 {
		c.logger.Warn("keys of a call are dropped: it has pressed too many", "most", maxKeys)
	}
}

// End ends the stream: the recognizer is asked for the last words, they are emitted, then call.ended is. It
// returns when the journal has it all, or leaves the rest to another stream of the call. The first End counts; later
// ones return at once. Call it after the last Audio. Utterances and DTMF of counts are filled in here.
func (c *Call) End(reason events.EndReason, counts events.Counts) {
	c.end.Do(func() { c.finish(reason, counts) })
}

func (c *Call) finish(reason events.EndReason, counts events.Counts) {
	var samples int64
	for _, t := range c.tracks {
		t.leg.closeSend(t.now(), events.ByCallEnd)
		samples = max(samples, t.samples)
	}
	c.actor.finish()
	if c.player != nil {
		_ = c.player.Close() // it fails never
	}
	c.gatherer.finish()
	// A recognizer that does not let go must not keep the call from ending.
	giveUp := time.AfterFunc(c.config.DrainTimeout, c.cancel)
	for _, t := range c.tracks {
		t.wait()
	}
	giveUp.Stop()
	c.cancel()

	lines := c.life.queue.said()
	slices.SortStableFunc(lines, func(a, b events.Line) int { return cmp.Compare(a.Start, b.Start) })
	counts.Utterances, counts.DTMF = len(lines), c.life.queue.pressed()
	counts.DTMFDropped += c.keys
	duration := c.base + length(samples)
	c.put(time.Now(), c.bounded(events.CallEnded{
		Reason:     reason,
		Duration:   events.Offset(duration),
		Counts:     counts,
		Transcript: lines,
	}))
	if c.calls.leave(c) {
		c.life.queue.close()
	}
	c.logger.Info("call ended", "reason", reason, "duration", duration.Round(time.Millisecond), "utterances", counts.Utterances,
		"frames", counts.Frames, "frames_late", counts.FramesLate, "frames_duplicate", counts.FramesDuplicate,
		"frames_bad", counts.FramesBad, "messages_skipped", counts.MessagesSkipped, "silence_ms", counts.Silence)
}

// put queues an event of this stream.
func (c *Call) put(now time.Time, body events.Body) { c.life.queue.put(now, c.info, body) }

// maxEvent is how long an event's JSON may be: what receivers of webhooks commonly take.
const maxEvent = 1 << 20

// bounded puts a link in the place of a transcript that would make call.ended too long.
func (c *Call) bounded(ended events.CallEnded) events.CallEnded {
	b, err := events.Event{Time: time.Now(), Call: c.info, Sequence: math.MaxInt64, Body: ended}.JSON()
	if err != nil || len(b) <= maxEvent {
		return ended // one that cannot be marshaled is the journal's to refuse
	}
	ended.Transcript = []events.Line{}
	ended.TranscriptURL = c.config.BaseURL + "/v1/calls/" + url.PathEscape(c.info.ID) + "/transcript"
	return ended
}
