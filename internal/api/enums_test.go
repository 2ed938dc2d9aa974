package api

import (
	"slices"
	"testing"

	"aldeabridge/events"
	"aldeabridge/internal/api/types"
)

func TestTheDocumentHasEveryValue(t *testing.T) {
	d := readDocument(t)
	enum := func(path ...string) []string {
		s, ok := d.Components.Schemas[path[0]]
		for _, name := range path[1:] {
			s, ok = s.Properties[name]
		}
		if !ok {
			t.Errorf("the document has no %v", path)
		}
		return s.Enum
	}
	same := func(got, want []string) {
		t.Helper()
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("got %v in the document, want %v", got, want)
		}
	}
	same(enum("EventType"), texts(events.Types()...))
	same(enum("StoredEventType"), texts(events.StoredTypes()...))
	same(enum("Utterance", "speaker"), texts(events.Caller, events.Agent))
	same(enum("Utterance", "ended_by"), texts(events.BySpeechFinal, events.ByUtteranceEnd, events.ByTimeout, events.ByListen, events.ByCallEnd))
	same(enum("Call", "direction"), texts(events.Inbound, events.Outbound, ""))
	same(enum("CallState"), []string{types.CallUp, types.CallEnded, types.CallLost})
	same(enum("DeliveryState"), []string{types.DeliveryWaiting, types.DeliveryDelivered, types.DeliveryFiltered, types.DeliveryDead})
}

func texts[T ~string](values ...T) (all []string) {
	for _, v := range values {
		all = append(all, string(v))
	}
	return all
}
