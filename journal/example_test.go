package journal_test

import (
	"context"
	"fmt"

	"aldeabridge/events"
	"aldeabridge/journal"
)

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
