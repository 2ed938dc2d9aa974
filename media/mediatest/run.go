package mediatest

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"sync"
	"time"

	"github.com/gorilla/websocket"
)

// patience is how long the server may take to read a message and to answer the close frame.
const patience = 10 * time.Second

// progressEvery is how much audio goes by between two calls of Progress.
const progressEvery = 100 * time.Millisecond

// errGone means that the server ended the stream.
var errGone = errors.New("mediatest: the server ended the stream")

// A line is one run of a call. talk runs in the goroutine of Run and is the only writer of the socket; read runs in a
// second goroutine and is the only reader.
type line struct {
	c     *Call
	conn  *websocket.Conn
	plan  *plan
	began time.Time
	w     writer
	burst listener
	res   Result // filled by talk

	reading sync.WaitGroup
	gone    chan struct{} // closed when read has ended
	kick    chan struct{} // read has changed the playback

	mu       sync.Mutex // guards the rest, which read fills and talk uses
	playback playback
	heard    Result // filled by read
}

func newLine(c *Call, conn *websocket.Conn) *line {
	l := &line{
		c: c, conn: conn, plan: newPlan(c),
		gone: make(chan struct{}), kick: make(chan struct{}, 1),
	}
	l.res.Opened = time.Now()
	l.res.CallSID = orNew(c.CallSID, "CA")
	l.res.StreamSID = orNew(c.StreamSID, "MZ")
	l.playback = newPlayback(c, l.speed(), l.res.Opened, l.plan.total)
	l.burst.quiet = hush
	l.w = writer{conn: conn, streamSID: l.res.StreamSID}
	return l
}

func orNew(id, prefix string) string {
	if id != "" {
		return id
	}
	var b [16]byte
	_, _ = rand.Read(b[:])
	return prefix + hex.EncodeToString(b[:])
}

func (l *line) speed() float64 {
	if l.c.Speed > 0 {
		return l.c.Speed
	}
	return 1
}

// wall is when an offset of the audio comes up. Every message has its own absolute time, so delays do not add up.
func (l *line) wall(offset time.Duration) time.Time {
	return l.began.Add(time.Duration(float64(offset) / l.speed()))
}

// talk sends the whole call up to its end, and echoes the marks that become due. It returns nil at the end of the
// audio and also when the server ended the stream before.
func (l *line) talk(ctx context.Context) error {
	err := l.send(ctx)
	if errors.Is(err, errGone) {
		l.res.ByServer = true
		err = nil
	}
	l.res.HungUp = time.Now()
	return err
}

func (l *line) send(ctx context.Context) error {
	if err := l.w.open(l.c, l.res.CallSID, l.plan.tracks); err != nil {
		return errGone
	}
	l.began = time.Now()
	l.res.Began = l.began
	l.mu.Lock()
	l.playback.began = l.began
	l.mu.Unlock()
	digits := l.c.DTMF
	var told time.Duration
	for {
		it, ok := l.plan.pop()
		for len(digits) > 0 && (!ok || digits[0].At < it.due) {
			if err := l.press(ctx, digits[0]); err != nil {
				return err
			}
			digits = digits[1:]
		}
		if !ok {
			break
		}
		if err := l.frame(ctx, it); err != nil {
			return err
		}
		if l.c.Progress != nil && it.offset-told >= progressEvery {
			told = it.offset
			l.c.Progress(it.offset, l.plan.total)
		}
	}
	if err := l.waitUntil(ctx, l.wall(l.plan.total)); err != nil {
		return err
	}
	if l.c.Progress != nil {
		l.c.Progress(l.plan.total, l.plan.total)
	}
	return nil
}

func (l *line) press(ctx context.Context, d Digit) error {
	if err := l.waitUntil(ctx, l.wall(d.At)); err != nil {
		return err
	}
	l.res.Digits++
	return l.wrote(l.w.dtmf(d.Digit))
}

// frame sends one media message when its time has come.
func (l *line) frame(ctx context.Context, it item) error {
	if it.lost {
		l.res.Lost++
		l.w.chunk(it.track)
		return nil
	}
	if err := l.waitUntil(ctx, l.wall(it.due)); err != nil {
		return err
	}
	if l.c.Live != nil && it.track == Inbound && len(it.payload) == 0 {
		it.payload = l.c.Live(it.silence)
		it.silence -= len(it.payload)
	}
	times := 1
	if it.twice {
		times = 2
	}
	for range times {
		if err := l.wrote(l.w.media(it, l.c.Clock)); err != nil {
			return err
		}
		l.res.Frames++
	}
	if l.c.Burst != nil && it.track == Inbound && l.burst.hear(it.payload, l.plan.frame) {
		l.c.Burst(it.offset, time.Now())
	}
	if l.c.Sent != nil {
		l.c.Sent(it.track, it.offset, time.Now())
	}
	return nil
}

// wrote converts a write error to errGone: the reader determines the cause.
func (l *line) wrote(err error) error {
	if err != nil {
		return errGone
	}
	return nil
}

// waitUntil waits until t and echoes the marks that become due before.
func (l *line) waitUntil(ctx context.Context, t time.Time) error {
	for {
		if err := l.echo(); err != nil {
			return err
		}
		l.mu.Lock()
		mark, pending := l.playback.nextDue()
		l.mu.Unlock()
		next := t
		if pending && mark.Before(t) {
			next = mark
		}
		d := time.Until(next)
		if d <= 0 {
			if next.Equal(t) {
				return l.still(ctx)
			}
			continue
		}
		timer := time.NewTimer(d)
		select {
		case <-timer.C:
		case <-l.kick:
		case <-l.gone:
		case <-ctx.Done():
		}
		timer.Stop()
		if err := l.still(ctx); err != nil {
			return err
		}
	}
}

// still returns an error if the call is over.
func (l *line) still(ctx context.Context) error {
	select {
	case <-l.gone:
		return errGone
	default:
		return ctx.Err()
	}
}

// echo sends back the marks whose audio has been played.
func (l *line) echo() error {
	now := time.Now()
	for {
		l.mu.Lock()
		name, ok := l.playback.due(now)
		l.mu.Unlock()
		if !ok {
			return nil
		}
		l.res.Echoed++
		if err := l.wrote(l.w.mark(name)); err != nil {
			return err
		}
	}
}
