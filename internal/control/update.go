package control

import (
	"context"
	"time"

	"github.com/twilio/twilio-go/client"
	api "github.com/twilio/twilio-go/rest/api/v2010"
)

// An update is what a call's resource is to become.
type update struct {
	what   string // for people
	callID string
	twice  bool // twice is as good as once
	params api.UpdateCallParams
}

// update changes a call's resource, when nobody else does, and tries again where that does no harm.
func (t *Twilio) update(ctx context.Context, u update) *Error {
	if !sid.MatchString(u.callID) {
		return &Error{What: u.what, Reason: "the call's id is not one of Twilio's: only letters, digits, _ and - are in them"}
	}
	leave, ok := t.turns.take(ctx, u.callID)
	if !ok {
		return &Error{What: u.what, Reason: "given up while an earlier request about this call was still under way", cause: ctx.Err()}
	}
	defer leave()
	for n := 1; ; n++ {
		err := t.once(ctx, u)
		if err == nil {
			return nil
		}
		err.Attempts = n
		wait, again := err.retry(u.twice)
		if !again || !lasts(ctx, wait) {
			return err
		}
		t.config.Logger.Warn("the carrier did not do what it was asked; trying again",
			"what", u.what, "call_sid", u.callID, "attempt", n, "status", err.Status, "code", err.Code, "wait", wait)
		if !sleep(ctx, wait) {
			return err
		}
	}
}

// once makes one attempt.
func (t *Twilio) once(ctx context.Context, u update) *Error {
	patience := t.config.Timeout
	if at, ok := ctx.Deadline(); ok {
		patience = min(patience, time.Until(at))
	}
	inner, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	x := &exchange{twilio: t, ctx: inner, patience: patience}
	// Not NewRequestHandler: that reads the environment.
	service := api.NewApiService(&client.RequestHandler{Client: x})
	if _, err := service.UpdateCall(u.callID, &u.params); err != nil {
		return x.failure(u.what, err)
	}
	return nil
}

// lasts says whether the context is to go on for longer than d.
func lasts(ctx context.Context, d time.Duration) bool {
	at, ok := ctx.Deadline()
	return ctx.Err() == nil && (!ok || time.Until(at) > d)
}

// sleep waits, and says whether the context let it.
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
