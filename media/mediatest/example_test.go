package mediatest_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"aldeabridge/media/mediatest"

	"github.com/gorilla/websocket"
)

// A call against a server that greets the caller with half a second of audio and waits until he has heard it.
func ExampleCall() {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var up websocket.Upgrader
		conn, err := up.Upgrade(w, r, nil)
		if err != nil {
			return
		}
		defer conn.Close()
		greeting := strings.Repeat("/", 5332) + "/w==" // 4000 bytes of 0xFF
		for _, message := range []string{
			`{"event":"media","streamSid":"MZ1","media":{"payload":"` + greeting + `"}}`,
			`{"event":"mark","streamSid":"MZ1","mark":{"name":"greeted"}}`,
		} {
			_ = conn.WriteMessage(websocket.TextMessage, []byte(message))
		}
		for {
			_, b, err := conn.ReadMessage()
			if err != nil {
				return
			}
			if strings.Contains(string(b), `"mark"`) {
				fmt.Println("greeted")
			}
		}
	}))
	defer server.Close()

	call := mediatest.Call{
		URL:       "ws" + strings.TrimPrefix(server.URL, "http"),
		StreamSID: "MZ1",
		Inbound:   make([]byte, 8000),
		Speed:     10,
		Received:  func(m mediatest.Message) { fmt.Printf("%s %d %q\n", m.Event, len(m.Media), m.Mark) },
	}
	result, err := call.Run(context.Background())
	fmt.Println(result.Frames, "frames,", time.Duration(result.MediaBytes)*time.Second/8000, err)
	// Output:
	// media 4000 ""
	// mark 0 "greeted"
	// greeted
	// 50 frames, 500ms <nil>
}
