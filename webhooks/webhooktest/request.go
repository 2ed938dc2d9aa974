package webhooktest

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strconv"
	"time"
	"unicode/utf8"
)

// A Request is one webhook request and its evaluation. Its slices and header must not be modified.
type Request struct {
	Number int       // counts arrivals from 1
	Time   time.Time // of arrival
	Method string
	Path   string
	Header http.Header
	Body   []byte // the raw bytes, at most 2 MiB

	ID       string // webhook-id
	Type     string // type
	CallID   string // data.call.id
	Sequence int64  // data.sequence
	Attempt  int    // bridge-attempt

	// Verified is set if a signature is valid and the timestamp within 5 minutes of the local time. It is never set
	// if the endpoint has no secret.
	Verified bool
	// Problems describe what is wrong with the request, including an invalid signature.
	Problems []string

	// Done is set when the answer was given or refused; Status is what was answered, 0 for none.
	Done   bool
	Status int

	judged bool // the judge has counted it
}

// read parses the header and the body.
func (r *Request) read() {
	r.ID = r.Header.Get("webhook-id")
	if r.Method != http.MethodPost {
		r.problem("method is " + r.Method)
	}
	if got := r.Header.Get("content-type"); got != "application/json" {
		r.problem("content-type is " + strconv.Quote(got))
	}
	if r.ID == "" {
		r.problem("no webhook-id")
	}
	if r.Header.Get("idempotency-key") != r.ID {
		r.problem("idempotency-key is not the webhook-id")
	}
	attempt, err := strconv.Atoi(r.Header.Get("bridge-attempt"))
	if err != nil || attempt < 1 {
		r.problem("bridge-attempt is not a positive number")
	}
	r.Attempt = attempt
	r.readBody()
}

// readBody parses the envelope: type, timestamp, data with call and sequence.
func (r *Request) readBody() {
	if !utf8.Valid(r.Body) || bytes.HasPrefix(r.Body, []byte("\ufeff")) {
		r.problem("body is not UTF-8 without byte order mark")
	}
	var envelope struct {
		Type      string    `json:"type"`
		Timestamp time.Time `json:"timestamp"`
		Data      struct {
			Call struct {
				ID string `json:"id"`
			} `json:"call"`
			Sequence int64 `json:"sequence"`
		} `json:"data"`
	}
	if err := json.Unmarshal(r.Body, &envelope); err != nil {
		r.problem("body is not the JSON of an event: " + err.Error())
		return
	}
	r.Type, r.CallID, r.Sequence = envelope.Type, envelope.Data.Call.ID, envelope.Data.Sequence
	if r.Type == "" || envelope.Timestamp.IsZero() || r.CallID == "" || r.Sequence < 1 {
		r.problem("body lacks type, timestamp, data.call.id or data.sequence")
	}
}

func (r *Request) problem(text string) { r.Problems = append(r.Problems, text) }
