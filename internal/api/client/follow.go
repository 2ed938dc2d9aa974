package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"math/rand/v2"
	"mime"
	"net/http"
	"net/url"
	"time"
)

const (
	// silence is how long a stream may say nothing before it counts as lost: three heartbeats.
	silence = 45 * time.Second
	// firstWait is how long to wait before connecting again, where the server did not say.
	firstWait = 2 * time.Second
	// longestWait bounds that, whatever the server said and however often it failed.
	longestWait = 30 * time.Second
)

var (
	errSilent = errors.New("client: the stream fell silent")
	errEnded  = errors.New("client: the stream ended")
	errEnough = errors.New("client: the reader wants no more")
)

// A refusal is an error that trying again cannot mend.
type refusal struct{ error }

func (r refusal) Unwrap() error { return r.error }

// Follow reads a stream of events until ctx ends, the loop is left, or the bridge says that there is no such stream.
// When the connection is lost it makes a new one, after a while that grows from two seconds to half a minute, and goes
// on behind the last stored event: each of them comes once. Transient events of that time are lost. If the first
// connection fails, so does Follow.
//
// A notice, if not nil, receives why the connection was lost and how long it will wait; and with a nil error
// that there is one again. The last pair of the sequence has an error: that of ctx, if it ended.
func (c *Client) Follow(ctx context.Context, path string, query url.Values, notice func(err error, wait time.Duration)) iter.Seq2[Message, error] {
	if notice == nil {
		notice = func(error, time.Duration) {}
	}
	return func(yield func(Message, error) bool) {
		f := follower{client: c, path: path, query: maps.Clone(query), notice: notice, retry: firstWait}
		for {
			err := f.once(ctx, func(m Message) bool { return yield(m, nil) })
			switch {
			case errors.Is(err, errEnough):
				return
			case ctx.Err() != nil:
				yield(Message{}, ctx.Err())
				return
			case !f.connected || errors.As(err, new(refusal)):
				yield(Message{}, c.fail(err))
				return
			}
			f.lost = true
			wait := f.wait()
			notice(err, wait)
			select {
			case <-time.After(wait):
			case <-ctx.Done():
				yield(Message{}, ctx.Err())
				return
			}
		}
	}
}

// A follower is what Follow knows between two connections.
type follower struct {
	client *Client
	path   string
	query  url.Values
	notice func(error, time.Duration)

	lastID    string
	retry     time.Duration
	failures  int  // in a row
	connected bool // once at least
	lost      bool // and not yet there again
}

// once makes one connection and reads it to its end, which is an error.
func (f *follower) once(ctx context.Context, yield func(Message) bool) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	watchdog := time.AfterFunc(silence, func() { cancel(errSilent) })
	defer watchdog.Stop()
	header := http.Header{"Accept": {"text/event-stream"}, "Cache-Control": {"no-store"}}
	if f.lastID != "" {
		header.Set("Last-Event-ID", f.lastID)
		f.query.Del("after") // that is behind us
	}
	resp, err := f.client.do(ctx, http.MethodGet, f.path, f.query, nil, header)
	if err != nil {
		return judge(err)
	}
	defer resp.Body.Close()
	if kind, _, err := mime.ParseMediaType(resp.Header.Get("Content-Type")); err != nil || kind != "text/event-stream" {
		return refusal{fmt.Errorf("%w: no stream of events", ErrNotBridge)}
	}
	f.connected = true
	if f.lost {
		f.lost = false
		f.notice(nil, 0)
	}
	return f.read(ctx, resp.Body, watchdog, yield)
}

// read hands out the messages of one connection.
func (f *follower) read(ctx context.Context, body io.Reader, watchdog *time.Timer, yield func(Message) bool) error {
	r := newReader(body)
	r.id = f.lastID // it outlives a connection
	for {
		m, err := r.next()
		if r.retry > 0 {
			f.retry = min(r.retry, longestWait)
		}
		switch {
		case errors.Is(err, ErrTooLong):
			return refusal{err}
		case context.Cause(ctx) != nil:
			return context.Cause(ctx)
		case errors.Is(err, io.EOF):
			return errEnded
		case err != nil:
			return fmt.Errorf("client: %w", err)
		}
		f.failures, f.lastID = 0, r.lastID
		watchdog.Stop() // the reader may take its time
		if !yield(m) {
			return errEnough
		}
		watchdog.Reset(silence)
	}
}

// wait returns how long to wait before the next connection: longer after each failure, and not for all clients the same.
func (f *follower) wait() time.Duration {
	d := min(f.retry<<min(f.failures, 10), longestWait)
	f.failures++
	return time.Duration(float64(d) * (0.8 + 0.4*rand.Float64()))
}

// judge marks a refusal: an answer that would be the same the next time.
func judge(err error) error {
	if p := (*Problem)(nil); errors.As(err, &p) && p.Status < 500 && p.Status != http.StatusRequestTimeout && p.Status != http.StatusTooManyRequests {
		return refusal{err}
	}
	return err
}
