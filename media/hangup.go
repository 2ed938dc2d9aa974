package media

import (
	"sync"
	"time"
)

const (
	// hangUpTTL is how long after we hung up a call its carrier may ask what to do with it.
	hangUpTTL = time.Minute
	// maxHangUps bounds the calls that are remembered; it takes 160 hang-ups a second to reach it.
	maxHangUps = 10000
)

// hangUps are the calls that we hung up a moment ago. The zero value is ready for use.
type hangUps struct {
	mu    sync.Mutex
	calls map[string]time.Time // when they are forgotten, by the carrier's call id
}

// add remembers a call.
func (h *hangUps) add(callSID string, now time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.calls == nil {
		h.calls = make(map[string]time.Time)
	}
	for sid, until := range h.calls {
		if now.After(until) || len(h.calls) >= maxHangUps {
			delete(h.calls, sid)
		}
	}
	h.calls[callSID] = now.Add(hangUpTTL)
}

// has tells whether a call is to end.
func (h *hangUps) has(callSID string, now time.Time) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	until, ok := h.calls[callSID]
	return ok && !now.After(until)
}
