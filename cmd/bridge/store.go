package main

import (
	"errors"
	"fmt"
	"path/filepath"

	"aldeabridge/events"
	"aldeabridge/internal/call"
	"aldeabridge/internal/journal"
	"aldeabridge/webhooks"
)

// journalLimit is how many events may wait for the webhook in memory, if their bytes do not reach the
// journal's own bound first.
const journalLimit = 200_000

// store is a journal, in a file or in memory.
type store interface {
	call.Journal
	webhooks.Journal
	Close() error
}

// openJournal opens the journal for these endpoints.
func (s *server) openJournal(endpoints []webhooks.Endpoint) error {
	names := make([]string, len(endpoints))
	for i, e := range endpoints {
		names[i] = e.Name
	}
	if s.options.Journal.inMemory {
		memory := journal.NewMemory(journalLimit, names...)
		memory.Route = s.router.webhooks
		s.store = memory
		return nil
	}
	dir, err := s.options.dataDir()
	if err != nil {
		return err
	}
	file := filepath.Join(dir, "journal.db")
	opened, err := journal.Open(journal.Options{
		Path:      file,
		Endpoints: names,
		Route:     s.router.webhooks,
		MaxAge:    s.options.Journal.MaxAge,
		MaxBytes:  s.options.Journal.MaxBytes,
		Logger:    s.logger,
	})
	if err != nil {
		return fmt.Errorf("BRIDGE_DATA_DIR is %s: %w: %s", dir, err, remedy(err))
	}
	s.store = opened
	stats := opened.Stats()
	s.logger.Info("journal open", "file", file, "events", stats.Last, "waiting", stats.Waiting)
	return nil
}

// remedy says what to do about a journal that does not open.
func remedy(err error) string {
	switch {
	case errors.Is(err, journal.ErrInUse):
		return "stop the other bridge, or give this one a directory of its own"
	case errors.Is(err, journal.ErrForeign):
		return "move the file away, or name another directory"
	case errors.Is(err, journal.ErrNewer):
		return "run the newer bridge again, or name another directory"
	case errors.Is(err, journal.ErrDisk):
		return "make the directory writable for the user that bridge runs as, make room on its disk, or name another directory"
	}
	return "name another directory to go on without what is in this one"
}

// observe returns the function that receives each delivery attempt: for the metrics, the journal's log and the hook.
func (s *server) observe(hook func(webhooks.Attempt)) func(webhooks.Attempt) {
	log, kept := s.store.(*journal.Store)
	return func(a webhooks.Attempt) {
		s.metrics.delivered(a)
		if hook != nil {
			hook(a)
		}
		if !kept {
			return
		}
		entry := journal.Attempt{
			EventID: a.EventID, Endpoint: a.Endpoint, Number: a.Number, Live: a.Live,
			Started: a.Start, Latency: a.Latency, Status: a.Status, Class: string(a.Class), Answer: a.Answer,
			Redelivery: a.Redelivery, Remote: a.Remote,
		}
		if a.Err != nil {
			entry.Error = a.Err.Error()
		}
		log.Log(entry)
	}
}

// observeEvents returns the function that receives each event of a call.
func (s *server) observeEvents(hook func(events.Event)) func(events.Event) {
	return func(e events.Event) {
		s.metrics.event(e)
		s.publish(e)
		if hook != nil {
			hook(e)
		}
	}
}

func (s *server) closeJournal() {
	if s.store == nil {
		return
	}
	if err := s.store.Close(); err != nil {
		s.logger.Error("journal did not close cleanly", "err", err)
	}
}
