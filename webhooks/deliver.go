package webhooks

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"strings"
	"time"

	"aldeabridge/events"
)

// attempt handles the head of a lane that the gate admitted: it settles it, or sends it once. Then the lane goes on,
// also after a panic.
func (r *receiver) attempt(ctx context.Context, l *lane) {
	defer r.running.Done()
	advanced := false
	err := catch(r.log, "attempt", func() error {
		d, ok := r.handleHead(ctx, l)
		if !ok {
			return nil // shutting down: the event stays queued
		}
		advanced = true
		r.advance(l, d)
		if d.state != "" {
			r.settled()
		}
		return nil
	})
	if err != nil && !advanced {
		_ = catch(r.log, "failed attempt", func() error { return r.fail(ctx, l) })
	}
}

// handleHead settles or sends the head of a lane and returns the decision. It returns false if ctx ended first.
func (r *receiver) handleHead(ctx context.Context, l *lane) (d decision, ok bool) {
	head, reason := r.head(l)
	for reason == ReasonExpired && r.nextTooOld(l) {
		// Settle all expired events now: the lane is not examined again for an hour.
		r.settle(ctx, head.record, reason.State())
		r.removeExpired(l, decision{state: reason.State()})
		head, reason = r.head(l)
	}
	switch {
	case head.filtered:
		d.state = StateFiltered
	case reason != "":
		d.state = reason.State()
	default:
		if d, ok = r.sendHead(ctx, l, head); !ok {
			return d, false
		}
	}
	if d.state != "" && (head.redelivery == nil || d.state == StateDelivered) {
		r.settle(ctx, head.record, d.state)
	}
	return d, true
}

// removeExpired removes the settled head of a lane whose next event has expired too.
func (r *receiver) removeExpired(l *lane, d decision) {
	defer r.settled() // after the unlock
	r.mu.Lock()
	defer r.mu.Unlock()
	r.removeHead(l, d)
}

// head returns the event to be sent, or the reason why it must not be sent.
func (r *receiver) head(l *lane) (item, Reason) {
	r.mu.Lock()
	defer r.mu.Unlock()
	head := l.queue[0]
	switch {
	case head.redelivery != nil:
		return head, ""
	case r.heldBack(time.Now()) && r.tooOld(head, time.Now()):
		return head, ReasonExpired
	case !r.disabled:
		return head, ""
	case head.record.Position <= r.goneAt:
		return head, ReasonEndpointGone
	}
	return head, ReasonEndpointDisabled
}

// reloadDelay is the delay after the journal could not load an event. It does not count as a failure of the endpoint.
const reloadDelay = time.Second

// sendHead sends the head of a lane, at most twice, and returns the decision. It returns false if ctx ended first.
func (r *receiver) sendHead(ctx context.Context, l *lane, head item) (decision, bool) {
	record := head.record
	if record.Body == nil {
		loaded, err := r.load(ctx, record.Position)
		switch {
		case ctx.Err() != nil:
			return decision{}, false
		case errors.Is(err, fs.ErrNotExist):
			return r.skipAttempt(l, decision{state: ReasonDiscarded.State()}), true
		case err != nil:
			r.log.Error("webhook event cannot be loaded", "event_id", record.ID, "call_sid", record.CallID, "error", err, "retry_in", reloadDelay)
			return r.skipAttempt(l, decision{delay: reloadDelay}), true
		}
		record.Body = loaded.Body
	}
	for {
		number, live := r.attemptNumber(l)
		o := r.send(ctx, record, number, live, head.redelivery)
		if ctx.Err() != nil && o.verdict != delivered {
			return decision{}, false
		}
		d := r.applyOutcome(l, o)
		r.report(record, head.redelivery, number, live, o, d)
		if !d.again {
			return d, true
		}
	}
}

// load reads a record with its body from the journal.
func (r *receiver) load(ctx context.Context, position int64) (record events.Record, err error) {
	err = catch(r.log, "load", func() (err error) {
		record, err = r.config.Journal.Load(ctx, position)
		return err
	})
	return record, err
}

// send makes one attempt. A panic makes it fail.
func (r *receiver) send(ctx context.Context, record events.Record, number int, live bool, again *redelivery) outcome {
	o := outcome{class: ClassOther, start: time.Now()}
	err := catch(r.log, "request", func() error {
		o = r.sender.send(ctx, record, number, live, again)
		return nil
	})
	if err != nil {
		o.err, o.end = err, time.Now()
	}
	return o
}

// skipAttempt records that no attempt was made, and returns d.
func (r *receiver) skipAttempt(l *lane, d decision) decision {
	r.mu.Lock()
	defer r.mu.Unlock()
	l.ended, l.backoff = time.Now(), false
	return d
}

// attemptNumber returns the number of the attempt that is about to begin, and whether the call is up.
func (r *receiver) attemptNumber(l *lane) (number int, live bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return l.attempts + 1, l.up(time.Now())
}

