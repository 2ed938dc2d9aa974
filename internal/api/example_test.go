package api

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/gofiber/fiber/v2"

	"aldeabridge/events"
)

func Example() {
	journal := newFakeJournal()
	call := events.Call{ID: "CA1", StreamID: "MZ1"}
	for _, body := range []events.Body{events.CallStarted{}, said("MZ1-caller-1", "I'd like to move my appointment.", time.Second, 3*time.Second)} {
		if _, err := journal.put(call, epoch.Add(3*time.Second), body); err != nil {
			panic(err)
		}
	}

	api := New(Config{Journal: journal, Guard: NewGuard([]string{"secret"}, false, slog.New(slog.DiscardHandler))})
	defer api.Close()
	app := fiber.New()
	api.Register(app)

	for _, path := range []string{"/v1/calls/CA1/transcript?format=srt", "/v1/calls/CA2"} {
		request := httptest.NewRequest(http.MethodGet, path, nil)
		request.Header.Set("Authorization", "Bearer secret")
		answer, err := app.Test(request)
		if err != nil {
			panic(err)
		}
		defer answer.Body.Close()
		body, err := io.ReadAll(answer.Body)
		if err != nil {
			panic(err)
		}
		fmt.Printf("%s\n%s", answer.Status, body)
	}
	// Output:
	// 200 OK
	// 1
	// 00:00:01,000 --> 00:00:03,000
	// caller: I'd like to move my appointment.
	//
	// 404 Not Found
	// {"type":"about:blank","title":"Not Found","status":404,"detail":"No call with the id \"CA2\" is kept: GET /v1/calls lists those that are."}
}
