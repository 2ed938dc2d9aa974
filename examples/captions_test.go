package examples

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"aldeabridge/events"
)

// broadcast is a bridge's event stream: each connection is answered by the next of the list, the last for ever.
func broadcast(t *testing.T, answers ...http.HandlerFunc) *httptest.Server {
	connections := make(chan http.HandlerFunc, len(answers))
	for _, a := range answers {
		connections <- a
	}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if want := "transcript.interim,utterance.final,call.ended"; r.URL.Path != "/v1/events" || r.URL.Query().Get("types") != want {
			t.Errorf("got %s, want /v1/events of %s", r.URL, want)
		}
		if got := r.Header.Get("Authorization"); got != "Bearer token" {
			t.Errorf("got authorization %q", got)
		}
		select {
		case answer := <-connections:
			answer(w, r)
		default:
			<-r.Context().Done()
		}
	}))
	t.Cleanup(srv.Close)
	return srv
}

// sse sends messages of a stream whose last must have been last, and then breaks the connection in the middle of one.
func sse(t *testing.T, last string, messages ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if got := r.Header.Get("Last-Event-ID"); got != last {
			t.Errorf("got Last-Event-ID %q, want %q", got, last)
		}
		w.Header().Set("Content-Type", "text/event-stream")
		fmt.Fprint(w, strings.Join(messages, ""), "id: 99\nevent: utterance.final\ndata: {\"type\":")
		if err := http.NewResponseController(w).Flush(); err != nil {
			t.Error(err)
		}
		panic(http.ErrAbortHandler)
	}
}

func message(t *testing.T, id int, body events.Body) string {
	sequence, head := int64(id), fmt.Sprintf("id: %d\n", id)
	if !body.Stored() {
		sequence, head = 0, ""
	}
	return fmt.Sprintf("%sevent: %s\ndata: %s\n\n", head, body.Type(), event(t, "CA0000012345", sequence, body))
}

func interim(text string) events.Body {
	return events.TranscriptInterim{Speaker: events.Caller, Utterance: "MZ1-1", Text: text}
}

func TestCaptionsGoOnWhereTheConnectionBroke(t *testing.T) {
	down := func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) }
	srv := broadcast(t,
		sse(t, "", "retry: 10\n\n", ": heartbeat\n\n", message(t, 4, said(events.Caller, "Grüße")), message(t, 0, interim("how"))),
		down,
		sse(t, "4", message(t, 0, interim("how do")), message(t, 6, said(events.Caller, "how do you do \u2028\x1b[2J"))),
		sse(t, "6", message(t, 7, events.CallEnded{Reason: events.EndStop, Transcript: []events.Line{}})),
	)
	p := start(t, "captions", "BRIDGE_URL="+srv.URL, "BRIDGE_API_TOKEN=token")
	watching := "watching " + srv.URL + "/v1/events?types=transcript.interim,utterance.final,call.ended"
	for _, want := range []string{
		watching, "012345 caller: Grüße", "012345 caller: how …",
		watching, "012345 caller: how do …", "012345 caller: how do you do   [2J",
		watching, "012345 -- carrier_stop",
	} {
		if got := p.printed(""); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestOnATerminalCaptionsGrowInPlace(t *testing.T) {
	srv := broadcast(t, sse(t, "", message(t, 0, interim("how")), message(t, 0, interim("how do")), message(t, 2, said(events.Caller, "how do you do"))))
	terminal := []string{"python3", "-c", "import pty, sys; pty.spawn(sys.argv[1:])"}
	p := startCommand(t, "captions", append(terminal, command("captions")...), "BRIDGE_URL="+srv.URL, "BRIDGE_API_TOKEN=token")
	want := "\r\x1b[K012345 caller: how …\r\x1b[K012345 caller: how do …\r\x1b[K012345 caller: how do you do"
	if got := strings.TrimRight(p.printed("you do"), "\r"); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestCaptionsEndWhenTheyAreRefused(t *testing.T) {
	srv := broadcast(t, func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "the token is wrong", http.StatusUnauthorized)
	})
	p := start(t, "captions", "BRIDGE_URL="+srv.URL, "BRIDGE_API_TOKEN=token")
	for line := range p.lines {
		t.Errorf("got %q, want nothing", line)
	}
	if err := p.cmd.Wait(); err == nil || !strings.Contains(p.errs.String(), "401: the token is wrong") {
		t.Errorf("got %v and %q, want a failure that says why", err, p.errs)
	}
}
