package voice

import (
	"context"
	"errors"
	"io"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// drain plays to the end.
func drain(t *testing.T, a *Audio) ([]byte, error) {
	t.Helper()
	var all []byte
	for {
		b, err := a.Next(context.Background())
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if err != nil {
			return all, err
		}
		all = append(all, b...)
	}
}

// say says a text to its end with an engine and no cache.
func say(t *testing.T, e Engine, r Request) ([]byte, []Word, error) {
	t.Helper()
	s := NewSpeaker(e, nil)
	defer s.Close()
	a, err := s.Say(context.Background(), r)
	if err != nil {
		return nil, nil, err
	}
	defer func() { _ = a.Close() }()
	b, err := drain(t, a)
	return b, a.Words(), err
}
