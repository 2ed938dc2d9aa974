package attack

import (
	"context"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"aldeabridge/aldea/sandbox/marker"
	"aldeabridge/codec"
	"aldeabridge/media/mediatest"
)

// lines are the sentences of the call, in order.
var lines = []string{"one apple", "two pears", "three plums", "four figs", "five dates", "six limes", "seven kiwis", "eight nuts", "nine beans", "ten peas"}

// sound returns lines as telephone audio, each with a pause behind it.
func sound(lines []string, pause time.Duration) []byte {
	samples := marker.EncodeUtterances(lines, pause)
	audio := make([]byte, len(samples))
	codec.EncodeMuLaw(audio, samples)
	return audio
}

// A victim is a call that must not notice the attack.
type victim struct {
	callSID, streamSID string
	result             chan error // how the carrier's side ended
}

// place begins a call that says lines, and stays for hold when all is said.
func (w *world) place(t *testing.T, name string, lines []string, pause, hold time.Duration) *victim {
	t.Helper()
	v := &victim{callSID: "CA-" + name, streamSID: "MZ-" + name, result: make(chan error, 1)}
	w.receiver.watch(v.callSID)
	call := mediatest.Call{URL: w.bridge.mediaURL(), CallSID: v.callSID, StreamSID: v.streamSID, Inbound: sound(lines, pause), Hold: hold}
	if w.scenario.tickets {
		call.Params = map[string]string{"bridge_token": w.ticket(t, v.callSID)}
	}
	ctx := t.Context()
	go func() {
		result, err := call.Run(ctx)
		if err == nil && result.ByServer {
			err = fmt.Errorf("the bridge ended the stream: code %d, %s", result.CloseCode, result.CloseReason)
		}
		v.result <- err
	}()
	return v
}

// ticket asks the bridge what to do with a call, as the carrier does, and returns the stream's one-time token.
func (w *world) ticket(t *testing.T, callSID string) string {
	t.Helper()
	resp, err := http.PostForm(w.bridge.url()+"/voice/twilio", url.Values{"CallSid": {callSID}, "From": {"+15550100001"}})
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	var answer struct {
		Params []struct {
			Name  string `xml:"name,attr"`
			Value string `xml:"value,attr"`
		} `xml:"Connect>Stream>Parameter"`
	}
	if err := xml.Unmarshal(body, &answer); err != nil {
		t.Fatalf("%s: %v", body, err)
	}
	for _, p := range answer.Params {
		if p.Name == "bridge_token" {
			return p.Value
		}
	}
	t.Fatalf("the answer has no ticket: %s", body)
	return ""
}

// arrived waits until as many words as lines have are at the receiver, or ctx ends.
func (w *world) arrived(ctx context.Context, v *victim, lines []string) error {
	want := len(strings.Fields(strings.Join(lines, " ")))
	for {
		_, changed := w.receiver.of(v.callSID)
		got := len(w.receiver.words(v.callSID))
		if got >= want {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("%d of %d words of %s arrived", got, want, v.callSID)
		}
	}
}

// ended waits until the end of a call is at the receiver, or ctx ends.
func (w *world) ended(ctx context.Context, v *victim) error {
	for {
		events, changed := w.receiver.of(v.callSID)
		if slices.ContainsFunc(events, func(e event) bool { return e.Type == "call.ended" }) {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("the end of %s did not arrive", v.callSID)
		}
	}
}

// unharmed returns what is wrong with the events of a call whose lines were said and which is over: nothing but these lines may be
// in it, from its own stream. Attackers may open streams of the call when it has ended.
func (w *world) unharmed(v *victim, lines []string) (faults []string) {
	if got := strings.Join(w.receiver.words(v.callSID), " "); got != strings.Join(lines, " ") {
		faults = append(faults, fmt.Sprintf("what arrived is %q", got))
	}
	events, _ := w.receiver.of(v.callSID)
	if i := slices.IndexFunc(events, func(e event) bool { return e.Type == "call.ended" && e.Data.Call.StreamID == v.streamSID }); i >= 0 {
		events = events[:i+1]
	}
	last := 0
	for _, e := range events {
		switch {
		case e.Data.Call.StreamID != v.streamSID:
			faults = append(faults, e.Type+" of a stream that is not the call's")
		case e.Type == "dtmf.received", e.Type == "audio.gap":
			faults = append(faults, e.Type)
		case e.Type == "call.ended" && e.Data.Reason != "carrier_stop":
			faults = append(faults, "ended by "+e.Data.Reason)
		}
		last = max(last, e.Data.Sequence)
	}
	if last != len(events) {
		faults = append(faults, fmt.Sprintf("%d events, numbered up to %d", len(events), last))
	}
	if len(faults) > 5 {
		faults = append(faults[:5], fmt.Sprintf("and %d more", len(faults)-5))
	}
	return faults
}

// summary joins faults for a line of the table.
func summary(faults []string) string {
	if len(faults) == 0 {
		return "ok"
	}
	return strings.Join(faults, "; ")
}
