package playback

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"sync"
	"testing"
	"time"
)

const ms = time.Millisecond

var errLine = errors.New("the line is cut")

// A carrier simulates the other end of a Line: it plays audio in real time and records what the caller has heard. Messages are
// delayed in both directions and, without faults, keep their order.
type carrier struct {
	up, down time.Duration // delays of both directions
	jitter   time.Duration // of messages to the carrier
	slow     time.Duration // how long sending a message blocks
	buffer   time.Duration // delay before audio plays that arrives when nothing plays
	rng      *rand.Rand

	dropMarks, delayMarks, repeatMarks float64
	markDelay                          time.Duration // the greatest
	flushMarks                         bool          // drop the marks that a clear flushes
	loseClears                         int           // the number of clears that do nothing
	delayClears                        time.Duration
	repeatClears                       bool
	breakAfter                         int // the number of messages that can be sent; 0 for no limit

	p *Player

	mu     sync.Mutex
	last   time.Time // when the last message arrives
	sent   int
	until  time.Time // when all has been played
	pieces []piece   // all audio that has played or will
	marks  []*pending
	clears []time.Time // when the player sent them
	most   time.Duration
	named  map[string]int
	taken  map[byte]bool // kinds of audio that a clear removed although it was sent after the clear
}

// A piece is audio and the time when it plays.
type piece struct {
	audio []byte
	at    time.Time
	left  time.Time // when the player sent it
}

type pending struct {
	name  string
	timer *time.Timer
}

func newCarrier(seed uint64) *carrier {
	return &carrier{rng: rand.New(rand.NewPCG(seed, 1)), named: map[string]int{}, taken: map[byte]bool{}}
}

// arrive runs do when a message reaches the carrier.
func (c *carrier) arrive(do func(now time.Time)) error {
	if c.slow > 0 {
		time.Sleep(c.slow)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.sent++; c.breakAfter > 0 && c.sent > c.breakAfter {
		return errLine
	}
	at := time.Now().Add(c.up)
	if c.jitter > 0 {
		at = at.Add(time.Duration(c.rng.Int64N(int64(c.jitter))))
	}
	if at.Before(c.last) {
		at = c.last
	}
	at = at.Add(time.Nanosecond) // timers of the same time fire in any order
	c.last = at
	c.after(time.Until(at), func() { do(time.Now()) })
	return nil
}

// after runs do after d, with the lock held.
func (c *carrier) after(d time.Duration, do func()) *time.Timer {
	return time.AfterFunc(d, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		do()
	})
}

func (c *carrier) SendMedia(mulaw []byte) error {
	b, left := append([]byte(nil), mulaw...), time.Now()
	return c.arrive(func(now time.Time) {
		if c.until.Before(now) {
			c.until = now.Add(c.buffer)
		}
		c.pieces = append(c.pieces, piece{b, c.until, left})
		c.until = c.until.Add(duration(int64(len(b))))
		c.most = max(c.most, c.until.Sub(now))
	})
}

func (c *carrier) SendMark(name string) error {
	c.mu.Lock()
	c.named[name]++
	c.mu.Unlock()
	return c.arrive(func(now time.Time) {
		m := &pending{name: name}
		c.marks = append(c.marks, m)
		m.timer = c.after(max(0, c.until.Sub(now)), func() { c.echo(m) })
	})
}

// echo returns a mark, with the configured faults.
func (c *carrier) echo(m *pending) {
	for i, other := range c.marks {
		if other == m {
			c.marks = append(c.marks[:i:i], c.marks[i+1:]...)
			break
		}
	}
	if c.chance(c.dropMarks) {
		return
	}
	times := 1
	if c.chance(c.repeatMarks) {
		times = 2
	}
	for range times {
		d := c.down
		if c.chance(c.delayMarks) {
			d += time.Duration(c.rng.Int64N(int64(c.markDelay)))
		}
		time.AfterFunc(d, func() { c.p.Mark(m.name) })
	}
}

