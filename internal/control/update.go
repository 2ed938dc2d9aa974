package control

import (
	"context"
	"time"

	"github.com/twilio/twilio-go/client"
	api "github.com/twilio/twilio-go/rest/api/v2010"
)

// update is a change of a call's resource.
type update struct {
	what       string // its name in errors and logs
	callID     string
	idempotent bool // may be retried if the outcome is unknown
	params     api.UpdateCallParams
}

// update changes a call's resource while it holds the call's lock, and retries if that is safe.
func (t *Twilio) update(ctx context.Context, u update) *Error {
	if !sid.MatchString(u.callID) {
		return &Error{What: u.what, Reason: "the call's id is not a Twilio SID: only letters, digits, _ and - are allowed"}
	}
	unlock, ok := t.locks.lock(ctx, u.callID)
	if !ok {
		return &Error{What: u.what, Reason: "canceled while an earlier request for this call was in progress", cause: ctx.Err()}
	}
	defer unlock()
	for n := 1; ; n++ {
		err := t.once(ctx, u)
		if err == nil {
			return nil
		}
		err.Attempts = n
		wait, again := err.retry(u.idempotent)
		if !again || !lasts(ctx, wait) {
			return err
		}
		t.config.Logger.Warn("the carrier did not accept a request; retrying",
			"what", u.what, "call_sid", u.callID, "attempt", n, "status", err.Status, "code", err.Code, "wait", wait)
		if !sleep(ctx, wait) {
			return err
		}
	}
}

// once sends one request.
func (t *Twilio) once(ctx context.Context, u update) *Error {
	timeout := t.config.Timeout
	if at, ok := ctx.Deadline(); ok {
		timeout = min(timeout, time.Until(at))
	}
	inner, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	x := &exchange{twilio: t, ctx: inner, timeout: timeout}
	// NewRequestHandler is not used because it reads the environment.
	service := api.NewApiService(&client.RequestHandler{Client: x})
	if _, err := service.UpdateCall(u.callID, &u.params); err != nil {
		return x.failure(u.what, err)
	}
	return nil
}

// lasts reports whether ctx has more than d left.
func lasts(ctx context.Context, d time.Duration) bool {
	at, ok := ctx.Deadline()
	return ctx.Err() == nil && (!ok || time.Until(at) > d)
}

// sleep waits for d and returns true, or returns false if ctx ends first.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}
