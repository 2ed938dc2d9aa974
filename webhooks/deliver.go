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

// attempt works on the head of a lane that has passed the gate, once, and lets the lane go on.
func (r *receiver) attempt(ctx context.Context, l *lane) {
	defer r.running.Done()
	head, reason := r.head(l)
	for reason == ReasonExpired && r.nextTooOld(l) {
		// All at once: nobody looks at the lane again within the hour.
		r.settle(ctx, head.record, reason.State())
		r.mu.Lock()
		r.drop(l, decision{state: reason.State()})
		r.mu.Unlock()
		r.settled()
		head, reason = r.head(l)
	}
	var d decision
	switch {
	case head.filtered:
		d.state = StateFiltered
	case reason != "":
		d.state = reason.State()
	default:
		var ok bool
		if d, ok = r.try(ctx, l, head); !ok {
			return // shutting down: the event stays where it is
		}
	}
	if d.state != "" && (head.redelivery == nil || d.state == StateDelivered) {
		r.settle(ctx, head.record, d.state)
	}
	r.advance(l, d)
	if d.state != "" {
		r.settled()
	}
}

// head returns the event to be sent, or why it must not be sent.
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

// reload is the wait after the journal could not load an event. That is no fault of the endpoint's.
const reload = time.Second

// try sends an event, at most twice, and decides what follows. It returns false if ctx ended meanwhile.
func (r *receiver) try(ctx context.Context, l *lane, head item) (decision, bool) {
	record := head.record
	if record.Body == nil {
		loaded, err := r.config.Journal.Load(ctx, record.Position)
		switch {
		case ctx.Err() != nil:
			return decision{}, false
		case errors.Is(err, fs.ErrNotExist):
			return r.unsent(l, decision{state: ReasonDiscarded.State()}), true
		case err != nil:
			r.log.Error("webhook event cannot be loaded", "event_id", record.ID, "call_sid", record.CallID, "error", err, "retry_in", reload)
			return r.unsent(l, decision{delay: reload}), true
		}
		record.Body = loaded.Body
	}
	for {
		number, live := r.count(l)
		o := r.sender.send(ctx, record, number, live, head.redelivery)
		if ctx.Err() != nil && o.verdict != delivered {
			return decision{}, false
		}
		d := r.conclude(l, o)
		r.report(record, head.redelivery, number, live, o, d)
		if !d.again {
			return d, true
		}
	}
}

// unsent is what follows when no attempt was made after all.
func (r *receiver) unsent(l *lane, d decision) decision {
	r.mu.Lock()
	defer r.mu.Unlock()
	l.ended, l.backoff = time.Now(), false
	return d
}

// count returns the number of the attempt that is about to begin, and whether the call is up.
func (r *receiver) count(l *lane) (number int, live bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return l.attempts + 1, l.up(time.Now())
}

// conclude decides what follows from an attempt, for the lane and for the endpoint.
func (r *receiver) conclude(l *lane, o outcome) decision {
	r.mu.Lock()
	defer r.mu.Unlock()
	l.ended = o.end
	if l.repeats(o) {
		return decision{again: true}
	}
	d := l.decide(o, r.watch(l, o), r.config.Jitter)
	if d.pause > 0 && !r.disabled {
		most := maxPause
		if r.anyUp(o.end) {
			most = maxLivePause
		}
		r.gate.pause(o.end, min(d.pause, most))
		r.arrange()
	}
	if d.gone {
		r.disable(r.accepted, "webhook endpoint disabled: it answered that it is gone")
	}
	return d
}

// disable ends all delivery to the endpoint. Its waiting lanes are made ready, and what they hold dies in order: up
// to the position goneAt because the endpoint is gone, then because it is disabled.
func (r *receiver) disable(goneAt int64, why string) {
	if r.disabled {
		return
	}
	r.disabled, r.goneAt = true, goneAt
	r.gate.until = time.Time{}
	r.breaker, r.gate.rise = breaker{}, rise{}
	now := time.Now()
	for _, l := range r.lanes {
		if l.state == waiting {
			r.ready(l, now)
		}
	}
	r.log.Error(why)
	r.pump()
}

// settleTimeout bounds a write to the journal at shutdown.
const settleTimeout = 5 * time.Second

// settle writes what became of an event into the journal. If that fails, the event may be sent again after a
// restart; the lane goes on.
func (r *receiver) settle(ctx context.Context, record events.Record, state string) {
	if strings.HasPrefix(state, deadPrefix) {
		r.log.Error("webhook dead letter", "event_id", record.ID, "call_sid", record.CallID,
			"type", string(record.Type), "sequence", record.Sequence, "reason", strings.TrimPrefix(state, deadPrefix))
	}
	// What was delivered is delivered, also while we are shutting down.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleTimeout)
	defer cancel()
	if err := r.config.Journal.Settle(ctx, record.Position, r.name(), state); err != nil {
		r.log.Error("webhook state not recorded", "event_id", record.ID, "call_sid", record.CallID, "state", state, "error", err)
	}
}

// advance moves a lane on after an attempt, and gives its slot back.
func (r *receiver) advance(l *lane, d decision) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := time.Now()
	r.gate.done(l.class)
	if r.breaker.probe == l { // there was nothing to send
		r.breaker.probe = nil
	}
	call := l.queue[0].record.CallID
	switch {
	case d.held && !r.disabled:
		r.notYet(l)
		r.ready(l, now)
	case d.state == "" && (!r.disabled || l.redelivers):
		r.notYet(l)
		r.wait(l, l.ended.Add(d.delay))
		r.turn(l, l.up(now), now) // the call may have ended while the attempt was being concluded
	case d.state == "":
		r.notYet(l)
		r.ready(l, now)
	default:
		r.drop(l, d)
		l.state = idle
		if len(l.queue) > 0 {
			r.ready(l, now)
		} else if l.redelivers {
			delete(r.resend.lanes, call)
		} else if l.unused(now) {
			delete(r.lanes, call)
		}
	}
	r.pump()
}

// report tells the observer, the log and the reader of answers about an attempt.
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
		r.config.Observe(a)
	}
	if o.verdict != delivered {
		r.complain(record, number, o, d)
		return
	}
	if r.config.Actions != nil && live && (len(o.body) > 0 || o.bodyErr != nil) {
		r.config.Actions(Reply{Endpoint: r.name(), Record: record, Body: o.body, Err: o.bodyErr})
	}
}

// A trouble counts failures between two lines of the log.
type trouble struct {
	failures int
	logged   time.Time
}

// complainEvery keeps an endpoint that is down from flooding the log.
const complainEvery = 10 * time.Second

// complain logs a failed attempt, or counts it.
func (r *receiver) complain(record events.Record, number int, o outcome, d decision) {
	r.mu.Lock()
	r.trouble.failures++
	failures, level := r.trouble.failures, slog.LevelDebug
	if o.end.Sub(r.trouble.logged) >= complainEvery {
		r.trouble, level = trouble{logged: o.end}, slog.LevelWarn
	}
	r.mu.Unlock()
	r.log.Log(context.Background(), level, "webhook attempt failed", "event_id", record.ID, "call_sid", record.CallID,
		"attempt", number, "status", o.status, "class", string(o.class), "error", o.err,
		"retry_in", d.delay, "failures", failures)
}
