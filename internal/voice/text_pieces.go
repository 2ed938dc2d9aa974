package voice

import (
	"context"
	"errors"
	"io"
	"strings"
	"unicode"
)

// pieces cuts a text into parts of at most most runes: at ends of sentences, or, where a sentence is longer, between words, or,
// where a word is longer, in it. As many sentences as fit are put in one piece. Pieces without a letter, digit or symbol are
// left out.
func pieces(text string, most int) []string {
	var out []string
	now, size := "", 0
	flush := func() {
		if strings.ContainsFunc(now, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsNumber(r) || unicode.IsSymbol(r) }) {
			out = append(out, now)
		}
		now, size = "", 0
	}
	add := func(part string) {
		n := len([]rune(part))
		if size > 0 && size+1+n > most {
			flush()
		}
		if size > 0 {
			now, size = now+" ", size+1
		}
		now, size = now+part, size+n
	}
	for _, s := range sentences(text) {
		if len([]rune(s)) <= most {
			add(s)
		} else {
			for _, word := range strings.Fields(s) {
				for r := []rune(word); len(r) > 0; r = r[min(len(r), most):] {
					add(string(r[:min(len(r), most)]))
				}
			}
		}
	}
	flush()
	return out
}

// sentences splits a text at the ends of sentences and lines.
func sentences(text string) []string {
	var out []string
	r := []rune(text)
	from := 0
	cut := func(to int) {
		if s := strings.TrimSpace(string(r[from:to])); s != "" {
			out = append(out, s)
		}
		from = to
	}
	for i, c := range r {
		last := i+1 == len(r)
		switch {
		case c == '\n', strings.ContainsRune("。！？", c):
			cut(i + 1)
		case strings.ContainsRune(".!?…", c) && !last && unicode.IsSpace(r[i+1]) && (c != '.' || !title(r[from:i])):
			cut(i + 1)
		}
	}
	cut(len(r))
	return out
}

// title reports whether a text ends in a probable title or initial, such as "Dr" or "J".
func title(r []rune) bool {
	words := strings.Fields(string(r))
	if len(words) == 0 {
		return false
	}
	w := []rune(words[len(words)-1])
	return len(w) <= 3 && unicode.IsUpper(w[0])
}

// sequence is a Stream of the speech of several texts in order.
type sequence struct {
	ctx   context.Context
	speak func(ctx context.Context, text string) (Stream, error)
	rest  []string
	now   Stream
	size  int64 // bytes read so far
	words []Word
}

// speakPieces returns the speech of all pieces in order. name is the engine's name.
func speakPieces(ctx context.Context, name string, all []string, speak func(ctx context.Context, text string) (Stream, error)) (Stream, error) {
	if len(all) == 0 {
		return nil, &Error{Engine: name, Reason: "there is nothing to say in the text"}
	}
	first, err := speak(ctx, all[0])
	if err != nil || len(all) == 1 {
		return first, err
	}
	return &sequence{ctx: ctx, speak: speak, rest: all[1:], now: first}, nil
}

func (s *sequence) Read(p []byte) (int, error) {
	for {
		n, err := s.now.Read(p)
		s.size += int64(n)
		if n > 0 || !errors.Is(err, io.EOF) {
			if errors.Is(err, io.EOF) {
				err = nil // the next Read returns it again
			}
			return n, err
		}
		if len(s.rest) == 0 {
			return 0, io.EOF
		}
		if err := s.next(); err != nil {
			return 0, err
		}
	}
}

func (s *sequence) next() error {
	s.words = s.Words()
	if err := s.now.Close(); err != nil {
		return err
	}
	stream, err := s.speak(s.ctx, s.rest[0])
	if err != nil {
		return err
	}
	s.now, s.rest = &offset{stream, s.size}, s.rest[1:]
	return nil
}

// Words returns the words of all pieces.
func (s *sequence) Words() []Word {
	return append(s.words[:len(s.words):len(s.words)], s.now.Words()...)
}

func (s *sequence) Close() error { return s.now.Close() }

// offset is a Stream whose words are shifted by the size of the audio before it.
type offset struct {
	Stream
	size int64 // bytes before this Stream
}

func (o *offset) Words() []Word {
	at := phoneRate.Duration(o.size)
	words := append([]Word(nil), o.Stream.Words()...)
	for i := range words {
		words[i].Start += at
		words[i].End += at
	}
	return words
}
