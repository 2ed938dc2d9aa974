package sandbox

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"hash"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Limits of what is remembered: a server may run for days.
const (
	keptConnections = 1000
	keptMessages    = 20000    // of each connection
	keptControls    = 5000     // of each connection
	keptText        = 64 << 20 // bytes of messages of all connections; beyond it the oldest ones' are forgotten
)

// A Connection is what the server remembers of one request, refused ones included. It is a copy: it does not
// change any more.
type Connection struct {
	Number    int         // of the handshake, counted from 0
	RequestID string      // as in Metadata
	Transport string      // "websocket" or "post"
	Status    int         // of the HTTP answer, 101 for an accepted stream
	Header    http.Header // of the request, the key replaced by its hash
	KeyHash   string      // "sha256:…"; equal keys have equal hashes
	Params    Params      // Key is empty here
	Query     string      // the parameters as they came
	Open      bool        // the stream has not ended
	Fault     Fault       // that its handshake was dealt

	Controls    []Control     // control messages in order
	Bytes       int64         // of audio received and taken up
	Frames      int           // binary frames that held them
	EmptyFrames int           // binary frames without bytes
	OddFrames   int           // binary frames with an odd number of bytes, of 16-bit samples
	BadTexts    int           // text frames that are no known message
	Audio       time.Duration // heard so far
	SampleRate  int           // of the samples heard, Hz; 0 before the first
	SHA256      string        // of the bytes received, hexadecimal
	PCM         []int16       // the samples heard, mono, where Options.KeepAudio is set

	Sent        []Sent // messages in order; the first 20000, none if later connections needed the room
	CloseCode   int    // the code the stream ended with; 1006 without a close frame
	CloseReason string
	ClosedBy    string // "client" or "server"
	Err         string // why the server ended the stream, if something went wrong
}

// A Control is a text frame of the client, or an empty binary frame, at the audio time it came.
type Control struct {
	Type string        // KeepAlive, Finalize, CloseStream, "empty" or "bad"
	At   time.Duration // audio heard before it
}

// A Sent is a message of the server, at the audio time it became due.
type Sent struct {
	At   time.Duration
	JSON string
}

// record is a Connection while it changes.
type record struct {
	log *log

	conn Connection // guarded by log.mu
	sum  hash.Hash  // guarded by log.mu
	gone bool       // no longer in the log; guarded by log.mu
}

// A log remembers connections.
type log struct {
	mu      sync.Mutex // guards the rest, and all records
	count   int
	records []*record
	text    int           // bytes of all messages kept
	changed chan struct{} // closed and replaced at each change
}

func newLog() *log { return &log{changed: make(chan struct{})} }

// add begins a record and gives it its number.
func (l *log) add(c Connection) *record {
	l.mu.Lock()
	defer l.mu.Unlock()
	c.Number = l.count
	l.count++
	r := &record{log: l, conn: c, sum: sha256.New()}
	if len(l.records) >= keptConnections {
		l.forget(l.records[0])
		l.records[0].gone = true
		l.records = slices.Delete(l.records, 0, 1)
	}
	l.records = append(l.records, r)
	l.notify()
	return r
}

// forget drops the messages of a connection.
func (l *log) forget(r *record) {
	for _, m := range r.conn.Sent {
		l.text -= len(m.JSON)
	}
	r.conn.Sent = nil
}

// sent notes a message of the server.
func (r *record) sent(at time.Duration, message string) {
	r.update(func(c *Connection) {
		if len(c.Sent) >= keptMessages || r.gone {
			return
		}
		c.Sent = append(c.Sent, Sent{At: at, JSON: message})
		r.log.text += len(message)
		for i := 0; r.log.text > keptText && r.log.records[i] != r; i++ {
			r.log.forget(r.log.records[i])
		}
	})
}

func (l *log) notify() {
	close(l.changed)
	l.changed = make(chan struct{})
}

// update changes a record.
func (r *record) update(change func(c *Connection)) {
	r.log.mu.Lock()
	defer r.log.mu.Unlock()
	change(&r.conn)
	r.log.notify()
}

// received notes a binary frame.
func (r *record) received(b []byte) {
	r.update(func(c *Connection) {
		c.Bytes += int64(len(b))
		c.Frames++
		r.sum.Write(b)
	})
}

