// Command ivr-go is a phone menu, by voice or keys: a webhook whose answers steer the call.
package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"sync"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

func main() {
	secret := os.Getenv("WEBHOOK_SECRET")
	verifier, err := standardwebhooks.NewWebhook(secret)
	if err != nil || secret == "" {
		log.Fatal("set WEBHOOK_SECRET to that of bridge")
	}
	listener, err := net.Listen("tcp", "127.0.0.1:"+cmp.Or(os.Getenv("PORT"), "9000"))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("listening on http://%s\n", listener.Addr())
	server := http.Server{Handler: &webhook{verifier: verifier, seen: map[string]int{}}, ReadTimeout: 30 * time.Second}
	log.Fatal(server.Serve(listener))
}

// A webhook answers the events of all calls.
type webhook struct {
	verifier *standardwebhooks.Webhook

	mu   sync.Mutex
	seen map[string]int // the highest sequence of each call that is up
}

// ServeHTTP answers an event with actions.
func (h *webhook) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20)) // an event has at most 1 MiB
	if err != nil || h.verifier.Verify(body, r.Header) != nil {
		http.Error(w, "the signature is wrong", http.StatusUnauthorized)
		return
	}
	var e event
	if err := json.Unmarshal(body, &e); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	actions := []action{}
	if h.fresh(e) {
		actions = answer(e)
	}
	types := []any{}
	for _, a := range actions {
		types = append(types, a["type"])
	}
	fmt.Printf("%+q %s -> %v %+q\n", e.Data.Call.ID, e.Type, types, e.Data.Reason) // quoted: foreign text must not steer a terminal
	_ = json.NewEncoder(w).Encode(map[string]any{"actions": actions})
}

// fresh says whether an event is new: it may come again, and then it is answered, and nothing is done.
func (h *webhook) fresh(e event) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	call, sequence := e.Data.Call.ID, e.Data.Sequence
	before := h.seen[call]
	h.seen[call] = max(before, sequence)
	if e.Type == "call.ended" {
		delete(h.seen, call)
	}
	return sequence > before
}
