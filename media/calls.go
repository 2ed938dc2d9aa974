package media

import (
	"crypto/rand"
	"errors"
	"slices"
	"sync"
	"time"
)

const (
	tokenTTL    = 5 * time.Minute // of a token that is not used
	callTTL     = 5 * time.Minute // of what is known of a call whose last stream has ended
	maxCalls    = 10000           // calls without a stream of which something is known
	maxPerCall  = 8               // tokens of one call that wait to be used
	maxRivals   = 4               // streams of one call that wait for another to be gone
	sweepPeriod = time.Minute

	streamBurst = 100         // streams that a call may begin at once
	streamEvery = time.Second // and then one in so long
)

// Why a stream is refused behind its start message.
var (
	// ErrToken means that a stream's one-time token was missing, wrong, used or expired.
	ErrToken = errors.New("media: one-time token refused")
	// ErrSecondStream means that another stream of the call is up and brings audio, and that this one has no one-time token
	// which shows that the carrier has moved the call.
	ErrSecondStream = errors.New("media: another stream of the call is up and brings audio")
	// ErrTooManyStreams means that the call has begun too many streams in too short a time.
	ErrTooManyStreams = errors.New("media: the call begins streams too often")
)

// calls are the calls that have a stream, had one a moment ago, or have a one-time token, which the answer to a voice
// webhook gives out. The zero value is ready for use.
//
// The carrier may ask twice about one call; then both answers' tokens are good, until one is used. A call
// that has a token, used or not, cannot start a stream without one. That lasts as long as it has a stream and a
// while longer: a call that comes back behind a lost stream asks the webhook again.
type calls struct {
	mu    sync.Mutex
	calls map[string]*callState // by the carrier's call id
	swept time.Time
}

// A callState is what is known of one call.
type callState struct {
	ticketed bool      // a token was given out: a stream must show one
	unused   []string  // tokens
	usable   time.Time // until when these may be used
	expires  time.Time // when the call is forgotten if no stream is up
	streams  []*Stream // that are up, the newest last
	waiting  int       // streams that wait for one of these to be gone
	starts   rateLimit // of streams
}

// issue makes a token for a call.
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

// admit adds a stream to its call if its token is right and no other stream of the call is up. A call without a token needs
// none; it must not have one either. When another is up that is not among the silent ones, admit returns it and the caller
// must find out whether it is silent, too, and then call waited. With trusted the carrier itself asked for the token: it has moved the call, whatever
// is up.
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

// waited notes that a stream of a call does not wait for another any more.
func (k *calls) waited(callSID string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if c := k.calls[callSID]; c != nil {
		c.waiting--
	}
}

// leave takes a stream out of its call. It does nothing for one that was not admitted.
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

// takes tells whether a stream of the call may start with a token, which may be none.
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

// rival is the newest stream that has not ended and is not among the silent ones, or nil.
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

// known returns what is known of a call, or nil.
func (k *calls) known(callSID string, now time.Time) *callState {
	if c := k.calls[callSID]; c != nil && !c.expired(now) {
		return c
	}
	return nil
}

// get returns what is known of a call from now on.
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

// sweep forgets what has expired, now and then.
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

// makeRoom keeps the number of calls without a stream bounded: one without an unused token goes first, else the oldest. Those
// with a stream are as many as the server takes streams.
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
			at = at.Add(-time.Hour) // it has to come back before it can lose something
		}
		if oldest == "" || at.Before(when) {
			oldest, when = sid, at
		}
	}
	if idle >= maxCalls {
		delete(k.calls, oldest)
	}
}
