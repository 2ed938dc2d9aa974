package api

import (
	"context"
	"io"
	"slices"
	"strconv"
	"sync/atomic"
	"time"

	"aldeabridge/events"
)

const (
	// batch is how many records are read at once. The longest have a megabyte.
	batch = 64
	// retry tells clients how long to wait before they come back, in milliseconds.
	retry = "retry: 2000\n\n"
)

// A stream sends events to one client as server-sent events. Stored events carry their position as id: a client that comes
// back with it gets what is behind it.
//
// Order: a call publishes an interim before it appends the final that replaces it. So when a batch of records has
// been read, every interim that belongs before one of them is in the queue, and the stamps say where.
type stream struct {
	journal   Journal
	listener  *listener
	wish      wish
	heartbeat time.Duration
	out       io.Writer
	flush     func() error

	at      int64     // the position of the newest record that was seen, wanted or not
	waiting []interim // whose place is behind at; the newest maxInterims
	dropped *atomic.Int64
}

// run sends what is stored behind position after, then what happens, until ctx ends or the client is gone. With
// history it begins with the call's own events up to now.
func (s *stream) run(ctx context.Context, after int64, history bool) error {
	if _, err := io.WriteString(s.out, retry); err != nil {
		return err
	}
	s.at = after
	if history {
		if err := s.history(ctx, after); err != nil {
			return err
		}
	}
	if err := s.flush(); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	batches, done := make(chan []events.Record), make(chan error, 1)
	start := s.at
	go func() { done <- s.follow(ctx, start, batches) }()
	defer func() {
		cancel()
		<-done
	}()
	return s.live(ctx, batches, done)
}

// history sends what the call stored behind after, up to the newest record there is now.
func (s *stream) history(ctx context.Context, after int64) error {
	last := s.journal.Last()
	for sequence := int64(0); ; {
		records, err := s.journal.Events(ctx, s.wish.call, sequence, batch)
		if err != nil {
			return err
		}
		if len(records) == 0 || records[0].Position > last {
			break
		}
		sequence = records[len(records)-1].Sequence
		for i, r := range records {
			if r.Position > last {
				records = records[:i]
				break
			}
		}
		for len(records) > 0 && records[0].Position <= after {
			records = records[1:]
		}
		if err := s.tell(records); err != nil {
			return err
		}
	}
	s.at = last
	return nil
}

// follow reads records behind after, batch by batch.
func (s *stream) follow(ctx context.Context, after int64, batches chan<- []events.Record) error {
	for {
		records, err := s.journal.Since(ctx, after, batch)
		if err != nil {
			return err
		}
		after = records[len(records)-1].Position
		select {
		case batches <- records:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// live sends what comes.
func (s *stream) live(ctx context.Context, batches <-chan []events.Record, done chan error) error {
	beat := time.NewTicker(s.heartbeat)
	defer beat.Stop()
	for {
		var err error
		select {
		case records := <-batches:
			err = s.tell(records)
		case <-s.listener.ready:
			err = s.tell(nil)
		case <-beat.C:
			_, err = io.WriteString(s.out, ": heartbeat\n\n")
		case err = <-done:
			done <- err // run waits for it too
			return err
		case <-ctx.Done():
			return ctx.Err()
		}
		if err == nil {
			err = s.flush()
		}
		if err != nil {
			return err
		}
	}
}

// tell sends records that were read, and each interim in its place between them.
func (s *stream) tell(records []events.Record) error {
	s.waiting = append(s.waiting, s.listener.take()...)
	if n := len(s.waiting) - maxInterims; n > 0 { // a stream that still reads what is old
		s.waiting = slices.Delete(s.waiting, 0, n)
		s.dropped.Add(int64(n))
	}
	for _, r := range records {
		if err := s.interims(r.Position - 1); err != nil {
			return err
		}
		s.at = r.Position
		if !s.wish.wants(r.CallID, r.Type) {
			continue
		}
		if err := s.send(strconv.FormatInt(r.Position, 10), r.Type, r.Body); err != nil {
			return err
		}
	}
	return s.interims(s.at)
}

// interims sends those whose place is not behind position.
func (s *stream) interims(position int64) error {
	for len(s.waiting) > 0 && s.waiting[0].stamp <= position {
		if err := s.send("", s.waiting[0].typ, s.waiting[0].body); err != nil {
			return err
		}
		s.waiting = s.waiting[1:]
	}
	return nil
}

// send sends one message. The body is JSON without line breaks.
func (s *stream) send(id string, t events.Type, body []byte) error {
	head := "event: " + string(t) + "\ndata: "
	if id != "" {
		head = "id: " + id + "\n" + head
	}
	message := make([]byte, 0, len(head)+len(body)+2)
	message = append(message, head...)
	message = append(message, body...)
	_, err := s.out.Write(append(message, "\n\n"...))
	return err
}