func (c *carrier) SendClear() error {
	c.mu.Lock()
	left := time.Now()
	c.clears = append(c.clears, left)
	c.mu.Unlock()
	return c.arrive(func(now time.Time) {
		if c.loseClears > 0 {
			c.loseClears--
			return
		}
		if c.delayClears > 0 {
			c.after(c.delayClears, func() { c.clear(left, time.Now()) })
			return
		}
		c.clear(left, now)
		if c.repeatClears {
			c.clear(left, now)
		}
	})
}

// clear discards the audio that has not been played, for a clear that the player sent at left.
func (c *carrier) clear(sent, now time.Time) {
	if c.until.After(now) {
		c.until = now
	}
	for i, p := range c.pieces {
		played := int64(now.Sub(p.at) / perSample)
		if len(p.audio) == 0 || played >= int64(len(p.audio)) {
			continue
		}
		if p.left.After(sent) {
			c.taken[p.audio[0]&^beginning] = true
		}
		c.pieces[i].audio = p.audio[:max(0, played)]
	}
	for _, m := range append([]*pending(nil), c.marks...) {
		if m.timer.Stop() && !c.flushMarks {
			c.echo(m)
		}
	}
}

func (c *carrier) chance(share float64) bool { return share > 0 && c.rng.Float64() < share }

// beginning is set in the first sample of a script. The other samples are its kind.
const beginning = 0x80

// heard returns how much audio of each kind the caller has heard up to now. For a kind that began twice, the longer part
// counts.
func (c *carrier) heard(now time.Time) (heard [beginning]time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var part [beginning]time.Duration
	for _, p := range c.pieces {
		n := min(int64(len(p.audio)), max(0, int64(now.Sub(p.at)/perSample)))
		for _, b := range p.audio[:n] {
			kind := b &^ beginning
			if b != kind {
				part[kind] = 0
			}
			part[kind] += perSample
			heard[kind] = max(heard[kind], part[kind])
		}
	}
	return heard
}

// A script is a Source that produces pieces of audio at an interval.
type script struct {
	kind   byte          // of the audio
	length time.Duration // total
	piece  time.Duration
	every  time.Duration
	err    error // returned at the end instead of io.EOF

	mu     sync.Mutex
	made   time.Duration
	closed int
}

func (s *script) Next(ctx context.Context) ([]byte, error) {
	if s.every > 0 {
		select {
		case <-time.After(s.every):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	n := min(s.piece, s.length-s.made)
	if n <= 0 {
		if s.err != nil {
			return nil, s.err
		}
		return nil, io.EOF
	}
	b := make([]byte, samples(n))
	for i := range b {
		b[i] = s.kind
	}
	if s.made == 0 {
		b[0] |= beginning
	}
	s.made += n
	return b, nil
}

func (s *script) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed++
	return nil
}

// say returns a script that produces all audio at once.
func say(kind byte, length time.Duration) *script {
	return &script{kind: kind, length: length, piece: 50 * ms}
}

// results collects the Results that Finished receives.
type results struct {
	mu  sync.Mutex
	all []Result
	at  []time.Time
}

func (r *results) add(one Result) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.all = append(r.all, one)
	r.at = append(r.at, time.Now())
}

func (r *results) get() []Result {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]Result(nil), r.all...)
}

// connect makes a player that sends to the carrier.
func connect(t *testing.T, c *carrier) (*Player, *results) {
	t.Helper()
	r := &results{}
	p := New(Config{Line: c, Finished: r.add})
	c.p = p
	return p, r
}

// enqueue enqueues a source.
func enqueue(t *testing.T, p *Player, id string, s Source, interruptible bool) {
	t.Helper()
	if err := p.Enqueue(Item{ID: id, Source: s, Interruptible: interruptible}); err != nil {
		t.Fatal(err)
	}
}
