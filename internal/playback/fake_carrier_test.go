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

// A carrier is the other end of a line: it plays, by the clock, and knows what the caller has heard. Its messages
// take time both ways and keep their order, but for the faults.
type carrier struct {
	up, down time.Duration // the ways
	jitter   time.Duration // of the way up
	slow     time.Duration // how long a message takes to be sent
	buffer   time.Duration // how late audio is played that comes when nothing plays
	rng      *rand.Rand

	dropMarks, delayMarks, repeatMarks float64
	markDelay                          time.Duration // at most
	flushMarks                         bool          // drop the marks that a clear flushes
	loseClears                         int           // so many clears do nothing
	delayClears                        time.Duration
	repeatClears                       bool
	breakAfter                         int // so many messages work; 0 for all

	p *Player

	mu     sync.Mutex
	last   time.Time // when the last message arrives
	sent   int
	until  time.Time // when all has been played
	pieces []piece   // what was heard or will be
	marks  []*pending
	clears []time.Time // when they left our side
	most   time.Duration
	named  map[string]int
	taken  map[byte]bool // kinds of audio that a clear took away that had left before them
}

// A piece of audio and when it plays.
type piece struct {
	audio []byte
	at    time.Time
	left  time.Time // our side
}

type pending struct {
	name  string
	timer *time.Timer
}

func newCarrier(seed uint64) *carrier {
	return &carrier{rng: rand.New(rand.NewPCG(seed, 1)), named: map[string]int{}, taken: map[byte]bool{}}
}

// up runs do on the carrier's side when a message gets there.
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

// after runs do later, with the lock held.
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

// echo sends a mark back, with the faults.
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

// clear forgets what has not been played, because of a clear that left our side a while ago.
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

// beginning is set in the first sample of a script, whose other ones are its kind.
const beginning = 0x80

// heard is how much audio of each kind the caller has heard up to now. Of a kind that began twice, the longer
// part counts.
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

// A script is a Source: it makes pieces of audio, each a time after the one before.
type script struct {
	kind   byte          // of the audio
	length time.Duration // in all
	piece  time.Duration
	every  time.Duration
	err    error // at the end instead of io.EOF

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

// say is a script that is made at once.
func say(kind byte, length time.Duration) *script {
	return &script{kind: kind, length: length, piece: 50 * ms}
}

// results collects what Finished tells.
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

// connect makes a player on the carrier's line.
func connect(t *testing.T, c *carrier) (*Player, *results) {
	t.Helper()
	r := &results{}
	p := New(Config{Line: c, Finished: r.add})
	c.p = p
	return p, r
}

// enqueue plays a source.
func enqueue(t *testing.T, p *Player, id string, s Source, interruptible bool) {
	t.Helper()
	if err := p.Enqueue(Item{ID: id, Source: s, Interruptible: interruptible}); err != nil {
		t.Fatal(err)
	}
}
