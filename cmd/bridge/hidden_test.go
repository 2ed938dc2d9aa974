package main

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"aldeabridge/events"
	"aldeabridge/internal/journal"
	"aldeabridge/webhooks/webhooktest"
)

// hostileText has a member of each kind of hidden characters between letters.
const hostileText = "a\x1b[2Jb\x7fc\u0085d\u009b1me\u00adf\u200bg\u200dh\u200ei\u2028j\u2029k\u202el\u2066m\ufeffn\U000e0041o\u3164p refund"

// hiddenIn returns the first hidden character that is not a line break, and what is around it.
func hiddenIn(b []byte) string {
	i := bytes.IndexFunc(b, func(r rune) bool { return events.Hidden(r) && r != '\n' && r != '\r' })
	if i < 0 {
		return ""
	}
	return string(b[max(0, i-40):min(len(b), i+8)])
}

// What callers say and what carriers call things reaches no terminal, file or receiver with a character that is not seen.
func TestNoHiddenCharacterIsWritten(t *testing.T) {
	w := newAPIWorld(t, nil)
	store := w.server.store.(*journal.Store)
	call := events.Call{ID: "CA1", StreamID: "MZ" + hostileText, Carrier: "twilio", From: hostileText, To: hostileText, Params: map[string]string{hostileText: hostileText}}
	u := events.Utterance{ID: "u" + hostileText, Index: 1, Speaker: events.Caller, Text: hostileText, Language: hostileText, EndedBy: events.BySpeechFinal}
	for _, body := range []events.Body{
		events.CallStarted{}, events.UtteranceFinal{Utterance: u}, events.DTMFReceived{Digit: hostileText},
		events.PlaybackFinished{ActionID: hostileText, HeardText: hostileText}, events.DigitsGathered{Digits: hostileText},
		events.ActionFailed{Action: []byte(`{"text":"` + "\u0085\u202e\ufeff\x7f" + `"}`), Reason: hostileText},
		events.CallEnded{Transcript: []events.Line{{Utterance: u.ID, Speaker: events.Caller, Text: u.Text}}},
	} {
		if _, err := store.Append(t.Context(), events.Event{Time: time.Now(), Call: call, Body: body}); err != nil {
			t.Fatal(err)
		}
	}
	w.wait(t, func(got []webhooktest.Request) bool { return len(got) >= 7 })
	for _, r := range w.webhook.Requests() {
		if found := hiddenIn(r.Body); found != "" || bytes.ContainsAny(r.Body, "\r\n") {
			t.Errorf("a webhook got %q", found)
		}
	}
	for _, args := range []string{
		"calls", "calls --no-json", "search refund", "search refund --no-json", "tail CA1", "tail CA1 --no-json", "deliveries", "deliveries --no-json",
		"transcript CA1 --format text", "transcript CA1 --format json", "transcript CA1 --format srt", "transcript CA1 --format vtt", "transcript CA1 --format csv",
		"transcript " + strings.ReplaceAll(hostileText, " ", ""),
	} {
		out, errs, err := command(t, strings.Split(args, " ")...)
		if err != nil {
			errs += err.Error()
		}
		if found := hiddenIn([]byte(out + errs)); found != "" || out+errs == "" {
			t.Errorf("bridge %s: got %q in %q", args, found, out+errs)
		}
	}
	for _, path := range []string{"/v1/calls", "/v1/calls/CA1", "/v1/calls/CA1/transcript", "/v1/search?q=refund", "/v1/calls?%C2%85%E2%80%AE", "/%E2%80%AE"} {
		resp, err := http.Get("http://" + w.server.listener.Addr().String() + path)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if found := hiddenIn(body); err != nil || found != "" || len(body) == 0 {
			t.Errorf("%s: got %q, %v", path, found, err)
		}
	}
}

func TestAnErrorShowsNoHiddenCharacter(t *testing.T) {
	if got := hiddenIn([]byte(printableLines("one\n" + hostileText))); got != "" {
		t.Errorf("got %q", got)
	}
}

// A log line can hold what a stranger sent, in a value that is no plain text.
func TestNoHiddenCharacterIsLogged(t *testing.T) {
	for _, format := range []string{"json", "text"} {
		var b bytes.Buffer
		logger := newLogger("info", format, &b)
		logger.Info(hostileText, "text", hostileText, "list", []string{hostileText}, "map", map[string]string{"k": hostileText}, "bytes", []byte(hostileText),
			"error", io.EOF, "struct", struct{ Name string }{hostileText})
		if found := hiddenIn(b.Bytes()); found != "" || b.Len() == 0 {
			t.Errorf("%s: got %q in %q", format, found, b.Bytes())
		}
	}
}
