package call

import (
	"reflect"
	"strconv"
	"strings"
	"testing"

	"aldeabridge/events"
)

func TestPackedLinesAreUnpackedUnchanged(t *testing.T) {
	var l packedLines
	if got := l.unpacked(); got == nil || len(got) != 0 {
		t.Errorf("got %#v of none, want an empty slice", got)
	}
	want := []events.Line{
		{Utterance: "MZ1-caller-1", Speaker: events.Caller, Text: "Grüße.", Start: 1e9, End: 2e9},
		{Utterance: "MZ1-caller-2", Speaker: events.Caller, Text: "", Start: 2e9, End: 3e9},
		{Utterance: "MZ1-caller-2", Speaker: events.Caller, Text: "again", Start: 2e9, End: 3e9},
		{Utterance: "MZ1-agent-1", Speaker: events.Agent, Text: "Hello!", Start: 0, End: 1},
		{Utterance: "", Text: "nameless"},
		{Utterance: strings.Repeat("long", 100), Speaker: "somebody", Text: strings.Repeat("talk ", 1000)},
	}
	for i := range 30 {
		want = append(want, events.Line{Utterance: "MZ1-caller-" + strconv.Itoa(i), Speaker: events.Caller, Text: "no " + strconv.Itoa(i)})
	}
	for i, n := range want {
		l.add(n)
		if l.len() != i+1 {
			t.Fatalf("got %d lines, want %d", l.len(), i+1)
		}
	}
	for range 2 {
		if got := l.unpacked(); !reflect.DeepEqual(got, want) {
			t.Errorf("got %+v, want %+v", got, want)
		}
	}
}
