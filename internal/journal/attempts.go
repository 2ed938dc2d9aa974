package journal

import (
	"context"
	"database/sql"
	"time"
)

const (
	// keptAnswer bounds the stored part of an answer, in bytes.
	keptAnswer = 2 << 10
	// keptError bounds an error's stored text, in bytes.
	keptError = 500
	// attemptsLimit bounds the attempts that wait to be written: a few seconds of a busy server.
	attemptsLimit = 4096
)

// An Attempt is one request that was made for an event.
type Attempt struct {
	EventID    string
	Endpoint   string
	Number     int
	Live       bool   // the call was up
	Redelivery string // the redelivery it belongs to, or empty
	Started    time.Time
	Latency    time.Duration // to the end of the answer; stored in microseconds
	Status     int           // 0 without an answer
	Class      string        // kind of failure
	Error      string        // at most 500 bytes are stored
	Remote     string        // address of the connection
	Answer     []byte        // at most 2 KiB are stored
}

// An attemptOp is an attempt to be written.
type attemptOp Attempt

func (a *attemptOp) apply(w *writer) error {
	_, err := w.insertTry.ExecContext(w.ctx, a.EventID, a.Endpoint, a.Number, a.Live, a.Redelivery, a.Started.UnixNano(), a.Latency.Microseconds(),
		a.Status, a.Class, a.Error, a.Remote, a.Answer)
	return err
}

func (a *attemptOp) done(w *writer, err error) {
	w.store.mu.Lock()
	defer w.store.mu.Unlock()
	w.store.attempts--
	if err != nil {
		w.store.stats.AttemptsLost++
	}
}

// Log stores an attempt. It does not block: if too many attempts are queued, or the write to the disk fails, the
// attempt is lost and counted.
func (s *Store) Log(a Attempt) {
	a.Answer = append([]byte{}, a.Answer[:min(len(a.Answer), keptAnswer)]...)
	a.Error = a.Error[:min(len(a.Error), keptError)]
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || s.attempts >= attemptsLimit {
		s.stats.AttemptsLost++
		return
	}
	s.attempts++
	o := attemptOp(a)
	s.deferOp(&o)
}

// Attempts returns the logged attempts of an event, oldest first.
func (s *Store) Attempts(ctx context.Context, eventID string) ([]Attempt, error) {
	scan := func(rows *sql.Rows) (a Attempt, err error) {
		var started, latency int64
		err = rows.Scan(&a.EventID, &a.Endpoint, &a.Number, &a.Live, &a.Redelivery, &started, &latency, &a.Status, &a.Class, &a.Error, &a.Remote, &a.Answer)
		a.Started, a.Latency = time.Unix(0, started), time.Duration(latency)*time.Microsecond
		return a, err
	}
	return collect(ctx, s, scan, `SELECT event, endpoint, number, live, redelivery, started, latency_us, status, class, error, remote, answer
		FROM attempts WHERE event = ? ORDER BY key`, eventID)
}
