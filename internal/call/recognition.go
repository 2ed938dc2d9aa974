package call

import (
	"sync"
	"time"

	"aldeabridge/events"
)

// A recognition is how a stream's speakers are recognized: as the stream began, or as a listen action changed it.
type recognition struct {
	recognizer Recognizer
	language   string
	timeout    time.Duration // how long finals wait for the end of their utterance
	before     *recognition  // what goes on if the recognizer refuses this one; nil for the first
	refused    func(error)   // tells that it did; nil for the first

	once sync.Once // for refused
	over bool      // it was refused; guarded by the state's mutex
}

// A recognitionState is what the next change of a stream's recognition begins with. Its mutex may be locked while a leg's is
// held, not the other way around.
type recognitionState struct {
	mu      sync.Mutex
	current *recognition
}

// endpointingSlack is how much longer than the silence that ends an utterance its finals wait for the end.
const endpointingSlack = 500 * time.Millisecond

// listen changes how everybody on the stream is understood, from the next audio on. What l leaves as it is stays as earlier
// changes made it. refused is called if the recognizer turns out to refuse the change, which then is taken back.
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

// startTracks begins to recognize the speakers of the stream.
func (c *Call) startTracks(speakers []events.Speaker) {
	s := &c.recognition
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, speaker := range speakers {
		c.tracks = append(c.tracks, c.startTrack(speaker, s.current))
	}
}

// recognize makes every track go on with a recognition, from the next audio on. The caller holds the state's mutex.
func (c *Call) recognize(r *recognition) {
	for _, t := range c.tracks {
		t.next.Store(r)
	}
}

// refuse takes back a change that the recognizer refuses, for all tracks: the one that noticed has gone back already.
func (c *Call) refuse(r *recognition, err error) {
	r.once.Do(func() { r.refused(err) })
	s := &c.recognition
	s.mu.Lock()
	defer s.mu.Unlock()
	r.over = true
	if s.current != r {
		return // another change was made since; its own attempt tells what becomes of it
	}
	for s.current.over {
		s.current = s.current.before
	}
	c.recognize(s.current)
}
