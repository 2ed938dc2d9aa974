package media

import (
	"crypto/rand"
	"errors"
	"slices"
	"sync"
	"time"
)

const (
	tokenTTL    = 5 * time.Minute // lifetime of an unused token
	callTTL     = 5 * time.Minute // lifetime of the state of a call without a stream
	maxCalls    = 10000           // stored calls without a stream
	maxPerCall  = 8               // unused tokens of one call
	maxRivals   = 4               // streams of one call that wait for another one to end
	sweepPeriod = time.Minute

	streamBurst = 100         // streams that a call may start at once
	streamEvery = time.Second // and then one per streamEvery
)

// The reasons why a stream is refused after its start message.
var (
	// ErrToken means that a stream's one-time token was missing, wrong, used or expired.
	ErrToken = errors.New("media: one-time token refused")
	// ErrSecondStream means that another stream of the call has audio, and that this one has no one-time token that proves
	// that the carrier has moved the call.
	ErrSecondStream = errors.New("media: another stream of the call is up and brings audio")
	// ErrTooManyStreams means that the call has started streams faster than allowed.
	ErrTooManyStreams = errors.New("media: the call begins streams too often")
)

// calls stores the calls that have a stream, had one within callTTL, or have a one-time token, which answers to the voice
// webhook contain. The zero value is ready for use.
//
// The carrier may request TwiML twice for one call; then both tokens are valid until one is used. A call that has a token,
// used or not, cannot start a stream without one, as long as it has a stream and for callTTL afterwards: after a lost
// stream the carrier requests TwiML, and so a token, again.
type calls struct {
	mu    sync.Mutex
	calls map[string]*callState // by call SID
	swept time.Time
}

// A callState is the state of one call.
type callState struct {
	ticketed bool      // a token was issued: streams need one
	unused   []string  // tokens
	usable   time.Time // expiry of the unused tokens
	expires  time.Time // expiry of the state if the call has no stream
	streams  []*Stream // open streams, the newest last
	waiting  int       // streams that wait for one of these to end
	starts   rateLimit // limits the starts of streams
}

// issue returns a new token for a call.
func (k *calls) issue(callSID string, now time.Time) string {
	token := rand.Text()
	k.mu.Lock()
	defer k.mu.Unlock()
	c := k.get(callSID, now)
	c.ticketed = true
	c.usable = now.Add(tokenTTL)
	c.expires = later(c.expires, c.usable)
	if len(c.unused) == maxPerCall {
		c.unused = append(c.unused[:0], c.unused[1:]...)
	}
	c.unused = append(c.unused, token)
	return token
}

// admit adds a stream to its call if its token is valid and no other stream of the call is open. A stream of a call without
// tokens must have none. If another stream is open that is not in silent, admit returns it: the caller must then determine
// whether it is silent too, and call waited. trusted means that the carrier requested the token itself: then a stream with
// a token replaces any other.
func (k *calls) admit(st *Stream, trusted bool, silent []*Stream, now time.Time) (rival *Stream, err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	c := k.known(st.start.CallSID, now)
	if !c.takes(st.start.token, now) {
		return nil, ErrToken
	}
	if moved := trusted && c != nil && c.ticketed; !moved {
		rival = c.rival(silent)
		switch {
		case rival != nil && c.waiting == maxRivals:
			return nil, ErrSecondStream
		case rival != nil:
			c.waiting++
			return rival, nil
		}
	}
	c = k.get(st.start.CallSID, now)
	if !c.starts.allow(now, streamBurst, streamEvery) {
		return nil, ErrTooManyStreams
	}
	c.unused = nil
	c.streams = append(c.streams, st)
	return nil, nil
}

// waited records that a stream of a call has stopped waiting for another one.
func (k *calls) waited(callSID string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if c := k.calls[callSID]; c != nil {
		c.waiting--
	}
}

// leave removes a stream from its call. It does nothing for a stream that was not admitted.
func (k *calls) leave(st *Stream, now time.Time) {
	k.mu.Lock()
	defer k.mu.Unlock()
	c := k.calls[st.start.CallSID]
	if c == nil {
		return
	}
	if i := slices.Index(c.streams, st); i >= 0 {
		c.streams = slices.Delete(c.streams, i, i+1)
		c.expires = later(c.expires, now.Add(callTTL))
	}
}

// takes reports whether a stream of the call may start with the token, which may be empty.
func (c *callState) takes(token string, now time.Time) bool {
	if c == nil || !c.ticketed {
		return token == ""
	}
	good := false
	for _, u := range c.unused {
		good = equal(token, u) || good
	}
	return good && !now.After(c.usable)
}

// rival returns the newest stream that has not ended and is not in silent, or nil.
func (c *callState) rival(silent []*Stream) *Stream {
	if c == nil {
		return nil
	}
	for _, st := range slices.Backward(c.streams) {
		if st.endReason() == "" && !slices.Contains(silent, st) {
			return st
		}
	}
	return nil
}

// known returns the state of a call, or nil.
func (k *calls) known(callSID string, now time.Time) *callState {
	if c := k.calls[callSID]; c != nil && !c.expired(now) {
		return c
	}
	return nil
}

// get returns the state of a call, which it creates if necessary.
func (k *calls) get(callSID string, now time.Time) *callState {
	k.sweep(now)
	if c := k.known(callSID, now); c != nil {
		return c
	}
	k.makeRoom()
	c := &callState{}
	k.calls[callSID] = c
	return c
}

func (c *callState) expired(now time.Time) bool {
	return len(c.streams) == 0 && c.waiting == 0 && now.After(c.expires)
}

// sweep deletes expired calls at intervals.
func (k *calls) sweep(now time.Time) {
	if k.calls == nil {
		k.calls = make(map[string]*callState)
	}
	if now.Sub(k.swept) < sweepPeriod {
		return
	}
	k.swept = now
	for sid, c := range k.calls {
		if c.expired(now) {
			delete(k.calls, sid)
		}
	}
}

// makeRoom bounds the number of calls without a stream: it evicts a call without an unused token first, else the oldest.
// Calls with a stream are bounded by MaxStreams.
func (k *calls) makeRoom() {
	if len(k.calls) < maxCalls {
		return
	}
	oldest, idle := "", 0
	var when time.Time
	for sid, c := range k.calls {
		if len(c.streams) > 0 || c.waiting > 0 {
			continue
		}
		idle++
		at := c.expires
		if len(c.unused) == 0 {
			at = at.Add(-time.Hour) // without an unused token it loses nothing by eviction
		}
		if oldest == "" || at.Before(when) {
			oldest, when = sid, at
		}
	}
	if idle >= maxCalls {
		delete(k.calls, oldest)
	}
}