// digest is the hash of the bytes so far.
func (r *record) digest() string {
	r.log.mu.Lock()
	defer r.log.mu.Unlock()
	return hex.EncodeToString(r.sum.Sum(nil))
}

func (r *record) copy() Connection {
	c := r.conn
	c.Header = c.Header.Clone()
	c.Params.Key = ""
	c.SHA256 = hex.EncodeToString(r.sum.Sum(nil))
	c.Controls = slices.Clone(c.Controls)
	c.Sent = slices.Clone(c.Sent)
	c.PCM = slices.Clone(c.PCM)
	return c
}

// Connections returns what the server remembers, oldest first: the last thousand requests. It may be called
// at any time.
func (h *Handler) Connections() []Connection {
	all, _ := h.log.snapshot()
	return all
}

func (l *log) snapshot() ([]Connection, <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	all := make([]Connection, len(l.records))
	for i, r := range l.records {
		all[i] = r.copy()
	}
	return all, l.changed
}

// WaitFor waits until what the server remembers satisfies the condition, so that tests need no sleeps. It
// returns the context's error if that ends first.
func (h *Handler) WaitFor(ctx context.Context, condition func([]Connection) bool) error {
	for {
		all, changed := h.log.snapshot()
		if condition(all) {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// inspect answers GET /inspect with {"connections":[…]}. Audio is represented by length and hash only.
func (h *Handler) inspect(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	var b strings.Builder
	b.WriteString(`{"source":` + quote(h.opts.Source.Name()) + `,"simulated":` + strconv.FormatBool(h.opts.Source.Simulated()) +
		`,"profile":` + quote(string(h.opts.Profile)) + `,"connections":[`)
	for i, c := range h.Connections() {
		if i > 0 {
			b.WriteByte(',')
		}
		c.write(&b)
	}
	b.WriteString(`]}`)
	_, _ = w.Write([]byte(b.String())) // a reader that went away needs no answer
}

// write adds the connection as JSON. Times are in seconds, as in the messages.
func (c *Connection) write(b *strings.Builder) {
	b.WriteString(`{"number":` + strconv.Itoa(c.Number) + `,"request_id":` + quote(c.RequestID) +
		`,"transport":` + quote(c.Transport) + `,"status":` + strconv.Itoa(c.Status) +
		`,"open":` + strconv.FormatBool(c.Open) + `,"path":` + quote(c.Params.Path) + `,"query":` + quote(c.Query) + `,"fault":` + quote(c.Fault.String()) +
		`,"key":` + quote(c.KeyHash) + `,"header":`)
	writeHeader(b, c.Header)
	b.WriteString(`,"encoding":` + quote(c.Params.Encoding) + `,"sample_rate":` + strconv.Itoa(c.SampleRate) +
		`,"bytes":` + strconv.FormatInt(c.Bytes, 10) + `,"frames":` + strconv.Itoa(c.Frames) +
		`,"empty_frames":` + strconv.Itoa(c.EmptyFrames) + `,"odd_frames":` + strconv.Itoa(c.OddFrames) +
		`,"bad_texts":` + strconv.Itoa(c.BadTexts) + `,"audio":` + seconds(c.Audio) +
		`,"sha256":` + quote(c.SHA256) + `,"controls":[`)
	for i, m := range c.Controls {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(`{"type":` + quote(m.Type) + `,"at":` + seconds(m.At) + `}`)
	}
	b.WriteString(`],"sent":[`)
	for i, m := range c.Sent {
		if i > 0 {
			b.WriteByte(',')
		}
		text := m.JSON
		if !json.Valid([]byte(text)) { // a fault
			text = quote(text)
		}
		b.WriteString(`{"at":` + seconds(m.At) + `,"message":` + text + `}`)
	}
	b.WriteString(`],"close_code":` + strconv.Itoa(c.CloseCode) + `,"close_reason":` + quote(c.CloseReason) +
		`,"closed_by":` + quote(c.ClosedBy) + `,"error":` + quote(c.Err) + `}`)
}

func writeHeader(b *strings.Builder, h http.Header) {
	names := make([]string, 0, len(h))
	for name := range h {
		names = append(names, name)
	}
	slices.Sort(names)
	b.WriteByte('{')
	for i, name := range names {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(quote(name) + `:` + quote(strings.Join(h[name], ", ")))
	}
	b.WriteByte('}')
}
