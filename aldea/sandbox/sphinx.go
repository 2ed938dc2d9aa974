package sandbox

import (
	"bufio"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"sync"
	"time"

	"aldeabridge/codec"
)

const (
	sphinxChunk    = engineRate / 20  // samples in a frame to the engine: 50 ms, so that it works while audio comes
	sphinxInterim  = engineRate / 4   // samples between its interims, by its protocol
	lastWordsWait  = 2 * time.Second  // for a dead program's output, should something else hold it open
	sphinxPatience = 60 * time.Second // without an answer for this long the process is taken for stuck
)

// sphinx is the process of cmd/sphinx and its protocol: frames of one byte of type, four bytes of length and
// samples in, lines of JSON out. It works in step: after every 250 ms of audio the answer to them is awaited, so
// that results do not depend on how fast the machine is. One goroutine uses it.
type sphinx struct {
	cancel context.CancelFunc
	cmd    *exec.Cmd
	in     io.WriteCloser
	pipe   io.Closer // under out
	out    *bufio.Reader
	errors *tail

	waiting []int16 // less than a chunk
	sent    int     // samples since the last interim
}

func startSphinx(ctx context.Context, program string, args []string) (*sphinx, error) {
	ctx, cancel := context.WithCancel(ctx)
	cmd := child(ctx, program, args...)
	s := &sphinx{cancel: cancel, cmd: cmd, errors: &tail{}}
	cmd.Stderr = s.errors
	in, err := cmd.StdinPipe()
	if err == nil {
		var out io.ReadCloser
		if out, err = cmd.StdoutPipe(); err == nil {
			s.in, s.pipe, s.out = in, out, bufio.NewReader(out)
			err = cmd.Start()
		}
	}
	if err != nil {
		cancel()
		return nil, fmt.Errorf("%w: %w", ErrNoSpeech, err)
	}
	return s, nil
}

// Hear passes samples on. changed reports that words are new interim words, in the utterance's time.
func (s *sphinx) Hear(samples []int16) (words []Word, changed bool, err error) {
	s.waiting = append(s.waiting, samples...)
	for len(s.waiting) >= sphinxChunk {
		n := min(sphinxChunk, sphinxInterim-s.sent)
		if err := s.frame('A', s.waiting[:n]); err != nil {
			return nil, false, err
		}
		s.waiting = append(s.waiting[:0], s.waiting[n:]...)
		if s.sent += n; s.sent == sphinxInterim {
			s.sent = 0
			if words, err = s.answer("interim"); err != nil {
				return nil, false, err
			}
			changed = true
		}
	}
	return words, changed, nil
}

// End ends the utterance and returns its words.
func (s *sphinx) End() ([]Word, error) {
	if err := s.frame('A', s.waiting); err != nil {
		return nil, err
	}
	full := s.sent+len(s.waiting) == sphinxInterim
	s.waiting, s.sent = s.waiting[:0], 0
	if full {
		if _, err := s.answer("interim"); err != nil {
			return nil, err
		}
	}
	if err := s.frame('E', nil); err != nil {
		return nil, err
	}
	return s.answer("final")
}

// Close kills the process, which has nothing left to say, and waits for it.
func (s *sphinx) Close() error {
	s.cancel()
	_ = s.in.Close()
	_ = s.cmd.Wait() // killed: that it says so is no news
	return nil
}

func (s *sphinx) frame(kind byte, samples []int16) error {
	b := binary.LittleEndian.AppendUint32([]byte{kind}, uint32(2*len(samples)))
	if _, err := s.in.Write(codec.AppendLinear16(b, samples)); err != nil {
		return s.lastWords(err)
	}
	return nil
}

// lastWords explains why the program takes no more input: it may have said so on its output.
func (s *sphinx) lastWords(err error) error {
	defer time.AfterFunc(lastWordsWait, func() { _ = s.pipe.Close() }).Stop()
	if _, e := s.answer("error"); errors.Is(e, ErrNoSpeech) {
		return e
	}
	return s.failure(err)
}

// answer reads lines up to one of the type wanted.
func (s *sphinx) answer(want string) ([]Word, error) {
	defer time.AfterFunc(sphinxPatience, s.cancel).Stop()
	for {
		line, err := s.out.ReadBytes('\n')
		if err != nil {
			return nil, s.failure(err)
		}
		var m struct {
			Type    string               `json:"type"`
			Message string               `json:"message"`
			Words   [][4]json.RawMessage `json:"words"`
		}
		if err := json.Unmarshal(line, &m); err != nil {
			return nil, s.failure(err)
		}
		switch m.Type {
		case "error":
			return nil, fmt.Errorf("%w: %s", ErrNoSpeech, m.Message)
		case want:
			return sphinxWords(m.Words)
		}
	}
}

// sphinxWords reads words of the form [text, start in ms, end in ms, probability].
func sphinxWords(raw [][4]json.RawMessage) ([]Word, error) {
	words := make([]Word, len(raw))
	for i, r := range raw {
		var start, end int64
		for field, to := range []any{&words[i].Text, &start, &end, &words[i].Confidence} {
			if err := json.Unmarshal(r[field], to); err != nil {
				return nil, fmt.Errorf("speech engine sent a bad word: %w", err)
			}
		}
		words[i].Start = time.Duration(start) * time.Millisecond
		words[i].End = time.Duration(end) * time.Millisecond
	}
	return words, nil
}

// failure explains a broken pipe by what the program said before it ended.
func (s *sphinx) failure(err error) error {
	s.cancel()
	exit := s.cmd.Wait()
	if said := s.errors.String(); said != "" {
		return fmt.Errorf("speech engine ended: %s (%w)", said, err)
	}
	return fmt.Errorf("speech engine ended: %w", errors.Join(err, exit))
}

// tail keeps the last of what a program writes to its standard error.
type tail struct {
	mu sync.Mutex
	b  []byte // guarded by mu
}

const tailLength = 500

func (t *tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.b = append(t.b, b...)
	if extra := len(t.b) - tailLength; extra > 0 {
		t.b = append(t.b[:0], t.b[extra:]...)
	}
	return len(b), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return oneLine(t.b)
}
