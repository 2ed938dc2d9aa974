package journal

import (
	"fmt"
	"path/filepath"
	"time"
)

// StoreStats are the counters of a Store since it was opened.
type StoreStats struct {
	Last    int64 // position of the newest record
	Waiting int64 // unsettled deliveries

	Appended int64 // events stored
	Repeated int64 // appends of an event that was stored before
	Settled  int64 // deliveries settled for the first time

	Commits      int64         // transactions; each syncs once
	CommitTime   time.Duration // their total duration
	Failures     int64         // transactions that failed
	Deferred     int           // settled states and attempts that wait for a commit
	AttemptsLost int64         // attempts not stored, because too many waited

	DeletedCalls int64 // by age, size or request
	Abandoned    int64 // deliveries deleted with their calls by age while they waited

	ClockDoubted bool // the clock jumped ahead: deletion by age is suspended

	Salvage *Salvage // report of a repair by Open; nil without one
}

// Stats returns the counters. It does not read from the database.
func (s *Store) Stats() StoreStats {
	s.mu.Lock()
	defer s.mu.Unlock()
	stats := s.stats
	stats.Last, stats.Deferred = s.last, len(s.deferred)
	return stats
}

// Health returns nil if the journal works. Otherwise the error wraps ErrDisk if the last transaction failed (events
// wait in their calls) or the file system is read-only; ErrDeleted if a file was deleted or replaced; ErrDamaged if
// damage was detected that the next Open repairs; or ErrRepaired if Open repaired the journal, which stays until the
// next Open.
func (s *Store) Health() error {
	missing, readOnly := s.missing(), s.options.readOnly(filepath.Dir(s.options.Path))
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.writeError != nil:
		return s.writeError
	case missing != "":
		return fmt.Errorf("%w: %s", ErrDeleted, missing)
	case readOnly:
		return fmt.Errorf("%w: the file system of %s is read-only", ErrDisk, filepath.Dir(s.options.Path))
	case s.damaged:
		return fmt.Errorf("%w: restart bridge to repair it", ErrDamaged)
	case s.stats.Salvage != nil:
		return fmt.Errorf("%w: %s", ErrRepaired, s.stats.Salvage)
	}
	return nil
}

// warnInterval is the minimum time between two log lines about failed writes: the log may be on the same full disk.
const warnInterval = 10 * time.Second

// committed counts a transaction, and logs an error if it failed.
func (s *Store) committed(ops int, took time.Duration, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	before := s.writeError
	s.writeError = err
	if err == nil {
		s.stats.Commits++
		s.stats.CommitTime += took
		if before != nil {
			s.logger.Info("journal can write again")
		}
		return
	}
	s.stats.Failures++
	if now := time.Now(); now.Sub(s.lastWarning) >= warnInterval {
		s.lastWarning = now
		s.logger.Error("journal cannot write: events wait", "waiting", ops, "error", err)
	}
}
