package mediatest

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"time"

	"github.com/gorilla/websocket"
)

// maxClears is how many clears have their times kept.
const maxClears = 10_000

// read reads what the server sends until the connection ends.
func (l *line) read() {
	defer close(l.gone)
	for {
		kind, b, err := l.conn.ReadMessage()
		if err != nil {
			l.closed(err)
			return
		}
		msg, ok := parse(kind, b)
		msg.At = time.Now()
		l.heed(msg, ok)
		select {
		case l.kick <- struct{}{}:
		default:
		}
		if ok && l.c.Received != nil {
			l.c.Received(msg)
		}
	}
}

// closed records how the server ended the stream.
func (l *line) closed(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var frame *websocket.CloseError
	if errors.As(err, &frame) && frame.Code != websocket.CloseAbnormalClosure {
		l.heard.CloseCode, l.heard.CloseReason = frame.Code, frame.Text
	}
}

// heed executes a message of the server.
func (l *line) heed(msg Message, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !ok || msg.StreamSID != l.res.StreamSID {
		l.heard.Unreadable++
		return
	}
	switch msg.Event {
	case "media":
		l.heard.MediaMessages++
		l.heard.MediaBytes += len(msg.Media)
		l.playback.play(msg.Media, msg.At)
	case "mark":
		l.heard.Marks++
		l.playback.mark(msg.Mark, msg.At)
	case "clear":
		if l.heard.Clears++; l.heard.Clears <= maxClears {
			l.heard.ClearedAt = append(l.heard.ClearedAt, msg.At)
		}
		l.playback.clear(msg.At)
	}
}

// parse reads a message of the server, as strictly as Twilio says it does.
func parse(kind int, b []byte) (Message, bool) {
	var m struct {
		Event     string `json:"event"`
		StreamSID string `json:"streamSid"`
		Media     struct {
			Payload string `json:"payload"`
		} `json:"media"`
		Mark struct {
			Name string `json:"name"`
		} `json:"mark"`
	}
	if kind != websocket.TextMessage || json.Unmarshal(b, &m) != nil {
		return Message{}, false
	}
	msg := Message{Event: m.Event, StreamSID: m.StreamSID, Mark: m.Mark.Name}
	switch m.Event {
	case "media":
		media, err := base64.StdEncoding.DecodeString(m.Media.Payload)
		msg.Media = media
		return msg, err == nil && len(media) > 0
	case "mark":
		return msg, m.Mark.Name != ""
	case "clear":
		return msg, true
	}
	return msg, false
}
