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

// Why actions are not taken. What was taken and then fails becomes an action.failed.
var (
	// ErrNoCall means that no such call is up on this server.
	ErrNoCall = errors.New("call: no such call is up")
	// ErrBusy means that more actions wait than could be meant.
	ErrBusy = errors.New("call: too many actions wait")
)

const (
	// maxActions is how many actions of a call may wait: several answers full of them.
	maxActions = 200
	// hangUpGrace is how long a carrier that was told to hang up has to end the stream. Then we do.
	hangUpGrace = 5 * time.Second
	// controlTimeout bounds one request to the carrier, retries included. It goes on when the stream ends, which
	// is what most of them are for.
	controlTimeout = 15 * time.Second
)

// A Request is what somebody wants done on a call.
type Request struct {
	Items []actions.Item
	// InReplyTo is the id of the event that was answered, or empty.
	InReplyTo string
	// Utterances is how many utterances of the call had ended when that event happened: if there are more, the
	// actions are superseded. Negative means that it is now that counts.
	Utterances int
}

// Act does what is asked for on the call of that id, after what was asked for before; only a clear at the beginning
// does not wait for its turn. It returns the actions' ids at once, or ErrNoCall or ErrBusy, and nothing is done then.
func (cs *Calls) Act(callID string, r Request) ([]string, error) {
	c := cs.newest(callID)
	if c == nil {
		return nil, ErrNoCall
	}
	ids, err := c.actor.add(r)
	if _, clear := r.first().(actions.Clear); clear && err == nil && c.player != nil {
		c.player.Clear()
	}
	return ids, err
}

// first is the first action, or nil.
func (r Request) first() actions.Action {
	if len(r.Items) == 0 {
		return nil
	}
	return r.Items[0].Action
}

// Refuse tells of actions that could not be read: nothing of them is done. It does nothing if the call is over.
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

// newest is the stream of a call that began last, or nil.
func (cs *Calls) newest(callID string) *Call {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	if l := cs.lives[callID]; l != nil {
		return l.streams[len(l.streams)-1]
	}
	return nil
}

// An actor does what is asked for on a stream, one action after the other. A goroutine runs only while one waits.
type actor struct {
	call *Call
	ctx  context.Context // ends with the stream
	stop context.CancelFunc

	mu      sync.Mutex
	idle    *sync.Cond // signaled when running turns false
	waiting []task
	running bool
	over    bool // the stream has ended: nothing more is taken
	count   int  // actions named

	// The goroutine's own.
	handed string // the action that gave the call away, if one did
}

// A task is an action that waits for its turn.
type task struct {
	actions.Item
	id         string // as its sender knows it
	key        string // as the player knows it
	index      int    // in its request
	inReplyTo  string
	utterances int
}

func newActor(c *Call) *actor {
	a := &actor{call: c}
	a.ctx, a.stop = context.WithCancel(context.Background())
	a.idle = sync.NewCond(&a.mu)
	return a
}

// add queues the actions of a request.
func (a *actor) add(r Request) (ids []string, err error) {
	if r.Utterances < 0 {
		r.Utterances = a.call.life.queue.count()
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

// run does what waits, then ends.
func (a *actor) run() {
	a.mu.Lock()
	defer a.mu.Unlock()
	for len(a.waiting) > 0 {
		t := a.waiting[0]
		a.waiting = a.waiting[1:]
		a.mu.Unlock()
		a.attempt(t)
		a.mu.Lock()
	}
	a.waiting = nil
	a.running = false
	a.idle.Broadcast()
}

// attempt does one action, and reports its failure.
func (a *actor) attempt(t task) {
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

// finish ends with the stream: what waits has failed. It returns when nothing is being done any more.
func (a *actor) finish() {
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

// failed tells of an action that was not done, or not whole.
func (a *actor) failed(t task, err error) {
	// The reason may quote the webhook or a speech service, so only the event has it.
	a.call.logger.Warn("action failed: its event has the reason", "type", t.Action.Type(), "action", t.id, "in_reply_to", t.inReplyTo)
	a.call.fail(events.ActionFailed{
		Action: json.RawMessage(t.JSON), ActionID: t.id, Index: t.index, InReplyTo: t.inReplyTo, Reason: err.Error(),
	})
}

// Why an action is not done.
var (
	errEnded      = errors.New("the call ended first")
	errSuperseded = errors.New("superseded: the caller has said something newer")
)

// ended says whether the stream has ended.
func (a *actor) ended() bool { return a.ctx.Err() != nil }

// do does one action.
func (a *actor) do(t task) error {
	_, hangUp := t.Action.(actions.Hangup)
	switch {
	case hangUp && (a.ended() || a.handed == string(actions.TypeHangup)):
		return nil // it is over already
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

// superseded says whether the caller has ended another utterance since the event that t answers.
func (a *actor) superseded(t task) bool { return a.call.life.queue.count() > t.utterances }

// listen changes how the caller is understood.
func (a *actor) listen(t task, l actions.Listen) error {
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

// pause leaves out what is said from now on, or goes on with it.
func (a *actor) pause(paused bool) {
	for _, track := range a.call.tracks {
		track.pause(paused)
	}
}

// control hands the call to the carrier with one of the actions that its media stream has no message for, when
// all that is queued has been heard.
func (a *actor) control(t task) error {
	c := a.call
	_, hangUp := t.Action.(actions.Hangup)
	if p := c.player; p != nil {
		over := p.Idle(a.ctx) != nil
		switch {
		case over && hangUp:
			return nil // the caller was faster
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
		// A carrier that says so and goes on streaming does not know the call, or has lost it.
		time.AfterFunc(hangUpGrace, c.hangUp)
	}
	return err
}