// applyOutcome applies the outcome of an attempt to the lane and to the endpoint.
func (r *receiver) applyOutcome(l *lane, o outcome) decision {
	r.mu.Lock()
	defer r.mu.Unlock()
	l.ended = o.end
	if l.repeatsNow(o) {
		return decision{again: true}
	}
	d := l.decide(o, r.updateBreaker(l, o), r.config.Jitter)
	if d.pause > 0 && !r.disabled {
		most := maxPause
		if r.anyUp(o.end) {
			most = maxLivePause
		}
		r.gate.pause(o.end, min(d.pause, most))
		r.armGateTimer()
	}
	if d.gone {
		r.disable(r.accepted, "webhook endpoint disabled: it answered that it is gone")
	}
	return d
}

// disable stops delivery to the endpoint. Its waiting lanes are made ready, and their events become dead letters in
// order: up to position goneAt because the endpoint is gone, later ones because it is disabled.
func (r *receiver) disable(goneAt int64, why string) {
	if r.disabled {
		return
	}
	r.disabled, r.goneAt = true, goneAt
	r.gate.until = time.Time{}
	r.breaker, r.gate.slowStart = breaker{}, slowStart{}
	now := time.Now()
	for _, l := range r.lanes {
		if l.state == waiting {
			r.ready(l, now)
		}
	}
	r.log.Error(why)
	r.startAttempts()
}

// settleTimeout bounds a write to the journal during shutdown.
const settleTimeout = 5 * time.Second

// settle records the final state of a delivery in the journal. If that fails, the event may be sent again after a
// restart; the lane goes on.
func (r *receiver) settle(ctx context.Context, record events.Record, state string) {
	if strings.HasPrefix(state, deadPrefix) {
		r.log.Error("webhook dead letter", "event_id", record.ID, "call_sid", record.CallID,
			"type", string(record.Type), "sequence", record.Sequence, "reason", strings.TrimPrefix(state, deadPrefix))
	}
	// A delivery is recorded also during shutdown.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleTimeout)
	defer cancel()
	err := catch(r.log, "settle", func() error {
		return r.config.Journal.Settle(ctx, record.Position, r.name(), state)
	})
	if err != nil {
		r.log.Error("webhook state not recorded", "event_id", record.ID, "call_sid", record.CallID, "state", state, "error", err)
	}
}

// advance applies the decision to a lane and releases its slot.
func (r *receiver) advance(l *lane, d decision) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := time.Now()
	r.gate.done(l.slotPriority)
	if r.breaker.probe == l { // the probe found nothing to send
		r.breaker.probe = nil
	}
	call := l.queue[0].record.CallID
	switch {
	case d.held && !r.disabled:
		r.failRequests(l)
		r.ready(l, now)
	case d.state == "" && (!r.disabled || l.redelivers):
		r.failRequests(l)
		r.backOff(l, l.ended.Add(d.delay))
		r.phaseChanged(l, l.up(now), now) // the call may have ended while the attempt was being concluded
	case d.state == "":
		r.failRequests(l)
		r.ready(l, now)
	default:
		r.removeHead(l, d)
		l.state = idle
		if len(l.queue) > 0 {
			r.ready(l, now)
		} else if l.redelivers {
			delete(r.redeliveries.lanes, call)
		} else if l.removable(now) {
			delete(r.lanes, call)
		}
	}
	r.startAttempts()
}

// report passes an attempt to Observe and the log, and the answer of a 2xx attempt to Actions.
func (r *receiver) report(record events.Record, again *redelivery, number int, live bool, o outcome, d decision) {
	if r.config.Observe != nil {
		a := Attempt{
			Endpoint: r.name(), EventID: record.ID, CallID: record.CallID, Sequence: record.Sequence, Type: record.Type,
			Number: number, Live: live, Start: o.start, Status: o.status, Class: o.class, Err: o.err,
			Answer: o.body[:min(len(o.body), keptAnswer)], AnswerErr: o.bodyErr, Latency: o.end.Sub(o.start),
			State: d.state, Retry: d.delay, Remote: o.remote,
		}
		if again != nil {
			a.Redelivery = again.id
		}
		if !record.Stored.IsZero() {
			a.SinceStored = o.end.Sub(record.Stored)
		}
		r.callBack("observe", func() { r.config.Observe(a) })
	}
	if o.verdict != delivered {
		r.logFailure(record, number, o, d)
		return
	}
	if r.config.Actions != nil && live && (len(o.body) > 0 || o.bodyErr != nil) {
		r.callBack("actions", func() {
			r.config.Actions(Reply{Endpoint: r.name(), Record: record, Body: o.body, Err: o.bodyErr})
		})
	}
}

// A failureLog counts failures between two log lines.
type failureLog struct {
	failures int
	logged   time.Time
}

// failureLogInterval is the minimum time between two warnings about failed attempts.
const failureLogInterval = 10 * time.Second

// logFailure logs a failed attempt: as a warning at most once every failureLogInterval, else at debug level.
func (r *receiver) logFailure(record events.Record, number int, o outcome, d decision) {
	r.mu.Lock()
	r.failureLog.failures++
	failures, level := r.failureLog.failures, slog.LevelDebug
	if o.end.Sub(r.failureLog.logged) >= failureLogInterval {
		r.failureLog, level = failureLog{logged: o.end}, slog.LevelWarn
	}
	r.mu.Unlock()
	r.log.Log(context.Background(), level, "webhook attempt failed", "event_id", record.ID, "call_sid", record.CallID,
		"attempt", number, "status", o.status, "class", string(o.class), "error", o.err,
		"retry_in", d.delay, "failures", failures)
}
