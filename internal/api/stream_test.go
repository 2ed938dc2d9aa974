package api

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"aldeabridge/events"
)

func callOf(id string) events.Call { return events.Call{ID: id} }

// interimOf is an interim of a call's caller.
func interimOf(call, text string) events.Event {
	return events.Event{Time: epoch, Call: callOf(call), Body: events.TranscriptInterim{Speaker: events.Caller, Text: text}}
}

func TestAStreamGoesOnBehindTheLastEventThatWasSeen(t *testing.T) {
	r := newRig(t, nil)
	add := func(n int) {
		for i := range n {
			r.journal.add(t, callOf([]string{"CA1", "CA2"}[i%2]), epoch, events.DTMFReceived{Digit: "1"})
		}
	}
	add(200) // more than a batch
	last, got := "0", []string{}
	for len(got) < 300 {
		f := r.follow(t, "/v1/events", last)
		for range 70 { // then it is cut off
			if len(got) == 200 {
				add(100) // while a client follows
			}
			if len(got) == 300 {
				break
			}
			m, ok := f.next()
			if !ok {
				t.Fatalf("the stream ended behind %d events", len(got))
			}
			last, got = m.id, append(got, m.id)
		}
		f.leave()
	}
	for i, id := range got {
		if id != strconv.Itoa(i+1) {
			t.Fatalf("got event %s at place %d, want each once and in order", id, i+1)
		}
	}
}

func TestAStreamOfAllCallsBeginsNowAndThatOfOneAtItsBeginning(t *testing.T) {
	r := newRig(t, nil)
	r.journal.add(t, callOf("CA1"), epoch, events.CallStarted{})
	r.journal.add(t, callOf("CA2"), epoch, events.CallStarted{})
	all, some := r.follow(t, "/v1/events", ""), r.follow(t, "/v1/events?types=call.ended,%20transcript.interim", "")
	single, behind := r.follow(t, "/v1/calls/CA1/events", ""), r.follow(t, "/v1/calls/CA1/events?after=1", "")
	r.journal.add(t, callOf("CA2"), epoch, events.DTMFReceived{})
	r.journal.add(t, callOf("CA1"), epoch, events.CallEnded{})
	for name, c := range map[string]struct {
		f    *follower
		want []string
	}{
		"all calls":              {all, []string{"3 dtmf.received", "4 call.ended"}},
		"some types":             {some, []string{"4 call.ended"}},
		"one call":               {single, []string{"1 call.started", "4 call.ended"}},
		"one call from later on": {behind, []string{"4 call.ended"}},
	} {
		if got := c.f.want(len(c.want)); !slices.Equal(got, c.want) {
			t.Errorf("%s: got %v, want %v", name, got, c.want)
		}
		c.f.leave()
	}
}

// What was said before a final was stored comes before it, and only to those who want it.
func TestInterimsAreInTheirPlace(t *testing.T) {
	r := newRig(t, nil)
	r.journal.add(t, callOf("CA2"), epoch, events.CallStarted{})
	f, single := r.follow(t, "/v1/events", ""), r.follow(t, "/v1/calls/CA2/events?after=1", "")
	defer f.leave()
	defer single.leave()
	const n = 200
	for i := range n {
		r.api.Publish(interimOf("CA1", strconv.Itoa(i)))
		r.journal.add(t, callOf("CA1"), epoch, said(strconv.Itoa(i), strconv.Itoa(i), 0, time.Second))
	}
	for i := range n {
		for _, want := range []string{"transcript.interim", "utterance.final"} {
			m, ok := f.next()
			if text := fmt.Sprintf(`"text":"%d"`, i); !ok || m.event != want || !strings.Contains(m.data, text) || (m.id == "") != (want == "transcript.interim") {
				t.Fatalf("got %+v, want %s with %s, and an id only if it is stored", m, want, text)
			}
		}
	}
	r.journal.add(t, callOf("CA2"), epoch, events.CallEnded{})
	if got := single.want(1); got[0] != "202 call.ended" {
		t.Errorf("another call's stream: got %v, want its own event", got)
	}
}

