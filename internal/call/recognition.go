package call

import (
	"sync"
	"time"

	"aldeabridge/events"
)

// recognition has the recognizer settings of a stream: those from its beginning, or those of a listen action.
type recognition struct {
	recognizer Recognizer
	language   string
	timeout    time.Duration // how long final results wait for the end of their utterance
	before     *recognition  // the fallback if the recognizer refuses this one; nil for the first
	refused    func(error)   // called with the error if it is refused; nil for the first

	once sync.Once // for refused
	over bool      // it was refused; guarded by the state's mutex
}

// recognitionState has the current recognition of a stream. Lock order: leg.mu before recognitionState.mu.
type recognitionState struct {
	mu      sync.Mutex
	current *recognition
}

// endpointingSlack is added to the silence that ends an utterance to get the timeout of its final results.
const endpointingSlack = 500 * time.Millisecond

// listen changes the recognition of all speakers of the stream, from the next audio on. Settings that l does not have keep
// their current value. If the recognizer refuses the change later, refused is called and the change is undone.
func (c *Call) listen(l Listening, refused func(error)) error {
	s := &c.recognition
	s.mu.Lock()
	defer s.mu.Unlock()
	recognizer, err := s.current.recognizer.With(l)
	if err != nil {
		return err
	}
	next := &recognition{
		recognizer: recognizer, language: s.current.language, timeout: s.current.timeout, before: s.current, refused: refused,
	}
	if l.Language != nil {
		next.language = *l.Language
	}
	if l.Endpointing != nil {
		next.timeout = max(c.config.UtteranceTimeout, *l.Endpointing+endpointingSlack)
	}
	s.current = next
	c.recognize(next)
	return nil
}

// startTracks starts the recognition of the stream's speakers.
func (c *Call) startTracks(speakers []events.Speaker) {
	s := &c.recognition
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, speaker := range speakers {
		c.tracks = append(c.tracks, c.startTrack(speaker, s.current))
	}
}

// recognize sets the recognition of every track, from the next audio on. The caller holds the state's mutex.
func (c *Call) recognize(r *recognition) {
	for _, t := range c.tracks {
		t.next.Store(r)
	}
}

// refuse undoes a refused change for all tracks. The leg that received the refusal has its old settings back already.
func (c *Call) refuse(r *recognition, err error) {
	r.once.Do(func() { r.refused(err) })
	s := &c.recognition
	s.mu.Lock()
	defer s.mu.Unlock()
	r.over = true
	if s.current != r {
		return // a later change is in effect; the recognizer accepts or refuses it on its own
	}
	for s.current.over {
		s.current = s.current.before
	}
	c.recognize(s.current)
}
