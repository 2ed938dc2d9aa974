package call

import (
	"context"
	"errors"
	"strings"
	"time"
	"unicode"

	"aldeabridge/events"
	"aldeabridge/internal/actions"
	"aldeabridge/internal/playback"
)

// A Speech makes audio for callers. It is called concurrently.
type Speech interface {
	// Say returns the speech of a text as soon as it begins to be made.
	Say(ctx context.Context, call events.Call, say actions.Say) (Audio, error)
	// Play returns a recording as soon as it begins to come.
	Play(ctx context.Context, call events.Call, play actions.Play) (Audio, error)
}

// Audio is something to play, as it is made.
type Audio interface {
	playback.Source
	// Words are those of a speech made so far, with their times, or nil if the engine gives none.
	Words() []Word
	// Length is how much has been made so far, and whether that is all.
	Length() (made time.Duration, whole bool)
}

// A Word is a piece of a text and when it is said, from the beginning of its audio.
type Word struct {
	Text       string
	Start, End time.Duration
}

// A Control steers a call through the carrier. It is called concurrently, for one call by one goroutine.
type Control interface {
	Twiml(ctx context.Context, callID, twiml string) error
	Redirect(ctx context.Context, callID, url string) error
	// Transfer dials to. An empty callerID leaves it to the carrier who seems to call.
	Transfer(ctx context.Context, callID, to, callerID string) error
	// Hangup ends the call. That it is over already is no error.
	Hangup(ctx context.Context, callID string) error
}

// speaking is something that is played or waits for it.
type speaking struct {
	task  task
	text  string // of a say
	audio Audio
}

func (a *actor) say(t task, say actions.Say) error {
	if err := a.audible(t, say.UnlessSuperseded); err != nil {
		return err
	}
	if a.call.config.Speech == nil {
		return errors.New("this server has no voice: none is installed or configured")
	}
	audio, err := a.call.config.Speech.Say(a.ctx, a.call.info, say)
	if err != nil {
		return err
	}
	return a.enqueue(speaking{t, say.Text, audio}, say.Interruptible)
}

func (a *actor) play(t task, play actions.Play) error {
	if err := a.audible(t, play.UnlessSuperseded); err != nil {
		return err
	}
	if a.call.config.Speech == nil {
		return errors.New("this server plays nothing")
	}
	audio, err := a.call.config.Speech.Play(a.ctx, a.call.info, play)
	if err != nil {
		return err
	}
	return a.enqueue(speaking{t, "", audio}, play.Interruptible)
}

// audible returns why the caller must not hear what t would play, if so.
func (a *actor) audible(t task, unlessSuperseded bool) error {
	if unlessSuperseded && a.superseded(t) {
		return errSuperseded
	}
	if a.call.player == nil {
		return errors.New("the carrier only lets us listen on this stream: it was begun with <Start>, not with <Connect>")
	}
	return nil
}

// clear drops what is played and queued.
func (a *actor) clear() error {
	if err := a.audible(task{}, false); err != nil {
		return err
	}
	a.call.player.Clear()
	return nil
}

// enqueue plays behind what is played already.
func (a *actor) enqueue(s speaking, interruptible bool) error {
	c := a.call
	c.mu.Lock()
	if len(c.speaking) == 0 {
		c.since = time.Since(c.life.began)
	}
	c.speaking = append(c.speaking, s)
	c.mu.Unlock()
	err := c.player.Enqueue(playback.Item{ID: s.key(), Source: s.audio, Interruptible: interruptible})
	if err != nil {
		c.forget(s.key())
		_ = s.audio.Close() // it was never begun
	}
	c.gatherer.listen()
	if gone(err) {
		return errEnded
	}
	return err
}

// errUnconfirmed is why an action fails that was played as far as we can tell, on a stream on which we can tell nothing.
var errUnconfirmed = errors.New("nothing shows that the caller has heard it: the carrier has not sent back one mark on this stream. " +
	"A stream begun with <Start> only listens; <Connect> lets bridge speak")

// gone says whether playback ended because the stream does. Whoever hangs up closes the socket, and that may be noticed
// first by who is speaking.
func gone(err error) bool {
	return errors.Is(err, playback.ErrClosed) || errors.Is(err, playback.ErrLine)
}

// key names what is played among the streams's items: users may give an id twice.
func (s speaking) key() string { return s.task.key }

// forget takes out what is not played any more.
func (c *Call) forget(key string) (s speaking, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i, s := range c.speaking {
		if s.key() == key {
			c.speaking = append(c.speaking[:i:i], c.speaking[i+1:]...)
			return s, true
		}
	}
	return speaking{}, false
}

// playing says whether the caller hears something or is about to.
func (c *Call) playing() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.speaking) > 0
}

// played tells what became of something that was to be played.
func (c *Call) played(r playback.Result) {
	s, ok := c.forget(r.ID)
	if !ok {
		return
	}
	switch {
	case r.Err != nil && !gone(r.Err):
		c.actor.failed(s.task, r.Err)
	case r.Unconfirmed:
		c.actor.failed(s.task, errUnconfirmed)
	}
	if !r.Unconfirmed && (r.Err == nil || r.Played > 0 || gone(r.Err)) {
		finished := events.PlaybackFinished{ActionID: s.task.id, Played: events.Offset(r.Played), HeardText: s.heard(r)}
		if r.InterruptedBy != "" {
			by := events.Interruption(r.InterruptedBy)
			finished.InterruptedBy = &by
		}
		c.put(time.Now(), finished)
	}
	if !c.playing() {
		c.gatherer.listen()
	}
}

// perRune is how long a character of speech takes where nobody knows: about 150 words a minute.
const perRune = 65 * time.Millisecond

// heard is the part of the text that the caller has heard: by the times of the words, or by proportion, up to the
// end of a word.
func (s speaking) heard(r playback.Result) string {
	switch {
	case r.Complete:
		return s.text
	case r.Played == 0:
		return ""
	}
	if words := s.audio.Words(); len(words) > 0 {
		var said []string
		for _, w := range words {
			if w.End <= r.Played {
				said = append(said, w.Text)
			}
		}
		return strings.Join(said, " ")
	}
	text := []rune(s.text)
	total := r.Total
	if total == 0 { // it was stopped before it was sent to its end
		var whole bool
		if total, whole = s.audio.Length(); !whole {
			total = max(total, r.Played, time.Duration(len(text))*perRune)
		}
	}
	n := int(int64(len(text)) * int64(r.Played) / int64(total))
	if n >= len(text) {
		return s.text
	}
	for n > 0 && !unicode.IsSpace(text[n]) {
		n--
	}
	return strings.TrimSpace(string(text[:n]))
}

// understood lets words of the caller, said from a time of the call on, interrupt what plays where the sound of
// them did not: a quiet voice, or a loud line.
func (c *Call) understood(text string, from time.Duration) {
	if c.player != nil && !c.echoes(text, from) {
		c.player.Confirm()
	}
}

// echoes says whether words may be our own, which the caller's phone sent back, or were said before we began.
func (c *Call) echoes(text string, from time.Duration) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.speaking) == 0 || from < c.since {
		return true
	}
	ours := map[string]bool{}
	for _, s := range c.speaking {
		if s.text == "" {
			return true // a recording: nobody knows what is said in it
		}
		for _, w := range wordsOf(s.text) {
			ours[w] = true
		}
	}
	for _, w := range wordsOf(text) {
		if !ours[w] {
			return false
		}
	}
	return true
}

// wordsOf are the words of a text, without case and punctuation.
func wordsOf(text string) []string {
	return strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '\'' })
}
