package journal_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"aldeabridge/events"
	"aldeabridge/internal/journal"
)

func ExampleOpen() {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		fmt.Println(err)
	}
	defer os.RemoveAll(dir)
	s, err := journal.Open(journal.Options{Path: filepath.Join(dir, "journal.db"), Endpoints: []string{"crm"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	e := events.Event{Call: events.Call{ID: "CA42", From: "+15550100001"}, Body: events.UtteranceFinal{
		Utterance: events.Utterance{Text: "I'd like to move my appointment"},
	}}
	if _, err := s.Append(ctx, e); err != nil { // on the disk when it returns
		fmt.Println(err)
	}
	found, _, err := s.Search(ctx, journal.Search{Text: "appoint*"})
	if err != nil {
		fmt.Println(err)
	}
	for _, f := range found {
		fmt.Println(f.Record.CallID, f.Record.Sequence, f.Record.Type)
	}
	fmt.Println(s.Stats().Waiting, "waiting")
	if err := s.Close(); err != nil {
		fmt.Println(err)
	}
	// Output:
	// CA42 1 utterance.final
	// 1 waiting
}

func Example() {
	ctx := context.Background()
	j := journal.NewMemory(0, "crm")
	for _, digit := range []string{"4", "2"} {
		e := events.Event{Call: events.Call{ID: "CA42"}, Body: events.DTMFReceived{Digit: digit}}
		if _, err := j.Append(ctx, e); err != nil {
			fmt.Println(err)
		}
	}

	records, err := j.Read(ctx, 0, 10)
	if err != nil {
		fmt.Println(err)
	}
	for _, r := range records {
		fmt.Println(r.Position, r.CallID, r.Sequence, r.Type)
		if err := j.Settle(ctx, r.Position, "crm", "delivered"); err != nil {
			fmt.Println(err)
		}
	}
	fmt.Println(j.Stats().Records, "left")
	// Output:
	// 1 CA42 1 dtmf.received
	// 2 CA42 2 dtmf.received
	// 0 left
}
