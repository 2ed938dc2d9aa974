package sandbox

import "time"

// longFinalWait is how long a long final waits for a pause beyond Options.LongFinal.
const longFinalWait = 2 * time.Second

// A result is one Results message before it is written as JSON.
type result struct {
	start, end    time.Duration
	words         []Word
	final, speech bool // is_final, speech_final
	fromFinalize  bool
}

// listener receives the results and events of a segmenter, in order.
type listener interface {
	result(r result)
	speechStarted(at time.Duration)
	utteranceEnd(lastWordEnd time.Duration)
}

// A segmenter turns audio into results: it cuts it into frames, asks the voice detector and the recognizer, and
// decides when interims, finals, SpeechStarted and UtteranceEnd are due. All of it follows from the
// samples alone.
//
// Finals are contiguous: each begins where the one before ended, and interims share the start of the final
// they lead to.
type segmenter struct {
	params        Params
	longFinal     time.Duration
	emptyFinals   bool
	emptyInterims bool
	ownPace       bool // endpointing=false still allows long finals
	recognizer    Recognizer
	to            listener

	vad     voiceDetector
	partial []int16 // less than a frame, left from the last write
	heard   int64   // samples passed to the recognizer

	segment time.Duration // where the next final begins
	open    bool          // an utterance has begun
	onset   time.Duration // where it began
	voiced  time.Duration // end of the last frame with voice
	said    bool          // the utterance has words in finals already
	shown   []Word        // the last interim of this segment
	silent  time.Duration // end of the last result, or of the last voice

	turn        bool // words were heard since the last UtteranceEnd
	lastWordEnd time.Duration
}

// now returns the end of the processed audio.
func (s *segmenter) now() time.Duration { return span(s.heard, s.params.SampleRate) }

// Write processes the next samples, of any number.
func (s *segmenter) Write(samples []int16) error {
	size := s.params.SampleRate / 100
	if len(s.partial) > 0 {
		n := min(size-len(s.partial), len(samples))
		s.partial = append(s.partial, samples[:n]...)
		samples = samples[n:]
		if len(s.partial) < size {
			return nil
		}
		if err := s.frame(s.partial); err != nil {
			return err
		}
		s.partial = s.partial[:0]
	}
	for len(samples) >= size {
		if err := s.frame(samples[:size]); err != nil {
			return err
		}
		samples = samples[size:]
	}
	s.partial = append(s.partial, samples...)
	return nil
}

// Finalize makes a final of all audio so far. It sets speech_final only if the voice has ended.
func (s *segmenter) Finalize() error {
	if err := s.flush(); err != nil {
		return err
	}
	talking := s.open && s.voiced == s.now()
	return s.final(result{speech: !talking, fromFinalize: true}, false)
}

// Close makes the last final.
func (s *segmenter) Close() error {
	if err := s.flush(); err != nil {
		return err
	}
	return s.final(result{speech: true}, true)
}

// flush processes the samples of an incomplete frame.
func (s *segmenter) flush() error {
	if len(s.partial) == 0 {
		return nil
	}
	err := s.frame(s.partial)
	s.partial = s.partial[:0]
	return err
}

func (s *segmenter) frame(frame []int16) error {
	start := s.now()
	voice, err := s.recognizer.Hear(frame, s.vad.Frame(frame))
	if err != nil {
		return err
	}
	s.heard += int64(len(frame))
	if voice {
		s.speak(start)
	}
	s.show(s.recognizer.Words())
	if err := s.cut(voice); err != nil {
		return err
	}
	s.endTurn()
	s.idle()
	return nil
}

// speak records voice in the frame that began at start.
func (s *segmenter) speak(start time.Duration) {
	if !s.open {
		s.open, s.onset = true, start
		if s.params.VADEvents {
			s.to.speechStarted(start)
		}
	}
	s.voiced = s.now()
}

// show sends an interim if its words differ from those of the last one.
func (s *segmenter) show(words []Word) {
	if sameWords(words, s.shown) {
		return
	}
	s.shown = append(s.shown[:0], words...)
	s.noteWords(words)
	if len(words) > 0 && !s.open { // the recognizer found speech that the detector did not
		s.speak(max(s.segment, words[0].Start))
		s.voiced = min(words[len(words)-1].End, s.now())
	}
	if s.params.Interim {
		s.to.result(result{start: s.segment, end: s.now(), words: fit(words, s.segment)})
	}
}

func (s *segmenter) noteWords(words []Word) {
	if n := len(words); n > 0 && words[n-1].End > s.lastWordEnd {
		s.lastWordEnd, s.turn = words[n-1].End, true
	}
}

// cut sends the final that is due after this frame, if any.
func (s *segmenter) cut(voice bool) error {
	if !s.open {
		return nil
	}
	now, automatic := s.now(), s.params.Endpointing >= 0
	if wait := s.params.Endpointing; automatic && !voice && now-s.voiced >= wait {
		return s.final(result{speech: true}, false)
	}
	if !automatic && now-s.voiced >= defaultPause {
		s.open = false // so that the next voice is an onset
	}
	if !automatic && !s.ownPace {
		return nil
	}
	long := now - max(s.segment, s.onset)
	pause := !voice || s.vad.Pause()
	if long >= s.longFinal && pause || long >= s.longFinal+longFinalWait {
		return s.final(result{}, false)
	}
	return nil
}

// defaultPause is the pause that ends the voice with endpointing=false.
const defaultPause = 300 * time.Millisecond

// final ends the segment here and sends it, unless it is empty. last means that the stream ends too.
func (s *segmenter) final(r result, last bool) error {
	words, err := s.recognizer.Final(last)
	if err != nil {
		return err
	}
	s.noteWords(words)
	r.start, r.end, r.final = s.segment, s.now(), true
	r.words = fit(words, s.segment)
	news := len(words) > 0 || len(s.shown) > 0 || r.speech && s.said
	s.shown = s.shown[:0]
	if r.speech {
		s.open, s.said = false, false
	} else {
		s.said = s.said || len(words) > 0
	}
	if news || s.emptyFinals {
		s.segment = r.end
		s.to.result(r)
	}
	return nil
}

// endTurn sends UtteranceEnd if no word has come for long enough.
func (s *segmenter) endTurn() {
	if s.turn && s.params.UtteranceEnd > 0 && s.now()-s.lastWordEnd >= s.params.UtteranceEnd {
		s.turn = false
		s.to.utteranceEnd(s.lastWordEnd)
	}
}

// fit copies words so that their times rise and none begins before the segment.
func fit(words []Word, segment time.Duration) []Word {
	fitted := make([]Word, len(words))
	for i, w := range words {
		w.Start = max(w.Start, segment)
		w.End = max(w.End, w.Start)
		segment = w.End
		fitted[i] = w
	}
	return fitted
}

func sameWords(a, b []Word) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i].Text != b[i].Text {
			return false
		}
	}
	return true
}

func newSegmenter(o *Options, p Params, r Recognizer, to listener) *segmenter {
	return &segmenter{
		params:      p,
		longFinal:   o.LongFinal,
		emptyFinals: o.EmptyFinals,
		ownPace:     o.Profile == ProfileDeepgram,
		recognizer:  r,
		to:          to,
	}
}
