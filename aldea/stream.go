package aldea

import (
	"context"
	"io"
	"log/slog"
	"math"
	"sync"
	"sync/atomic"
	"time"
)

// A Stream is one track of audio on its way to the recognizer, and what the recognizer makes of it. It
// survives the loss of its connection. Open makes one.
//
// Write, Finalize, CloseSend, Stats and Close may be called concurrently with each other and with Next;
// the order of two concurrent Writes is not defined. Next must not be called concurrently with itself.
type Stream struct {
	client *Client
	as     *Client // whose settings connections have: client or a fallback of it; guarded by writeMu
	log    *slog.Logger

	ctx        context.Context // ends when the stream must stop at once; its cause says why
	cancel     context.CancelCauseFunc
	connecting context.Context // ends when no new connection may be tried any more, too
	giveUp     context.CancelCauseFunc

	wake     chan struct{} // tells run that there is something to do; one token is enough
	messages chan Message
	turn     chan struct{} // holds a token while a goroutine sends to messages
	done     chan struct{} // closed when run has returned
	err      error         // what Next returns at the end; set before messages is closed

	// writeMu guards the connection's write side. run holds it except while it is idle.
	writeMu sync.Mutex
	writer  *writer // guarded by writeMu; nil before run has made it

	waiter  *waiter // at the client's guard; run's
	trouble trouble // run's
	stalls  int     // connections in a row that stalled without a result; run's

	accepted bool   // the recognizer has taken the settings; run's
	intake   intake // of the goroutine that reads

	received atomic.Int64 // when the recognizer last sent something, in ns since 1970; 0 is never

	mu      sync.Mutex // guards what follows
	src     source
	wakeAt  int64     // Write wakes run when the source reaches this sample
	endedAt time.Time // when CloseSend was called
	timer   *time.Timer
	over    bool // run has returned: nothing is wanted any more
	stats   Stats
}

const (
	// messageQueue is how many messages wait for Next: a minute of finals and more. When it is full,
	// interims are dropped, and reading waits for anything else.
	messageQueue = 64
	// never is a sample that no source reaches.
	never = math.MaxInt64
)

func newStream(ctx context.Context, client *Client, log *slog.Logger) *Stream {
	s := &Stream{
		client:   client,
		as:       client,
		log:      log,
		wake:     make(chan struct{}, 1),
		messages: make(chan Message, messageQueue),
		turn:     make(chan struct{}, 1),
		done:     make(chan struct{}),
		wakeAt:   never,
		intake:   intake{left: intakeBurst, at: time.Now()},
	}
	s.src.ring = ring{limit: int(sampleAt(client.config.Buffer)), spare: &client.pools.pieces}
	s.ctx, s.cancel = context.WithCancelCause(ctx)
	s.connecting, s.giveUp = context.WithCancelCause(s.ctx)
	return s
}

// Write appends G.711 µ-law audio, 8000 samples a second, to the source time line, and sends what is due if the socket
// has room for it. It copies, never waits for the network, and allocates only while the buffer grows. Audio after
// CloseSend or Close is ignored.
func (s *Stream) Write(mulaw []byte) {
	s.mu.Lock()
	if s.src.ended || s.over {
		s.mu.Unlock()
		return
	}
	s.src.ring.append(mulaw)
	due := s.src.ring.end >= s.wakeAt
	if due {
		s.wakeAt = never
	}
	s.mu.Unlock()
	if due && !s.sendNow() {
		s.signal()
	}
}

// sendNow sends due audio inline if run is idle, which saves waking it. It returns false if run must be woken.
func (s *Stream) sendNow() bool {
	if !s.writeMu.TryLock() {
		return false
	}
	defer s.writeMu.Unlock()
	return s.writer != nil && s.writer.sendNow()
}

// Finalize asks the recognizer to turn what it has heard into final results, behind all audio written so
// far. It does not wait for them, and there may be none. A request that a lost connection left unanswered is made
// again at the same place of the audio.
func (s *Stream) Finalize() { s.finalize(false) }

// FinalizeOnce is Finalize for the present connection alone: if it is lost, the request is, too.
func (s *Stream) FinalizeOnce() { s.finalize(true) }

