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
	// Say returns the speech of a text without waiting until it is complete.
	Say(ctx context.Context, call events.Call, say actions.Say) (Audio, error)
	// Play returns a recording without waiting until it is complete.
	Play(ctx context.Context, call events.Call, play actions.Play) (Audio, error)
}

// Audio is audio that can be played while it is still being made.
type Audio interface {
	playback.Source
	// Words returns the words of the speech made so far, with their times, or nil if the engine provides none.
	Words() []Word
	// Length returns the duration made so far, and whether that is all.
	Length() (made time.Duration, whole bool)
}

// A Word is a piece of a text with its times, from the beginning of its audio.
type Word struct {
	Text       string
	Start, End time.Duration
}

// A Control sends requests about a call to the carrier. It is called concurrently, for one call by one goroutine.
type Control interface {
	Twiml(ctx context.Context, callID, twiml string) error
	Redirect(ctx context.Context, callID, url string) error
	// Transfer dials to. If callerID is empty, the carrier chooses the caller id.
	Transfer(ctx context.Context, callID, to, callerID string) error
	// Hangup ends the call. It returns nil if the call is over already.
	Hangup(ctx context.Context, callID string) error
}

// actionPlayback is the audio of an action that plays or waits in the player.
type actionPlayback struct {
	task  task
	text  string // of a say action; empty for a recording
	audio Audio
}

func (a *actionQueue) say(t task, say actions.Say) error {
	if err := a.checkPlayable(t, say.UnlessSuperseded); err != nil {
		return err
	}
	if a.call.config.Speech == nil {
		return errors.New("this server has no voice: none is installed or configured")
	}
	audio, err := a.call.config.Speech.Say(a.ctx, a.call.info, say)
	if err != nil {
		return err
	}
	return a.enqueue(actionPlayback{t, say.Text, audio}, say.Interruptible)
}

func (a *actionQueue) play(t task, play actions.Play) error {
	if err := a.checkPlayable(t, play.UnlessSuperseded); err != nil {
		return err
	}
	if a.call.config.Speech == nil {
		return errors.New("this server plays nothing")
	}
	audio, err := a.call.config.Speech.Play(a.ctx, a.call.info, play)
	if err != nil {
		return err
	}
	return a.enqueue(actionPlayback{t, "", audio}, play.Interruptible)
}

// checkPlayable returns why t must not be played, or nil.
func (a *actionQueue) checkPlayable(t task, unlessSuperseded bool) error {
	if unlessSuperseded && a.superseded(t) {
		return errSuperseded
	}
	if a.call.player == nil {
		return errors.New("the carrier only lets us listen on this stream: it was begun with <Start>, not with <Connect>")
	}
	return nil
}

// clear stops the playing and the queued audio.
func (a *actionQueue) clear() error {
	if err := a.checkPlayable(task{}, false); err != nil {
		return err
	}
	a.call.player.Clear()
	return nil
}

// enqueue queues audio in the player.
func (a *actionQueue) enqueue(s actionPlayback, interruptible bool) error {
	c := a.call
	c.mu.Lock()
	if len(c.playbacks) == 0 {
		c.since = time.Since(c.shared.began)
	}
	c.playbacks = append(c.playbacks, s)
	c.mu.Unlock()
	err := c.player.Enqueue(playback.Item{ID: s.key(), Source: s.audio, Interruptible: interruptible})
	if err != nil {
		c.removePlayback(s.key())
		_ = s.audio.Close() // the player did not take it
	}
	c.gatherer.resetTimer()
	if streamEnded(err) {
		return errEnded
	}
	return err
}

// errUnconfirmed is the error of an action whose audio was sent on a stream that has not returned a single mark.
var errUnconfirmed = errors.New("nothing shows that the caller has heard it: the carrier has not sent back one mark on this stream. " +
	"A stream begun with <Start> only listens; <Connect> lets bridge speak")

// streamEnded reports whether playback failed because the stream ended. When the caller hangs up, the player may detect the
// closed socket first.
func streamEnded(err error) bool {
	return errors.Is(err, playback.ErrClosed) || errors.Is(err, playback.ErrLine)
}

// key is the id of the player's item. Action ids may repeat; keys do not.
func (s actionPlayback) key() string { return s.task.key }

// removePlayback removes and returns a playback that has ended.
func (c *Call) removePlayback(key string) (s actionPlayback, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i, s := range c.playbacks {
		if s.key() == key {
			c.playbacks = append(c.playbacks[:i:i], c.playbacks[i+1:]...)
			return s, true
		}
	}
	return actionPlayback{}, false
}

// playing reports whether audio plays or waits.
func (c *Call) playing() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.playbacks) > 0
}

// played emits the events for the Result of a playback. The player calls it.
func (c *Call) played(r playback.Result) {
	s, ok := c.removePlayback(r.ID)
	if !ok {
		return
	}
	switch {
	case r.Err != nil && !streamEnded(r.Err):
		c.actions.failed(s.task, r.Err)
	case r.Unconfirmed:
		c.actions.failed(s.task, errUnconfirmed)
	}
	if !r.Unconfirmed && (r.Err == nil || r.Played > 0 || streamEnded(r.Err)) {
		finished := events.PlaybackFinished{ActionID: s.task.id, Played: events.Offset(r.Played), HeardText: s.heard(r)}
		if r.InterruptedBy != "" {
			by := events.Interruption(r.InterruptedBy)
			finished.InterruptedBy = &by
		}
		c.put(time.Now(), finished)
	}
	if !c.playing() {
		c.gatherer.resetTimer()
	}
}

// perRune is the assumed duration of a character of speech: about 150 words a minute.
const perRune = 65 * time.Millisecond

// heard returns the part of the text that the caller has heard, by the times of the words or by proportion, up to the end of
// a word.
func (s actionPlayback) heard(r playback.Result) string {
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
	if total == 0 { // it was stopped before all of it was sent
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

// confirmSpeech lets words of the caller, spoken from a time of the call on, interrupt playback if their sound has not:
// because of a quiet voice or a loud line.
func (c *Call) confirmSpeech(text string, from time.Duration) {
	if c.player != nil && !c.mayBeEcho(text, from) {
		c.player.Confirm()
	}
}

// mayBeEcho reports whether words may be an echo of the played speech, or were spoken before playback began.
func (c *Call) mayBeEcho(text string, from time.Duration) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.playbacks) == 0 || from < c.since {
		return true
	}
	played := map[string]bool{}
	for _, s := range c.playbacks {
		if s.text == "" {
			return true // a recording, whose words are unknown
		}
		for _, w := range wordsOf(s.text) {
			played[w] = true
		}
	}
	for _, w := range wordsOf(text) {
		if !played[w] {
			return false
		}
	}
	return true
}

// wordsOf returns the words of a text in lower case, without punctuation.
func wordsOf(text string) []string {
	return strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '\'' })
}
