package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// A tap reads an event stream of the API and keeps the stored events, as they came. It is written by hand from the
// standard's text on server-sent events and shares no code with the client of the commands.
type tap struct {
	path string

	mu          sync.Mutex
	connections int    // that were answered with a stream
	last        string // id of the last message that came whole
	got         []told
	changed     chan struct{} // closed and replaced when something came
}

// told is one stored event as a stream tells it.
type told struct {
	position int64
	kind     string // its type
	call     string // its id
	body     string
}

func newTap(path string) *tap { return &tap{path: path, changed: make(chan struct{})} }

// connect asks for the stream, behind what it has, and reads until the stream ends, ctx ends, or most bytes were read.
// A message of which only a part came does not count.
func (s *tap) connect(ctx context.Context, base string, most int64) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // a read that is not at the end of the stream breaks the connection
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, base+s.path, nil)
	if err != nil {
		return err
	}
	if last := s.lastID(); last != "" {
		req.Header.Set("Last-Event-ID", last)
	}
	transport := &http.Transport{DisableKeepAlives: true}
	resp, err := transport.RoundTrip(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: status %d", s.path, resp.StatusCode)
	}
	s.mu.Lock()
	s.connections++
	s.mu.Unlock()
	return s.read(io.LimitReader(resp.Body, most))
}

// read takes messages: lines of "field: value", an empty line behind each message.
func (s *tap) read(r io.Reader) error {
	lines := bufio.NewReader(r)
	id, data := "", []string(nil)
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			return err
		}
		field, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ":")
		value = strings.TrimPrefix(value, " ")
		switch field {
		case "id":
			id = value
		case "data":
			data = append(data, value)
		case "":
			if line == "\n" && id != "" {
				if err := s.take(id, strings.Join(data, "\n")); err != nil {
					return err
				}
			}
			if line == "\n" {
				id, data = "", nil
			}
		}
	}
}

func (s *tap) take(id, body string) error {
	position, err := strconv.ParseInt(id, 10, 64)
	if err != nil {
		return err
	}
	var e struct {
		Type string
		Data struct{ Call struct{ ID string } }
	}
	if err := json.Unmarshal([]byte(body), &e); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last = id
	s.got = append(s.got, told{position, e.Type, e.Data.Call.ID, body})
	close(s.changed)
	s.changed = make(chan struct{})
	return nil
}

func (s *tap) lastID() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.last
}

// all returns the events received so far.
func (s *tap) all() []told {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.got[:len(s.got):len(s.got)]
}

// wants reports whether the stream includes a call.
func (s *tap) wants(call string) bool {
	return !strings.HasPrefix(s.path, "/v1/calls/") || s.path == "/v1/calls/"+call+"/events"
}

// wait blocks until enough came, and returns it.
func (s *tap) wait(ctx context.Context, t testing.TB, enough func([]told) bool) []told {
	t.Helper()
	for {
		s.mu.Lock()
		got, changed := s.got, s.changed
		s.mu.Unlock()
		if enough(got) {
			return got
		}
		select {
		case <-changed:
		case <-ctx.Done():
			t.Fatalf("%s told of %d stored events, which is not enough: %v", s.path, len(got), ctx.Err())
		}
	}
}
