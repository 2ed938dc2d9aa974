package aldea_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"

	"aldeabridge/aldea"

	"github.com/gorilla/websocket"
)

// A call writes what it hears and prints what was said.
func Example() {
	recognizer := httptest.NewServer(http.HandlerFunc(hello))
	defer recognizer.Close()

	client, err := aldea.NewClient(aldea.Config{URL: recognizer.URL, Key: "org_example"})
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx := context.Background()
	stream := client.Open(ctx)
	defer func() { _ = stream.Close() }()

	frame := make([]byte, 160) // 20 ms of µ-law
	for range 50 {
		stream.Write(frame)
	}
	stream.CloseSend()

	for {
		message, err := stream.Next(ctx)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			fmt.Println(err)
			return
		}
		if r, ok := message.(*aldea.Results); ok && r.IsFinal {
			fmt.Printf("%v to %v: %s\n", r.Start, r.End, r.Transcript)
		}
	}
	// Output:
	// 0s to 997.9375ms: hello
}

// hello is a recognizer that waits for the end of the audio and then has always heard the same.
func hello(w http.ResponseWriter, r *http.Request) {
	ws, err := (&websocket.Upgrader{}).Upgrade(w, r, nil)
	if err != nil {
		return
	}
	defer func() { _ = ws.Close() }()
	for {
		kind, _, err := ws.ReadMessage()
		if err != nil {
			return
		}
		if kind == websocket.TextMessage {
			break // CloseStream
		}
	}
	_ = ws.WriteMessage(websocket.TextMessage, []byte(`{"type":"Results","channel_index":[0],"start":0,"duration":1,`+
		`"is_final":true,"speech_final":true,"channel":{"alternatives":[{"transcript":"hello","words":[["hello",120,640]]}]}}`))
	_ = ws.WriteMessage(websocket.CloseMessage, websocket.FormatCloseMessage(websocket.CloseNormalClosure, ""))
}

// A Secret does not reach a log.
func ExampleSecret() {
	log := slog.New(slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{
		ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey {
				return slog.Attr{}
			}
			return a
		},
	}))
	log.Info("recognizer configured", "key", aldea.Secret("org_example"))
	// Output:
	// level=INFO msg="recognizer configured" key=REDACTED
}
