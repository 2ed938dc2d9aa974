package call

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"aldeabridge/events"
	"aldeabridge/internal/actions"
)

// The errors of Act. An action that was queued and then fails becomes an action.failed event.
var (
	// ErrNoCall means that this server has no such live call.
	ErrNoCall = errors.New("call: no such call is up")
	// ErrBusy means that maxActions actions wait already.
	ErrBusy = errors.New("call: too many actions wait")
)

const (
	// maxActions is the most actions of a call that may wait: several full answers.
	maxActions = 200
	// hangUpGrace is how long the carrier has to end the stream after a hang-up request. Then this server ends it.
	hangUpGrace = 5 * time.Second
	// controlTimeout bounds one request to the carrier, including retries. The end of the stream does not cancel it,
	// because most requests end the stream.
	controlTimeout = 15 * time.Second
)

// A Request is a list of actions to execute on a call.
type Request struct {
	Items []actions.Item
	// InReplyTo is the id of the event that the actions answer, or empty.
	InReplyTo string
	// Utterances is how many utterances of the call had ended at that event: if more have ended since, the actions are
	// superseded. Negative means the number at the time of Act.
	Utterances int
}

// Act queues the actions of r on a call, after those queued before. Only a clear at the beginning takes effect at once. It
// returns the actions' ids without waiting for them, or ErrNoCall or ErrBusy if it queued nothing.
func (cs *Calls) Act(callID string, r Request) ([]string, error) {
	c := cs.newest(callID)
	if c == nil {
		return nil, ErrNoCall
	}
	ids, err := c.actions.add(r)
	if _, clear := r.first().(actions.Clear); clear && err == nil && c.player != nil {
		c.player.Clear()
	}
	return ids, err
}

// first returns the first action, or nil.
func (r Request) first() actions.Action {
	if len(r.Items) == 0 {
		return nil
	}
	return r.Items[0].Action
}

// Refuse emits action.failed for an answer whose actions could not be parsed; none of them is executed. It does nothing if
// the call is over.
func (cs *Calls) Refuse(callID, inReplyTo string, err error) {
	c := cs.newest(callID)
	if c == nil {
		return
	}
	failed := events.ActionFailed{Index: -1, InReplyTo: inReplyTo, Reason: err.Error()}
	if e := (*actions.Error)(nil); errors.As(err, &e) {
		failed.Index, failed.Action = e.Index, json.RawMessage(e.JSON)
	}
	c.fail(failed)
}

// newest returns the stream of a call that began last, or nil.
func (cs *Calls) newest(callID string) *Call {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	if l := cs.live[callID]; l != nil {
		return l.streams[len(l.streams)-1]
	}
	return nil
}

// actionQueue executes the actions of a stream in order. Its goroutine runs only while actions wait.
type actionQueue struct {
	call *Call
	ctx  context.Context // ends with the stream
	stop context.CancelFunc

	mu      sync.Mutex
	idle    *sync.Cond // signaled when running turns false
	waiting []task
	running bool
	over    bool // the stream has ended: add returns ErrNoCall
	count   int  // actions queued so far

	// Used by the goroutine only.
	handed string // type of the action that passed control of the call to the carrier; empty if none has
}

// task is a queued action.
type task struct {
	actions.Item
	id         string // its id in events
	key        string // its id in the player, unique in the stream
	index      int    // in its Request
	inReplyTo  string
	utterances int
}

func newActionQueue(c *Call) *actionQueue {
	a := &actionQueue{call: c}
	a.ctx, a.stop = context.WithCancel(context.Background())
	a.idle = sync.NewCond(&a.mu)
	return a
}

// add queues the actions of a request.
func (a *actionQueue) add(r Request) (ids []string, err error) {
	if r.Utterances < 0 {
		r.Utterances = a.call.shared.queue.utteranceCount()
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case a.over:
		return nil, ErrNoCall
	case len(a.waiting)+len(r.Items) > maxActions:
		return nil, ErrBusy
	}
	for i, item := range r.Items {
		a.count++
		key := "act_" + strconv.Itoa(a.count)
		id := cmp.Or(item.Action.Name(), key)
		ids = append(ids, id)
		a.waiting = append(a.waiting, task{item, id, key, i, r.InReplyTo, r.Utterances})
	}
	if !a.running && len(a.waiting) > 0 {
		a.running = true
		go a.run()
	}
	return ids, nil
}

// run executes the queued actions, then ends.
func (a *actionQueue) run() {
	a.mu.Lock()
	defer a.mu.Unlock()
	for len(a.waiting) > 0 {
		t := a.waiting[0]
		a.waiting = a.waiting[1:]
		a.mu.Unlock()
		a.execute(t)
		a.mu.Lock()
	}
	a.waiting = nil
	a.running = false
	a.idle.Broadcast()
}

