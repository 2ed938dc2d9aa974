package attack

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/gorilla/websocket"
)

// retry is the pause of an attacker whose connection was refused or closed.
const retry = 50 * time.Millisecond

// A forger is a client that speaks the carrier's protocol as it likes.
type forger struct {
	ws        *websocket.Conn
	streamSID string
}

// forge opens a WebSocket. It is closed when ctx ends. What the bridge sends is read and dropped.
func forge(ctx context.Context, url string) (*forger, error) {
	ws, resp, err := websocket.DefaultDialer.DialContext(ctx, url, http.Header{"X-Note": {canary}})
	if err != nil {
		return nil, err
	}
	_ = resp.Body.Close()
	context.AfterFunc(ctx, func() { _ = ws.Close() })
	go func() {
		for {
			if _, _, err := ws.ReadMessage(); err != nil {
				return
			}
		}
	}()
	return &forger{ws: ws}, nil
}

// send sends a message, with the stream's id.
func (f *forger) send(event string, fields map[string]any) error {
	m := map[string]any{"event": event, "sequenceNumber": "1", "streamSid": f.streamSID}
	for k, v := range fields {
		m[k] = v
	}
	b, err := json.Marshal(m)
	if err != nil {
		return err
	}
	return f.ws.WriteMessage(websocket.TextMessage, b)
}

