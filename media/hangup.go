package media

import (
	"sync"
	"time"
)

const (
	// hangUpTTL is how long a hung-up call is stored, so that the carrier's next request for it gets a hang-up.
	hangUpTTL = time.Minute
	// maxHangUps bounds the stored calls: 160 hang-ups a second for hangUpTTL.
	maxHangUps = 10000
)

// hangUps stores the calls that were hung up within hangUpTTL. The zero value is ready for use.
type hangUps struct {
	mu    sync.Mutex
	calls map[string]time.Time // expiry by call SID
}

// add stores a call.
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

// has reports whether a call was hung up.
func (h *hangUps) has(callSID string, now time.Time) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	until, ok := h.calls[callSID]
	return ok && !now.After(until)
}
