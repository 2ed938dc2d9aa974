package attack

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
)

// An event is what the test needs of an event.
type event struct {
	Type string `json:"type"`
	Data struct {
		Call struct {
			ID       string `json:"id"`
			StreamID string `json:"stream_id"`
		} `json:"call"`
		Sequence  int `json:"sequence"`
		Utterance struct {
			Text string `json:"text"`
		} `json:"utterance"`
		Reason string `json:"reason"`
	} `json:"data"`
}

// A receiver is the webhook. It keeps the events of the calls it watches, and answers one in ten of the others with what is no action.
type receiver struct {
	server *httptest.Server

	mu      sync.Mutex
	watched map[string]*heard
	others  int // events of unobserved calls
}

// heard is what arrived of one call.
type heard struct {
	events  []event
	seen    map[int]bool // sequences, because an event may arrive twice
	changed chan struct{}
}

func newReceiver() *receiver {
	r := &receiver{watched: make(map[string]*heard)}
	r.server = httptest.NewServer(r)
	return r
}

// watch keeps the events of a call from now on.
func (r *receiver) watch(callSID string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.watched[callSID] = &heard{seen: make(map[int]bool), changed: make(chan struct{})}
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(req.Body)
	var e event
	if err != nil || json.Unmarshal(body, &e) != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	h := r.watched[e.Data.Call.ID]
	if h == nil {
		if r.others++; r.others%10 != 0 {
			w.WriteHeader(http.StatusNoContent)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"actions":[{"type":"`+canary+`"}]}`)
		return
	}
	if !h.seen[e.Data.Sequence] {
		h.seen[e.Data.Sequence] = true
		h.events = append(h.events, e)
		close(h.changed)
		h.changed = make(chan struct{})
	}
	w.WriteHeader(http.StatusNoContent)
}

// of returns the events of a watched call, and a channel that is closed when there are more.
func (r *receiver) of(callSID string) ([]event, <-chan struct{}) {
	r.mu.Lock()
	defer r.mu.Unlock()
	h := r.watched[callSID]
	return append([]event(nil), h.events...), h.changed
}

// words returns the words of all utterances of a watched call, in the order of their arrival. On a machine with too much to do the carrier's
// frames may come so late that an utterance is divided: the caller has paused there.
func (r *receiver) words(callSID string) []string {
	events, _ := r.of(callSID)
	var words []string
	for _, e := range events {
		if e.Type == "utterance.final" {
			words = append(words, strings.Fields(e.Data.Utterance.Text)...)
		}
	}
	return words
}