// execute runs one action and emits action.failed if it fails.
func (a *actionQueue) execute(t task) {
	err := errPanicked
	defer func() {
		if err != nil {
			a.failed(t, err)
		}
	}()
	defer a.call.recovered()
	err = a.do(t)
}

// errPanicked is the error of an action that panicked.
var errPanicked = errors.New("a fault in the server ended the action and the call")

// finish is called at the end of the stream: the queued actions fail. It returns when run has ended.
func (a *actionQueue) finish() {
	a.mu.Lock()
	a.over = true
	a.mu.Unlock()
	a.stop()
	a.mu.Lock()
	defer a.mu.Unlock()
	for a.running {
		a.idle.Wait()
	}
}

// failed emits action.failed for an action that was not executed, or not completely.
func (a *actionQueue) failed(t task, err error) {
	// The reason may quote the webhook or a speech service, so only the event has it.
	a.call.logger.Warn("action failed: its event has the reason", "type", t.Action.Type(), "action", t.id, "in_reply_to", t.inReplyTo)
	a.call.fail(events.ActionFailed{
		Action: json.RawMessage(t.JSON), ActionID: t.id, Index: t.index, InReplyTo: t.inReplyTo, Reason: err.Error(),
	})
}

// The reasons of action.failed events.
var (
	errEnded      = errors.New("the call ended first")
	errSuperseded = errors.New("superseded: the caller has said something newer")
)

// ended reports whether the stream has ended.
func (a *actionQueue) ended() bool { return a.ctx.Err() != nil }

// do dispatches one action.
func (a *actionQueue) do(t task) error {
	_, hangUp := t.Action.(actions.Hangup)
	switch {
	case hangUp && (a.ended() || a.handed == string(actions.TypeHangup)):
		return nil // the call is over already
	case a.ended():
		return errEnded
	}
	if a.handed != "" {
		return fmt.Errorf("the call is no longer ours to steer: a %s took it elsewhere", a.handed)
	}
	switch action := t.Action.(type) {
	case actions.Say:
		return a.say(t, action)
	case actions.Play:
		return a.play(t, action)
	case actions.Clear:
		return a.clear()
	case actions.Listen:
		return a.listen(t, action)
	case actions.PauseTranscription:
		a.pause(true)
	case actions.ResumeTranscription:
		a.pause(false)
	default:
		return a.control(t)
	}
	return nil
}

// superseded reports whether another utterance has ended since the event that t answers.
func (a *actionQueue) superseded(t task) bool {
	return a.call.shared.queue.utteranceCount() > t.utterances
}

// listen changes the recognizer's settings and starts to gather digits.
func (a *actionQueue) listen(t task, l actions.Listen) error {
	if l.Language != nil || l.Keywords != nil || l.EndpointingMS != nil {
		change := Listening{Language: l.Language, Keywords: l.Keywords}
		if l.EndpointingMS != nil {
			silence := time.Duration(*l.EndpointingMS) * time.Millisecond
			change.Endpointing = &silence
		}
		if err := a.call.listen(change, func(err error) { a.failed(t, err) }); err != nil {
			return err
		}
	}
	if l.Gather != nil {
		a.call.gatherer.begin(t.id, *l.Gather)
	}
	return nil
}

// pause stops the transcription of all speakers from now on, or resumes it.
func (a *actionQueue) pause(paused bool) {
	for _, track := range a.call.tracks {
		track.pause(paused)
	}
}

// control executes an action that Media Streams cannot express, through the carrier's REST API. It waits until the caller has
// heard all queued audio.
func (a *actionQueue) control(t task) error {
	c := a.call
	_, hangUp := t.Action.(actions.Hangup)
	if p := c.player; p != nil {
		over := p.Idle(a.ctx) != nil
		switch {
		case over && hangUp:
			return nil // the caller has hung up already
		case over:
			return errEnded
		}
	}
	if hangUp && c.config.Control == nil && c.hangUp != nil {
		a.handed = string(t.Action.Type())
		c.hangUp()
		return nil
	}
	if c.config.Control == nil {
		return errors.New("this server cannot ask the carrier: TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN are not set")
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(a.ctx), controlTimeout)
	defer cancel()
	var err error
	switch action := t.Action.(type) {
	case actions.Twiml:
		err = c.config.Control.Twiml(ctx, c.info.ID, action.Twiml)
	case actions.Redirect:
		err = c.config.Control.Redirect(ctx, c.info.ID, action.URL)
	case actions.Transfer:
		err = c.config.Control.Transfer(ctx, c.info.ID, action.To, action.CallerID)
	case actions.Hangup:
		err = c.config.Control.Hangup(ctx, c.info.ID)
	default:
		err = fmt.Errorf("a %s is not known here", t.Action.Type())
	}
	if err == nil {
		a.handed = string(t.Action.Type())
	}
	if err == nil && hangUp && c.hangUp != nil {
		// If the carrier accepted the request and the stream goes on, it has lost the call.
		time.AfterFunc(hangUpGrace, c.hangUp)
	}
	return err
}
