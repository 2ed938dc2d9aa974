package media

import (
	"crypto/rand"
	"errors"
	"sync"
	"time"
)

const (
	tokenTTL    = 5 * time.Minute
	maxTickets  = 10000 // calls with a token at once: 33 new calls a second
	maxPerCall  = 8     // tokens of one call that wait to be used
	sweepPeriod = time.Minute
)

// ErrToken means that a stream's one-time token was missing, wrong, used or expired.
var ErrToken = errors.New("media: one-time token refused")

// tokens are the one-time tokens given out with the answer to a voice webhook. The zero value is ready for use.
//
// The carrier may ask twice about one call; then both answers' tokens are good, until one is used. A call
// that has a token, used or not, cannot start a stream without one.
type tokens struct {
	mu    sync.Mutex
	calls map[string]*ticket // by the carrier's call id
	swept time.Time
}

// A ticket is what one call may show.
type ticket struct {
	unused  []string
	expires time.Time
}

// issue makes a token for a call.
func (k *tokens) issue(callSID string, now time.Time) string {
	token := rand.Text()
	k.mu.Lock()
	defer k.mu.Unlock()
	k.sweep(now)
	t := k.calls[callSID]
	if t == nil || now.After(t.expires) {
		k.makeRoom()
		t = &ticket{}
		k.calls[callSID] = t
	}
	t.expires = now.Add(tokenTTL)
	if len(t.unused) == maxPerCall {
		t.unused = append(t.unused[:0], t.unused[1:]...)
	}
	t.unused = append(t.unused, token)
	return token
}

// redeem uses the token that a call's start message carries, or returns ErrToken. A call without a
// ticket needs no token; it must not have one either.
func (k *tokens) redeem(callSID, token string, now time.Time) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	t := k.calls[callSID]
	if t == nil || now.After(t.expires) {
		if token != "" {
			return ErrToken
		}
		return nil
	}
	good := false
	for _, u := range t.unused {
		good = equal(token, u) || good
	}
	if !good {
		return ErrToken
	}
	t.unused = nil
	return nil
}

// sweep forgets what has expired, now and then.
func (k *tokens) sweep(now time.Time) {
	if k.calls == nil {
		k.calls = make(map[string]*ticket)
	}
	if now.Sub(k.swept) < sweepPeriod {
		return
	}
	k.swept = now
	for sid, t := range k.calls {
		if now.After(t.expires) {
			delete(k.calls, sid)
		}
	}
}

// makeRoom keeps the number of tickets bounded: a used one goes first, else the oldest.
func (k *tokens) makeRoom() {
	if len(k.calls) < maxTickets {
		return
	}
	var oldest string
	var when time.Time
	for sid, t := range k.calls {
		if len(t.unused) == 0 {
			oldest = sid
			break
		}
		if oldest == "" || t.expires.Before(when) {
			oldest, when = sid, t.expires
		}
	}
	delete(k.calls, oldest)
}