// start sends the messages that begin a stream.
func (f *forger) start(callSID, streamSID string, params map[string]string) error {
	f.streamSID = streamSID
	if err := f.send("connected", map[string]any{"protocol": "Call", "version": "1.0.0"}); err != nil {
		return err
	}
	return f.send("start", map[string]any{"start": map[string]any{
		"accountSid": "AC0", "streamSid": streamSID, "callSid": callSID, "tracks": []string{"inbound"}, "customParameters": params,
		"mediaFormat": map[string]any{"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
	}})
}

// press sends a key.
func (f *forger) press(digit string) error {
	return f.send("dtmf", map[string]any{"dtmf": map[string]string{"track": "inbound_track", "digit": digit}})
}

// frame sends 20 ms of noise.
func (f *forger) frame(n int) error {
	payload := base64.StdEncoding.EncodeToString([]byte(strings.Repeat("\x10\x90", 80)))
	return f.send("media", map[string]any{"media": map[string]string{
		"track": "inbound", "chunk": fmt.Sprint(n + 1), "timestamp": fmt.Sprint(20 * n), "payload": payload}})
}

// stop ends the stream as the carrier does.
func (f *forger) stop(callSID string) error {
	return f.send("stop", map[string]any{"stop": map[string]string{"accountSid": "AC0", "callSid": callSID}})
}

// The attackers pause where they would otherwise only use up the processor, which they share with the bridge and with the
// carrier of the call that must survive: more work than the machine can do is no attack that a program can resist.

// together runs n attackers. Each is called again and again, with another number each time.
func together(n int, one func(ctx context.Context, w *world, number int) error) attack {
	return func(ctx context.Context, w *world) {
		var all sync.WaitGroup
		for i := range n {
			all.Go(func() {
				for number := i; ctx.Err() == nil; number += n {
					w.hits.Add(1)
					if one(ctx, w, number) != nil {
						rest(ctx, retry)
					}
				}
			})
		}
		all.Wait()
	}
}

// claim opens a second stream of the call that is up: it presses keys, sends noise, and ends the call.
func claim(ctx context.Context, w *world, number int) error {
	f, err := forge(ctx, w.bridge.mediaURL())
	if err != nil {
		return err
	}
	defer f.ws.Close()
	const callSID = "CA-during"
	streamSID := fmt.Sprintf("MZ-forged-%d", number)
	var params map[string]string
	switch number % 3 {
	case 0:
		streamSID = "MZ-during"
	case 1:
		params = map[string]string{"bridge_token": canary}
	}
	if err := f.start(callSID, streamSID, params); err != nil {
		return err
	}
	for n := range 10 {
		if err := f.press(fmt.Sprint(n)); err != nil {
			return err
		}
		if err := f.frame(n); err != nil {
			return err
		}
	}
	if number%2 == 0 {
		if err := f.stop(callSID); err != nil {
			return err
		}
	}
	rest(ctx, retry)
	return nil
}

// parameters returns as many bytes of parameters as a message may have.
func parameters(size int) map[string]string {
	const each = 1000
	params := make(map[string]string)
	for i := range size / each {
		params[fmt.Sprintf("p%02d", i)] = canary + strings.Repeat("x", each-len(canary))
	}
	return params
}

// press opens a stream of its own with 60 kB of parameters and presses keys as fast as it can.
func press(ctx context.Context, w *world, number int) error {
	f, err := forge(ctx, w.bridge.mediaURL())
	if err != nil {
		return err
	}
	defer f.ws.Close()
	if err := f.start(fmt.Sprintf("CA-flood-%d", number), fmt.Sprintf("MZ-flood-%d", number), parameters(60_000)); err != nil {
		return err
	}
	for n := 0; ctx.Err() == nil; n++ {
		if err := f.press(string("0123456789*#"[n%12])); err != nil {
			return err
		}
	}
	return nil
}

// comeAndGo opens streams with many parameters and ends them at once.
func comeAndGo(ctx context.Context, w *world, number int) error {
	f, err := forge(ctx, w.bridge.mediaURL())
	if err != nil {
		return err
	}
	defer f.ws.Close()
	callSID := fmt.Sprintf("CA-brief-%d", number)
	if err := f.start(callSID, fmt.Sprintf("MZ-brief-%d", number), parameters(15_000)); err != nil {
		return err
	}
	for n := range 5 {
		if err := f.frame(n); err != nil {
			return err
		}
	}
	defer rest(ctx, time.Second/2)
	return f.stop(callSID)
}

// babble opens a stream and sends messages that are none.
func babble(ctx context.Context, w *world, number int) error {
	f, err := forge(ctx, w.bridge.mediaURL())
	if err != nil {
		return err
	}
	defer f.ws.Close()
	if number%2 == 0 {
		if err := f.start(fmt.Sprintf("CA-babble-%d", number), fmt.Sprintf("MZ-babble-%d", number), map[string]string{"from": canary}); err != nil {
			return err
		}
	}
	for n := 0; n < 5000 && ctx.Err() == nil; n++ {
		text := []string{"{" + canary, `{"event":"` + canary + `"}`, `{"event":"media","media":{"payload":"` + canary + `"}}`, `{"event":"dtmf"}`, "[]"}[n%5]
		kind := websocket.TextMessage
		if n%7 == 0 {
			kind = websocket.BinaryMessage
		}
		if err := f.ws.WriteMessage(kind, []byte(text)); err != nil {
			return err
		}
		if n%20 == 0 {
			rest(ctx, 10*time.Millisecond)
		}
	}
	return nil
}

// knock asks for streams that are refused.
func knock(ctx context.Context, w *world, number int) error {
	paths := []string{"/media/twilio/" + canary, "/media/twilio?" + canary, "/media/" + canary, "/media/twilio"}
	f, err := forge(ctx, "ws://"+w.bridge.address+paths[number%len(paths)])
	if err == nil {
		_ = f.ws.Close()
	}
	rest(ctx, 10*time.Millisecond)
	return nil
}

// speak opens streams that want to be recognized.
func speak(ctx context.Context, w *world, number int) error {
	f, err := forge(ctx, w.bridge.mediaURL())
	if err != nil {
		return err
	}
	defer f.ws.Close()
	if err := f.start(fmt.Sprintf("CA-speak-%d", number), fmt.Sprintf("MZ-speak-%d", number), map[string]string{"note": canary}); err != nil {
		return err
	}
	for n := 0; n < 250 && ctx.Err() == nil; n++ {
		if err := f.frame(n); err != nil {
			return err
		}
		rest(ctx, 20*time.Millisecond)
	}
	return nil
}
