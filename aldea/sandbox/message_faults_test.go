package sandbox_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"aldeabridge/aldea/sandbox"
)

func TestFinalsCanComeTwice(t *testing.T) {
	wantBriefs(t, sandbox.Fault{Duplicate: true}, "", 1500*time.Millisecond, "hello world 0-1 final end", "hello world 0-1 final end")
	wantBriefs(t, sandbox.Fault{Duplicate: true, SpeechFinal: sandbox.SpeechFinalEmpty}, "", 1500*time.Millisecond,
		"hello world 0-1 final", "hello world 0-1 final", " 1-1 final end")
}

func TestFinalsCanOverlap(t *testing.T) {
	source := sandbox.Script(sandbox.Say(0, "one two three four five six"))
	for overlap, want := range map[time.Duration][]string{
		700 * time.Millisecond: {"one two three four 0-1.2 final", "three four five six 0.5-2.1 final end"},
		400 * time.Millisecond: {"one two three four 0-1.2 final", "four five six 0.8-2.1 final end"},
		time.Hour:              {"one two three four 0-1.2 final", "one two three four five six 0-2.1 final end"},
	} {
		opts := sandbox.Options{Source: source, Fault: sandbox.Fault{Overlap: overlap}}
		bubble(t, opts, func(t *testing.T, srv *sandbox.Server) {
			c := dial(t, srv, "interim_results=false")
			wait := c.hearing()
			c.silence(1200 * time.Millisecond)
			c.control("Finalize")
			c.silence(1200 * time.Millisecond)
			c.control("CloseStream")
			all, _ := wait()
			if got := briefs(textsOf(all)); !slices.Equal(got, want) {
				t.Errorf("%v: got %q, want %q", overlap, got, want)
			}
			if got := utterances(textsOf(all)); !slices.Equal(got, []string{"one two three four five six"}) {
				t.Errorf("%v: got utterances %q", overlap, got)
			}
		})
	}
}

func TestInterimsCanComeAfterTheirFinal(t *testing.T) {
	wantBriefs(t, sandbox.Fault{LateInterim: true}, "", 1500*time.Millisecond, "hello world 0-1 final end", "hello world 0-1")
}

// withFault returns the messages of hello()'s first utterance without interims, and the inspection page.
func withFault(t *testing.T, f sandbox.Fault) (all []string) {
	t.Helper()
	bubble(t, sandbox.Options{Fault: f}, func(t *testing.T, srv *sandbox.Server) {
		all = converse(t, srv, "interim_results=false&vad_events=true", 1500*time.Millisecond)
		sent := srv.Connections()[0].Sent
		if len(sent) != len(all) {
			t.Fatalf("inspection shows %d messages, want %d", len(sent), len(all))
		}
		for i := range sent {
			if sent[i].JSON != all[i] {
				t.Errorf("inspection shows %s, want %s", sent[i].JSON, all[i])
			}
		}
	})
	return all
}

func TestMessagesOfUnknownTypeComeBeforeFinals(t *testing.T) {
	all := withFault(t, sandbox.Fault{UnknownType: true})
	var m message
	if err := json.Unmarshal([]byte(all[2]), &m); err != nil || m.kind() != "Weather" || brief(all[3]) != "hello world 0-1 final end" {
		t.Errorf("got %q, want a strange message before the final", all)
	}
}

func TestUnknownFieldsComeInEveryMessage(t *testing.T) {
	for _, s := range withFault(t, sandbox.Fault{UnknownFields: true}) {
		if !json.Valid([]byte(s)) || !strings.Contains(s, `"x_tree":`) {
			t.Errorf("got %s, want a message with fields that nobody knows", s)
		}
	}
}

func TestTextThatIsNoJSONComesBeforeFinals(t *testing.T) {
	all := withFault(t, sandbox.Fault{InvalidJSON: true})
	if json.Valid([]byte(all[2])) || brief(all[3]) != "hello world 0-1 final end" {
		t.Errorf("got %q, want no JSON before the final", all)
	}
}

func TestInspectionStaysJSONWhenMessagesAreNot(t *testing.T) {
	srv := serve(t, sandbox.Options{Fault: sandbox.Fault{InvalidJSON: true}})
	c := dial(t, srv, "")
	c.silence(time.Second)
	c.control("CloseStream")
	for { // not rest: it wants JSON
		if _, _, err := c.conn.ReadMessage(); err != nil {
			break
		}
	}
	if _, text, _ := request(t, srv, "GET", "/inspect", nil, ""); !json.Valid([]byte(text)) || !strings.Contains(text, `"fault":"invalid-json"`) {
		t.Errorf("got %s, want JSON and the name of the fault", text)
	}
}

func TestAFinalCanBeHuge(t *testing.T) {
	all := withFault(t, sandbox.Fault{Huge: true, Duplicate: true})
	if got := len(all[2]); got != 200_000 || brief(all[2]) != "hello world 0-1 final end" || !json.Valid([]byte(all[2])) {
		t.Errorf("got a final of %d bytes, %.100s; want 200000", got, all[2])
	}
}