func (s *Stream) finalize(once bool) {
	s.mu.Lock()
	if !s.src.ended && !s.over {
		s.src.finalize(once)
	}
	s.mu.Unlock()
	s.signal()
}

// CloseSend says that the audio is complete. What is left is sent as fast as possible, then CloseStream; the
// last results come from Next, then io.EOF. Each of connecting (if there is no connection), sending and
// waiting for the results takes at most Config.DrainTimeout. If the audio could not be delivered, Next
// ends with ErrUnfinished instead.
func (s *Stream) CloseSend() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.src.ended || s.over {
		return
	}
	s.src.ended = true
	s.endedAt = time.Now()
	s.timer = time.AfterFunc(s.client.config.DrainTimeout, func() { s.giveUp(ErrUnfinished) })
	if !s.stats.Connected && s.src.settled >= s.src.ring.end {
		s.giveUp(io.EOF) // nothing to say: not worth a connection
	}
	s.signal()
}

// Next returns the next message, waiting for it. After the last it returns an error, and the same one ever
// after:
//
//   - io.EOF: all audio was delivered and the recognizer has said all it had to say;
//   - ErrUnfinished: the audio ended without a connection and none came in time, or the last results did not. If the
//     recognizer refused the stream to the end, the error is also the *StatusError or the *CloseError that said so first,
//     and ErrUnauthorized if the key was refused;
//   - ErrClosed after Close, or the cause of the end of Open's context.
//
// When ctx ends first, Next returns its cause; the stream goes on and Next may be called again.
func (s *Stream) Next(ctx context.Context) (Message, error) {
	select {
	case m, ok := <-s.messages:
		if !ok {
			return nil, s.err
		}
		return m, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// Close ends the stream at once, without waiting for results, and returns when its goroutines have ended.
// It always returns nil and may be called more than once.
func (s *Stream) Close() error {
	s.cancel(ErrClosed)
	<-s.done
	return nil
}

// Stats returns the counters as they are now. It may be called at any time, also after the end.
func (s *Stream) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	stats := s.stats
	stats.Written = timeOf(s.src.ring.end)
	stats.Settled = timeOf(s.src.settled)
	stats.Backlog = timeOf(max(0, s.src.ring.end-s.src.next))
	if at := s.received.Load(); at != 0 {
		stats.Received = time.Unix(0, at)
	}
	return stats
}

// signal wakes run, or lets it not fall asleep.
func (s *Stream) signal() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// deliver hands a message to Next, after a gap that it reaches into or lies behind.
func (s *Stream) deliver(m Message) {
	s.turn <- struct{}{}
	defer func() { <-s.turn }()
	s.mu.Lock()
	var gap *Gap
	if s.src.gapBefore(reach(m)) {
		gap = s.src.takeGap()
	}
	s.mu.Unlock()
	if gap != nil {
		s.put(gap)
	}
	s.put(m)
}

// deliverGap reports the gap that was not reported yet, if there is one.
func (s *Stream) deliverGap() {
	s.turn <- struct{}{}
	defer func() { <-s.turn }()
	s.mu.Lock()
	gap := s.src.takeGap()
	s.mu.Unlock()
	if gap != nil {
		s.put(gap)
	}
}

// reach is the time up to which a message says something about the audio.
func reach(m Message) time.Duration {
	switch m := m.(type) {
	case *Results:
		return m.End
	case *SpeechStarted:
		return m.Timestamp
	case *UtteranceEnd:
		return m.LastWordEnd
	case *Recovered:
		return math.MaxInt64
	}
	return -1
}

// put queues a message. An interim for which there is no room is dropped: the next replaces it.
func (s *Stream) put(m Message) {
	select {
	case s.messages <- m:
		return
	default:
	}
	if r, ok := m.(*Results); ok && !r.IsFinal {
		s.count(func(stats *Stats) { stats.Dropped++ })
		return
	}
	select {
	case s.messages <- m:
	case <-s.ctx.Done():
	}
}

func (s *Stream) count(f func(*Stats)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f(&s.stats)
}
