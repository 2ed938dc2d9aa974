package client_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"

	"aldeabridge/internal/api/client"
)

// Calls are listed page by page, and then followed as they happen.
func Example() {
	bridge := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/v1/events":
			w.Header().Set("Content-Type", "text/event-stream")
			fmt.Fprint(w, "id: 7\nevent: call.ended\ndata: {\"type\":\"call.ended\"}\n\n")
		case r.URL.Query().Get("cursor") == "":
			fmt.Fprint(w, `{"data":[{"id":"CA2"}],"next_cursor":"older"}`)
		default:
			fmt.Fprint(w, `{"data":[{"id":"CA1"}],"next_cursor":null}`)
		}
	}))
	defer bridge.Close()
	defer bridge.Client().CloseIdleConnections()

	c := &client.Client{URL: bridge.URL, Token: "secret", HTTP: bridge.Client()}
	type call struct{ ID string }
	for one, err := range client.List[call](context.Background(), c, "/v1/calls", nil) {
		if err != nil {
			panic(err)
		}
		fmt.Println(one.ID)
	}
	for message, err := range c.Follow(context.Background(), "/v1/events", nil, nil) {
		if err != nil {
			panic(err)
		}
		fmt.Println(message.ID, message.Type)
		break
	}
	// Output:
	// CA2
	// CA1
	// 7 call.ended
}
