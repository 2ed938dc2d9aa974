package journal

import (
	"context"
	"database/sql"
	"time"
)

const (
	// keptAnswer bounds the part of an answer that is kept.
	keptAnswer = 2 << 10
	// keptError bounds an error's text.
	keptError = 500
	// attemptsLimit bounds the attempts that wait to be written: some seconds of a busy server.
	attemptsLimit = 4096
)

// An Attempt is one request that was made for an event, as people want to see it later.
type Attempt struct {
	EventID    string
	Endpoint   string
	Number     int
	Live       bool   // the call was up
	Redelivery string // the redelivery it belongs to, or empty
	Started    time.Time
	Latency    time.Duration // to the end of the answer, kept to the microsecond
	Status     int           // 0 without an answer
	Class      string        // what kind of failure
	Error      string        // at most 500 bytes are kept
	Remote     string        // the address
	Answer     []byte        // at most 2 KiB are kept
}

// attemptOp is an attempt on its way in.
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

// Log keeps an attempt. It never waits: with too many before it, or a disk that takes nothing, the attempt is lost and
// counted.
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
	s.defers(&o)
}

// Attempts returns what was logged about an event, oldest first.
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
