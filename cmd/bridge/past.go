package main

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"aldeabridge/events"
	"aldeabridge/internal/call"
	"aldeabridge/internal/journal"
)

// recallTimeout bounds how long a call that begins waits for the journal.
const recallTimeout = 2 * time.Second

// past returns what the journal knows of a call whose stream begins.
func (s *server) past(ctx context.Context, id string) (call.Past, error) {
	kept, ok := s.store.(*journal.Store)
	if !ok {
		return call.Past{}, nil
	}
	ctx, cancel := context.WithTimeout(ctx, recallTimeout)
	defer cancel()
	c, err := kept.Call(ctx, id)
	if errors.Is(err, journal.ErrNoCall) {
		return call.Past{}, nil
	}
	if err != nil {
		return call.Past{}, err
	}
	p := call.Past{Began: c.Started}
	for after := int64(0); ; {
		records, err := kept.Events(ctx, id, after, 0)
		if err != nil || len(records) == 0 {
			return p, err
		}
		for _, r := range records {
			after = r.Sequence
			switch r.Type {
			case events.TypeDTMFReceived:
				p.Digits++
			case events.TypeUtteranceFinal:
				var e events.Event
				if err := json.Unmarshal(r.Body, &e); err != nil {
					return call.Past{}, err
				}
				u := e.Body.(events.UtteranceFinal).Utterance
				p.Lines = append(p.Lines, events.Line{Utterance: u.ID, Speaker: u.Speaker, Text: u.Text, Start: u.Start, End: u.End})
			}
		}
	}
}
