package events

import (
	"fmt"
	"slices"
	"strings"
)

// A kind is one type of event: an empty body, and the function that reads one.
type kind struct {
	zero Body
	read func(t Type, data []byte) (Body, error)
}

func kindOf[B Body]() kind {
	var zero B
	return kind{zero, bodyOf[B]}
}

// kinds are all types of events, in the order in which documents list them. It is the only list: configuration, the API,
// the OpenAPI document and the documents are made from it or compared with it.
var kinds = []kind{
	kindOf[CallStarted](), kindOf[SpeechStarted](), kindOf[TranscriptInterim](), kindOf[UtteranceFinal](),
	kindOf[DTMFReceived](), kindOf[DigitsGathered](), kindOf[PlaybackFinished](), kindOf[ActionFailed](),
	kindOf[RecognizerDegraded](), kindOf[RecognizerRecovered](), kindOf[AudioGap](), kindOf[CallEnded](),
}

// Types returns all types of events.
func Types() []Type { return typesOf(func(Body) bool { return true }) }

// StoredTypes returns the types of events that are stored, and so can reach webhooks.
func StoredTypes() []Type { return typesOf(Body.Stored) }

func typesOf(wanted func(Body) bool) (types []Type) {
	for _, k := range kinds {
		if wanted(k.zero) {
			types = append(types, k.zero.Type())
		}
	}
	return types
}

// ParseTypes returns the types of these names, each once. White space around names and empty names do not count. A name
// that is unknown is an error that lists those that are known. A list of empty names only is an error as well: its result,
// no types, would mean all of them to a caller.
func ParseTypes(names []string) ([]Type, error) { return parseTypes(names, Types(), "an event") }

// ParseStoredTypes is ParseTypes for the list of a webhook: types that are not stored are refused.
func ParseStoredTypes(names []string) ([]Type, error) {
	return parseTypes(names, StoredTypes(), "an event that is delivered")
}

func parseTypes(names []string, known []Type, what string) (types []Type, err error) {
	for _, name := range names {
		t := Type(strings.TrimSpace(name))
		switch {
		case t == "" || slices.Contains(types, t):
		case slices.Contains(known, t):
			types = append(types, t)
		default:
			return nil, fmt.Errorf("%q is not %s; these are: %s", name, what, list(known))
		}
	}
	if len(names) > 0 && len(types) == 0 {
		return nil, fmt.Errorf("the list names no event; these are: %s", list(known))
	}
	return types, nil
}

// list is types as people read them.
func list(types []Type) string {
	names := make([]string, len(types))
	for i, t := range types {
		names[i] = string(t)
	}
	return strings.Join(names, ", ")
}
