package controltest

import (
	"maps"
	"net/url"
	"slices"
	"time"
)

// A Status is the state of a call, as Twilio names it.
type Status string

// The statuses that this package uses. A call that is neither queued, ringing nor in progress is over.
const (
	Queued     Status = "queued"
	Ringing    Status = "ringing"
	InProgress Status = "in-progress"
	Completed  Status = "completed"
	Canceled   Status = "canceled"
)

// A Call is a call of an account, with its updates.
type Call struct {
	SID     string
	Account string
	Status  Status
	Updates []Update // the executed updates, in order
}

// live reports whether the call can be updated.
func (c Call) live() bool { return c.Status == Queued || c.Status == Ringing || c.Status == InProgress }

// An Update is an executed update of a call.
type Update struct {
	CallSID string
	Status  Status // the call's, afterwards
	Ended   bool   // by this update
	Form    url.Values
	// TwiML are the instructions that came with it, or nil where they are to be fetched from a URL, or there are none.
	TwiML *Document
}

// AddCall adds a call in progress to an account.
func (t *Twilio) AddCall(account, call string) { t.SetCall(account, call, InProgress) }

// SetCall adds a call, or changes its status, for example if the caller hangs up.
func (t *Twilio) SetCall(account, call string, s Status) {
	t.mu.Lock()
	defer t.mu.Unlock()
	c := t.calls[call]
	c.SID, c.Account, c.Status = call, account, s
	t.calls[call] = c
}

// Forget removes a call, as Twilio does with those that were deleted: it answers 20404 from now on.
func (t *Twilio) Forget(call string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.calls, call)
}

// Call returns a call, and whether there is one of that SID.
func (t *Twilio) Call(call string) (Call, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	c, ok := t.calls[call]
	c.Updates = slices.Clone(c.Updates)
	return c, ok
}

// OnUpdate has f called after each update was done and before it is answered: Twilio's media stream may well end before
// its answer is there. Requests wait until then.
func (t *Twilio) OnUpdate(f func(Update)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.onUpdate = f
}

// A Request is a received request, with its result.
type Request struct {
	Time   time.Time
	Method string
	Path   string
	User   string // of the Basic authentication
	Form   url.Values
	Status int  // status of the response; 0 if there is none yet
	Done   bool // a call was updated
	// Overlapped is set if it came while another of the same path was being answered.
	Overlapped bool
}

// Requests returns all received requests, in order.
func (t *Twilio) Requests() []Request {
	t.mu.Lock()
	defer t.mu.Unlock()
	all := make([]Request, len(t.requests))
	for i, r := range t.requests {
		all[i] = *r
		all[i].Form = maps.Clone(r.Form)
	}
	return all
}
