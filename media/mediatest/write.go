package mediatest

import (
	"encoding/base64"
	"encoding/json"
	"strconv"
	"time"

	"github.com/gorilla/websocket"
)

// A writer writes the carrier's messages as Twilio does: numbers in strings, one sequence for all.
type writer struct {
	conn      *websocket.Conn
	streamSID string
	accountID string
	callSID   string
	sequence  int
	chunks    [2]int
	buf       []byte
}

// open sends connected and start.
func (w *writer) open(c *Call, callSID string, tracks []Track) error {
	w.callSID, w.accountID = callSID, orNew(c.AccountSID, "AC")
	if err := w.send([]byte(`{"event":"connected","protocol":"Call","version":"1.0.0"}`)); err != nil {
		return err
	}
	params := map[string]string{}
	for name, value := range c.Params {
		params[name] = value
	}
	if c.From != "" {
		params["from"] = c.From
	}
	if c.To != "" {
		params["to"] = c.To
	}
	start, err := json.Marshal(map[string]any{
		"event": "start", "sequenceNumber": w.next(), "streamSid": w.streamSID,
		"start": map[string]any{
			"accountSid": w.accountID, "streamSid": w.streamSID, "callSid": callSID, "tracks": tracks,
			"mediaFormat":      map[string]any{"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
			"customParameters": params,
		},
	})
	if err != nil {
		return err
	}
	return w.send(start)
}

// media sends one frame.
func (w *writer) media(it item, clock time.Duration) error {
	b := append(w.buf[:0], `{"event":"media","sequenceNumber":"`...)
	b = append(b, w.next()...)
	b = append(b, `","media":{"track":"`...)
	b = append(b, it.track...)
	b = append(b, `","chunk":"`...)
	b = strconv.AppendInt(b, int64(w.chunk(it.track)), 10)
	b = append(b, `","timestamp":"`...)
	b = strconv.AppendInt(b, (clock + it.offset).Milliseconds(), 10)
	b = append(b, `","payload":"`...)
	payload := it.payload
	if it.silence > 0 {
		payload = append(make([]byte, 0, len(payload)+it.silence), payload...)
		for range it.silence {
			payload = append(payload, 0xFF)
		}
	}
	b = base64.StdEncoding.AppendEncode(b, payload)
	b = append(b, `"},"streamSid":"`...)
	b = append(b, w.streamSID...)
	b = append(b, `"}`...)
	w.buf = b
	return w.send(b)
}

func (w *writer) dtmf(digit string) error {
	return w.event("dtmf", map[string]string{"track": "inbound_track", "digit": digit})
}

func (w *writer) mark(name string) error {
	return w.event("mark", map[string]string{"name": name})
}

func (w *writer) stop() error {
	return w.event("stop", map[string]string{"accountSid": w.accountID, "callSid": w.callSID})
}

// event sends a message with one object named after its event.
func (w *writer) event(event string, body map[string]string) error {
	b, err := json.Marshal(map[string]any{
		"event": event, "streamSid": w.streamSID, "sequenceNumber": w.next(), event: body,
	})
	if err != nil {
		return err
	}
	return w.send(b)
}

func (w *writer) send(b []byte) error {
	if err := w.conn.SetWriteDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	return w.conn.WriteMessage(websocket.TextMessage, b)
}

// next is the next sequence number.
func (w *writer) next() string {
	w.sequence++
	return strconv.Itoa(w.sequence)
}

// chunk counts a frame of a track, sent or lost.
func (w *writer) chunk(t Track) int {
	i := 0
	if t == Outbound {
		i = 1
	}
	w.chunks[i]++
	return w.chunks[i]
}
