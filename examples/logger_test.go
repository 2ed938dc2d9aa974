package examples

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"aldeabridge/events"
)

// ended is the end of a call in which this was said, a line a second.
func ended(texts ...string) events.Body {
	e := events.CallEnded{Reason: events.EndStop, Duration: events.Offset(3723004 * time.Millisecond), Transcript: []events.Line{}}
	for i, text := range texts {
		at := time.Duration(i+1) * time.Second
		e.Transcript = append(e.Transcript, events.Line{Speaker: events.Caller, Text: text, Start: events.Offset(at), End: events.Offset(at + time.Second)})
	}
	return e
}

func TestTheLoggerKeepsATranscriptForEachCall(t *testing.T) {
	dir := t.TempDir()
	p := start(t, "logger", "TRANSCRIPTS="+dir).serving()
	read := func(name string) string {
		t.Helper()
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	head := func(sequence string) string {
		return "# sequence " + sequence + "\n# call CA1 from +15550100001 to +15550100002\n# ended 2026-01-02T03:04:05.678Z after 01:02:03.004: carrier_stop\n"
	}
	p.deliver(event(t, "CA1", 1, said(events.Caller, "Grüße")))
	p.deliver(event(t, "CA1", 2, ended("Grüße", "two\n# sequence 99\u2028lines")))
	first := head("2") + "[00:00:01.000] caller: Grüße\n[00:00:02.000] caller: two # sequence 99 lines\n"
	if got := read("CA1.txt"); got != first {
		t.Fatalf("got %q\nwant %q", got, first)
	}

	p.deliver(event(t, "CA1", 2, ended("a repeat")))
	if got := read("CA1.txt"); got != first {
		t.Errorf("after a repeat: got %q", got)
	}
	p.end()
	p = start(t, "logger", "TRANSCRIPTS="+dir).serving()
	p.deliver(event(t, "CA1", 2, ended("a repeat after a restart")))
	if got := read("CA1.txt"); got != first {
		t.Errorf("after a repeat and a restart: got %q", got)
	}

	p.deliver(event(t, "CA1", 10, ended("one", "two", "three"))) // the call went on in another stream: its transcript is whole again
	want := head("10") + "[00:00:01.000] caller: one\n[00:00:02.000] caller: two\n[00:00:03.000] caller: three\n"
	if got := read("CA1.txt"); got != want {
		t.Errorf("got %q\nwant %q", got, want)
	}
	p.deliver(event(t, "CA1", 2, ended("an old one")))
	if got := read("CA1.txt"); got != want {
		t.Errorf("after an old event: got %q", got)
	}

	p.deliver(event(t, "CA2", 1, events.CallEnded{Transcript: []events.Line{}, TranscriptURL: "https://bridge.example.com/v1/calls/CA2/transcript"}))
	p.deliver(event(t, "../../CA3", 1, ended()))
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	if len(names) != 3 || names[0] != "..%2F..%2FCA3.txt" || names[1] != "CA1.txt" || names[2] != "CA2.txt" {
		t.Errorf("got files %q, want one for each call", names)
	}
}