// A client that does not read delays no other, and is cut off after a while; its queue is bounded.
func TestASlowClientIsBoundedAndDelaysNobody(t *testing.T) {
	r := newRig(t, func(c *Config) { c.sendTime = time.Second })
	slow, err := net.Dial("tcp", strings.TrimPrefix(r.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer slow.Close()
	if _, err := io.WriteString(slow, "GET /v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(slow, make([]byte, 15)); err != nil { // it is there, and reads no more
		t.Fatal(err)
	}
	quick := r.follow(t, "/v1/events", "")
	defer quick.leave()
	long := strings.Repeat("x", 256<<10)
	for i := range 64 { // more than sockets keep
		r.journal.add(t, callOf("CA1"), epoch, said("u", long, 0, 0))
		for range 2 * maxInterims / 64 {
			r.api.Publish(interimOf("CA1", "so far"))
		}
		for {
			m, ok := quick.next()
			if !ok {
				t.Fatalf("the quick one's stream ended at %d", i)
			}
			if m.event == "utterance.final" {
				break
			}
		}
	}
	r.api.hub.mu.Lock()
	for _, l := range r.api.hub.listeners {
		l.mu.Lock()
		if n := len(l.waiting); n > maxInterims {
			t.Errorf("got %d interims waiting, want at most %d", n, maxInterims)
		}
		l.mu.Unlock()
	}
	r.api.hub.mu.Unlock()
	for r.api.Stats().Streams > 1 { // until it is cut off
		r.ask(t, "GET", "/v1/endpoints", "")
	}
	r.journal.add(t, callOf("CA1"), epoch, events.CallEnded{})
	for m, ok := quick.next(); m.event != "call.ended"; m, ok = quick.next() {
		if !ok {
			t.Fatal("the quick one was cut off")
		}
	}
}

// A stream that reads old events does not queue new ones.
func TestAStreamThatIsBehindKeepsTheNewestInterims(t *testing.T) {
	r := newRig(t, nil)
	l := r.api.hub.listen(wish{})
	defer r.api.hub.leave(l)
	var out strings.Builder
	s := &stream{journal: r.journal, listener: l, out: &out, dropped: &r.api.hub.dropped}
	for range 9 {
		r.journal.add(t, callOf("CA1"), epoch, events.DTMFReceived{})
	}
	const rounds, more = 3, 5
	for i := range rounds {
		for n := range maxInterims + more {
			r.api.Publish(interimOf("CA1", fmt.Sprint(i, "/", n)))
		}
		if err := s.tell([]events.Record{{Position: int64(i + 1)}}); err != nil {
			t.Fatal(err)
		}
	}
	first, last := string(s.waiting[0].body), string(s.waiting[len(s.waiting)-1].body)
	if len(s.waiting) != maxInterims || !strings.Contains(first, `"2/5"`) || !strings.Contains(last, `"2/516"`) {
		t.Errorf("got %d waiting, from %s to %s, want the newest %d", len(s.waiting), first, last, maxInterims)
	}
	if got, want := r.api.Stats().Dropped, int64((rounds-1)*maxInterims+rounds*more); got != want {
		t.Errorf("got %d counted as dropped, want %d", got, want)
	}
}

func TestAQuietStreamHasHeartbeats(t *testing.T) {
	r := newRig(t, func(c *Config) { c.heartbeat = time.Millisecond })
	f := r.follow(t, "/v1/events", "")
	defer f.leave()
	beats := 0
	for beats < 3 && f.lines.Scan() {
		if line := f.lines.Text(); line == ": heartbeat" {
			beats++
		} else if line != "" && line != "retry: 2000" {
			t.Fatalf("got %q, want heartbeats alone", line)
		}
	}
	if beats < 3 {
		t.Errorf("got %d heartbeats before the end: %v", beats, f.lines.Err())
	}
}

func TestThereAreOnlySoManyStreams(t *testing.T) {
	r := newRig(t, func(c *Config) { c.maxStreams = 1 })
	f := r.follow(t, "/v1/events", "")
	got := r.ask(t, "GET", "/v1/events", "")
	got.problem(t, 503, "(1)")
	if got.header.Get("Retry-After") == "" {
		t.Error("got no Retry-After")
	}
	f.leave()
	for r.api.Stats().Streams > 0 { // until it is noticed, although nothing is sent
		r.ask(t, "GET", "/v1/endpoints", "")
	}
	r.follow(t, "/v1/events", "").leave()
}

func TestCloseEndsStreamsAndTakesNoMore(t *testing.T) {
	r := newRig(t, nil)
	f := r.follow(t, "/v1/events", "")
	defer f.leave()
	r.api.Close()
	if m, ok := f.next(); ok {
		t.Errorf("got %v, want the end", m)
	}
	r.ask(t, "GET", "/v1/events", "").problem(t, 503, "shutting down")
	r.ask(t, "GET", "/v1/calls", "")
}

func TestABrokenJournalEndsTheStreamAndNotTheProgram(t *testing.T) {
	r := newRig(t, nil)
	r.journal.add(t, callOf("CA1"), epoch, events.CallStarted{})
	f := r.follow(t, "/v1/events?after=0", "")
	defer f.leave()
	f.want(1)
	r.journal.mu.Lock()
	r.journal.err = io.ErrUnexpectedEOF
	r.journal.mu.Unlock()
	r.journal.add(t, callOf("CA1"), epoch, events.CallEnded{}) // wakes it
	for {
		if _, ok := f.next(); !ok {
			break
		}
	}
	if !strings.Contains(r.log.String(), io.ErrUnexpectedEOF.Error()) {
		t.Errorf("got the log %q, want the reason in it", r.log)
	}
}

func TestAStreamIsRefusedWithWhatWouldBeRight(t *testing.T) {
	r := newRig(t, nil)
	r.journal.add(t, callOf("CA1"), epoch, events.CallStarted{})
	for path, want := range map[string]string{
		"/v1/events?after=x":              "a number",
		"/v1/events?after=-1":             "a number",
		"/v1/events?after=2":              "ends at 1",
		"/v1/events?types=call.finished":  "call.ended",
		"/v1/calls/CA1/events?types=x":    "takes after",
		"/v1/calls/CA1/events?after=1e99": "a number",
	} {
		r.ask(t, "GET", path, "").problem(t, 400, want)
	}
	r.ask(t, "GET", "/v1/events?after=0", "", "Last-Event-ID: 7").problem(t, 400, "Last-Event-ID")
	r.ask(t, "GET", "/v1/calls/none/events", "").problem(t, 404, "none")
	if got := r.ask(t, http.MethodHead, "/v1/events", ""); got.status != 200 || got.header.Get("Content-Type") != "text/event-stream" {
		t.Errorf("HEAD: got %d %v", got.status, got.header)
	}
}

// RFC 9112 section 6.1: no Transfer-Encoding for a client of HTTP/1.0.
func TestAnHTTP10ClientGetsTheEventsWithoutChunks(t *testing.T) {
	r := newRig(t, nil)
	r.journal.add(t, callOf("CA1"), epoch, events.CallEnded{})
	for _, headers := range []string{"", "Connection: keep-alive\r\n"} {
		conn, err := net.Dial("tcp", strings.TrimPrefix(r.url, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		fmt.Fprintf(conn, "GET /v1/calls/CA1/events HTTP/1.0\r\nHost: localhost\r\n%s\r\n", headers)
		answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		if answer.StatusCode != 200 || answer.TransferEncoding != nil || !answer.Close || answer.Header.Get("Content-Type") != "text/event-stream" {
			t.Errorf("got %d, %v, header %v; want 200 without chunks, ended by the connection", answer.StatusCode, answer.TransferEncoding, answer.Header)
		}
		f := &follower{t: t, resp: answer, lines: bufio.NewScanner(answer.Body), cancel: func() {}}
		if m, ok := f.next(); !ok || m.event != "call.ended" {
			t.Errorf("got %+v, %t; want the stored event", m, ok)
		}
		f.leave()
	}
}
