package voicetest

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"time"
)

// A Fault is how one request is answered. The zero value is well.
type Fault struct {
	Status      int           // instead of 200, with an error as the service writes it
	Message     string        // of that error; empty means one that repeats the request's key and text, as the rude do
	RetryAfter  string        // header
	ContentType string        // instead of the right one; the body is a page of HTML
	Silent      bool          // no answer at all until the client goes away
	Delay       time.Duration // before the first byte of audio
	Stall       int           // after this many bytes of audio no more come until the client goes away
	Cut         int           // after this many bytes of audio the connection breaks
}

// A Request is one that came.
type Request struct {
	Service string // "openai", "cartesia", "deepgram" or "elevenlabs"
	Header  http.Header
	Query   map[string][]string
	Path    string
	Body    map[string]any
	Text    string
}

// A Server is all services, on loopback. The fields may be set before the first request.
type Server struct {
	URL string // the base of all; OpenAI's base URL is URL + "/v1"
	Key string // if set, what requests must have

	// Gone gets a value for each request whose client went away before its answer's end.
	Gone chan struct{}

	server   *httptest.Server
	mu       sync.Mutex // guards the rest
	faults   []Fault
	requests []Request
}

// NewServer starts a Server. It must be closed.
func NewServer() *Server {
	s := &Server{Gone: make(chan struct{}, 100)}
	mux := http.NewServeMux()
	for pattern, v := range services {
		mux.HandleFunc("POST "+pattern, func(w http.ResponseWriter, r *http.Request) { s.serve(w, r, v) })
	}
	s.server = httptest.NewServer(mux)
	s.URL = s.server.URL
	return s
}

// Close cuts what is still answered, and waits.
func (s *Server) Close() {
	s.server.CloseClientConnections()
	s.server.Close()
}

// Answer sets how the next requests are answered, one each. Those after them are answered well.
func (s *Server) Answer(faults ...Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = append(s.faults, faults...)
}

// Requests are those that came so far.
func (s *Server) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Request(nil), s.requests...)
}

// take notes a request and returns how to answer it.
func (s *Server) take(r Request) (f Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests = append(s.requests, r)
	if len(s.faults) > 0 {
		f, s.faults = s.faults[0], s.faults[1:]
	}
	return f
}

func (s *Server) serve(w http.ResponseWriter, r *http.Request, v service) {
	body, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	req := Request{Service: v.name, Header: r.Header, Query: r.URL.Query(), Path: r.URL.Path}
	if err != nil || json.Unmarshal(body, &req.Body) != nil {
		http.Error(w, "the body is not JSON", http.StatusBadRequest)
		return
	}
	req.Text, _ = req.Body[v.text].(string)
	f := s.take(req)
	key := strings.TrimPrefix(strings.TrimPrefix(r.Header.Get(v.header), "Bearer "), "Token ")
	wrong := v.check(req)
	switch {
	case f.Silent:
		<-r.Context().Done()
		s.Gone <- struct{}{}
		return
	case s.Key != "" && r.Header.Get(v.header) != v.prefix+s.Key:
		f.Status = http.StatusUnauthorized
	case wrong != "" && f.Status == 0:
		f.Status, f.Message = http.StatusUnprocessableEntity, wrong
	}
	if f.Status != 0 {
		if f.RetryAfter != "" {
			w.Header().Set("Retry-After", f.RetryAfter)
		}
		if f.Message == "" {
			f.Message = "refused: key " + key + ", text " + req.Text
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(f.Status)
		_, _ = io.WriteString(w, v.error(quote(f.Message)))
		return
	}
	if f.ContentType != "" {
		w.Header().Set("Content-Type", f.ContentType)
		_, _ = io.WriteString(w, "<!DOCTYPE html><title>Welcome</title>")
		return
	}
	s.say(w, r, v, req, f)
}

// quote is a string as JSON.
func quote(s string) string {
	b, _ := json.Marshal(s) // a string can be marshaled
	return string(b)
}

// chunk is how much audio is sent at a time: 100 ms of µ-law.
const chunk = 800

// say answers with audio.
func (s *Server) say(w http.ResponseWriter, r *http.Request, v service, req Request, f Fault) {
	contentType, pieces := v.say(req)
	w.Header().Set("Content-Type", contentType)
	flush := http.NewResponseController(w).Flush
	w.WriteHeader(http.StatusOK)
	_ = flush() // a client that is gone is seen below
	wait(r, f.Delay)
	sent := 0
	for _, p := range pieces {
		stop, cut := limit(f.Stall, sent, len(p)), limit(f.Cut, sent, len(p))
		n, err := w.Write(p[:min(stop, cut, len(p))])
		_ = flush()
		sent += n
		switch {
		case stop <= len(p):
			<-r.Context().Done()
		case cut <= len(p):
			panic(http.ErrAbortHandler)
		}
		if err != nil || r.Context().Err() != nil {
			s.Gone <- struct{}{}
			return
		}
	}
}

// limit is how much of size may be sent when sent is: more than size where at is not reached.
func limit(at, sent, size int) int {
	if at == 0 || sent+size < at {
		return size + 1
	}
	return at - sent
}

// wait waits until d is over or the client is gone.
func wait(r *http.Request, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-r.Context().Done():
	}
}
