package webhooks_test

import (
	"context"
	"fmt"
	"time"

	"aldeabridge/events"
	"aldeabridge/webhooks"
	"aldeabridge/webhooks/webhooktest"
)

// oneEvent is a journal with one event in it.
type oneEvent struct{ record events.Record }

func (j oneEvent) Read(ctx context.Context, after int64, _ int) ([]events.Record, error) {
	if after < j.record.Position {
		return []events.Record{j.record}, nil
	}
	<-ctx.Done()
	return nil, ctx.Err()
}

func (j oneEvent) Load(context.Context, int64) (events.Record, error) { return j.record, nil }

func (oneEvent) Settle(_ context.Context, position int64, endpoint, state string) error {
	fmt.Println("event", position, "at", endpoint, "is", state)
	return nil
}

func Example() {
	secret := webhooks.NewSecret()
	srv := webhooktest.New(string(secret))
	defer srv.Close()
	srv.Answer(webhooktest.Status(500)) // the first attempt fails

	event := events.Event{
		ID: events.NewID(time.Now()), Time: time.Now(), Call: events.Call{ID: "CA1"}, Sequence: 1,
		Body: events.DTMFReceived{Digit: "5"},
	}
	body, err := event.JSON()
	if err != nil {
		panic(err)
	}
	d, err := webhooks.New(webhooks.Config{
		Endpoints: []webhooks.Endpoint{{Name: "main", URL: srv.URL, Secrets: []webhooks.Secret{secret}}},
		Journal: oneEvent{events.Record{
			Position: 1, ID: event.ID, CallID: event.Call.ID, Sequence: 1, Type: event.Body.Type(), Stored: time.Now(), Body: body,
		}},
		Observe: func(a webhooks.Attempt) { fmt.Println("attempt", a.Number, "of", a.Type, "got", a.Status) },
	})
	if err != nil {
		panic(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- d.Run(ctx) }()
	if err := d.Drain(ctx); err != nil {
		panic(err)
	}
	cancel()
	<-done
	fmt.Println("kept every promise:", srv.Report().Err() == nil)

	// Output:
	// attempt 1 of dtmf.received got 500
	// attempt 2 of dtmf.received got 200
	// event 1 at main is delivered
	// kept every promise: true
}
