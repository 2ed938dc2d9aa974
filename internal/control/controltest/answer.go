package controltest

import (
	"io"
	"maps"
	"net/http"
	"strconv"
)

// answer sends the response that f describes.
func (t *Twilio) answer(w http.ResponseWriter, r *http.Request, kept *Request, f Fault) {
	switch f.Break {
	case Silent:
		t.stand(r)
		panic(http.ErrAbortHandler)
	case Cut:
		panic(http.ErrAbortHandler)
	}
	body := f.Body
	if body == "" {
		body = f.refusal()
	}
	status := f.Status
	if status == 0 {
		status = http.StatusOK
	}
	t.mu.Lock()
	kept.Status = status
	t.mu.Unlock()
	maps.Copy(w.Header(), f.Header)
	if w.Header().Get("Content-Type") == "" {
		w.Header().Set("Content-Type", "application/json")
	}
	if status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", `Basic realm="Twilio API"`)
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	if f.Break == 0 {
		_, _ = io.WriteString(w, body) // the client may have disconnected
		return
	}
	_, _ = io.WriteString(w, body[:len(body)/2])
	_ = http.NewResponseController(w).Flush()
	if f.Break == SlowBody {
		t.stand(r)
	}
	panic(http.ErrAbortHandler)
}

// stand blocks until the client disconnects or the server closes.
func (t *Twilio) stand(r *http.Request) {
	select {
	case <-r.Context().Done():
	case <-t.closed:
	}
}
