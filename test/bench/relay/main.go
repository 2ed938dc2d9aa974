// Command relay is the least that a bridge could be: it forwards every message of a media stream to another
// WebSocket as it comes, one write a message, and understands none of them. It is made of the libraries that
// bridge is made of, with their defaults, and is what bridge's cost is compared with.
package main

import (
	"flag"
	"fmt"
	"os"

	"github.com/gofiber/contrib/websocket"
	"github.com/gofiber/fiber/v2"
	gorilla "github.com/gorilla/websocket"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:0", "address to listen on")
	to := flag.String("to", "", "WebSocket URL that messages are forwarded to")
	flag.Parse()
	app := fiber.New(fiber.Config{DisableStartupMessage: true})
	app.Get("/media/twilio", websocket.New(func(c *websocket.Conn) { relay(c, *to) }))
	if err := app.Listen(*listen); err != nil {
		fmt.Fprintln(os.Stderr, "relay:", err)
		os.Exit(1)
	}
}

// relay forwards until either side ends.
func relay(in *websocket.Conn, to string) {
	out, _, err := gorilla.DefaultDialer.Dial(to, nil)
	if err != nil {
		fmt.Fprintln(os.Stderr, "relay:", err)
		return
	}
	defer out.Close()
	go func() { // answers come back the same way
		for {
			kind, b, err := out.ReadMessage()
			if err != nil || in.WriteMessage(kind, b) != nil {
				return
			}
		}
	}()
	for {
		kind, b, err := in.ReadMessage()
		if err != nil || out.WriteMessage(kind, b) != nil {
			return
		}
	}
}
