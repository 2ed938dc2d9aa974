package mediatest

import (
	"context"
	"time"

	"github.com/gorilla/websocket"
)

// hangUp ends the stream as Call.HangUp says, unless the server has ended it already. After a failure it cuts the
// connection.
func (l *line) hangUp(ctx context.Context, failed error) {
	if l.res.ByServer {
		l.awaitEnd()
		return
	}
	way := l.c.HangUp
	if failed != nil && way == Silent {
		way = Cut
	}
	switch way {
	case Stop:
		_ = l.w.stop()
		l.close()
	case Close:
		l.close()
	case Cut:
		_ = l.conn.NetConn().Close()
	case Silent:
		select {
		case <-l.gone:
		case <-ctx.Done():
		}
	}
}

// close sends the close frame and waits for the server's.
func (l *line) close() {
	frame := websocket.FormatCloseMessage(websocket.CloseNormalClosure, "")
	_ = l.conn.WriteControl(websocket.CloseMessage, frame, time.Now().Add(patience))
	l.awaitEnd()
}

// awaitEnd waits until the server has closed the connection.
func (l *line) awaitEnd() {
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-l.gone:
	case <-timer.C:
	}
}

// finish merges both parts of the result. No goroutine uses the line any more.
func (l *line) finish() Result {
	r := l.res
	h := l.heard
	r.MediaMessages, r.MediaBytes, r.Marks = h.MediaMessages, h.MediaBytes, h.Marks
	r.Clears, r.ClearedAt, r.Unreadable = h.Clears, h.ClearedAt, h.Unreadable
	r.Heard = l.playback.end(r.HungUp)
	r.CloseCode, r.CloseReason = h.CloseCode, h.CloseReason
	return r
}
