package journal

import (
	"fmt"
	"path/filepath"
	"time"
)

// StoreStats tells what a Store holds and what it has done since it was opened.
type StoreStats struct {
	Last    int64 // position of the newest record
	Waiting int64 // deliveries not settled

	Appended int64 // events taken
	Repeated int64 // appends of an event taken before
	Settled  int64 // deliveries settled for the first time

	Commits      int64         // transactions, of one sync each
	CommitTime   time.Duration // all of them together
	Failures     int64         // transactions that the disk did not take
	Deferred     int           // settled states and attempts that wait for a commit
	AttemptsLost int64         // attempts not logged, because too many waited

	DeletedCalls int64 // by age, size or request
	Abandoned    int64 // deliveries that still waited when their call was too old to keep

	ClockDoubted bool // the clock jumped ahead: nothing is deleted by age until it is believed again

	Salvage *Salvage // what Open had to repair; nil if it found the journal whole
}

// Stats returns the counters. It is cheap.
func (s *Store) Stats() StoreStats {
	s.mu.Lock()
	defer s.mu.Unlock()
	stats := s.stats
	stats.Last, stats.Deferred = s.last, len(s.later)
	return stats
}

// Health is nil if all is well. Otherwise it wraps ErrDisk if the last transaction failed, in which case events wait in their
// calls, or if the file system became read-only; ErrDeleted if a file was deleted or replaced; ErrDamaged if damage was seen that the
// next Open repairs; or ErrRepaired if this one did: that stays, so that somebody sees it.
func (s *Store) Health() error {
	missing, readOnly := s.missing(), s.options.readOnly(filepath.Dir(s.options.Path))
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.trouble != nil:
		return s.trouble
	case missing != "":
		return fmt.Errorf("%w: %s", ErrDeleted, missing)
	case readOnly:
		return fmt.Errorf("%w: the file system of %s is read-only", ErrDisk, filepath.Dir(s.options.Path))
	case s.marked:
		return fmt.Errorf("%w: start again, and it is repaired", ErrDamaged)
	case s.stats.Salvage != nil:
		return fmt.Errorf("%w: %s", ErrRepaired, s.stats.Salvage)
	}
	return nil
}

// shoutEvery keeps a full disk from filling the log, which may be on it.
const shoutEvery = 10 * time.Second

// committed counts a transaction, and says so loudly if it failed.
func (s *Store) committed(ops int, took time.Duration, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	before := s.trouble
	s.trouble = err
	if err == nil {
		s.stats.Commits++
		s.stats.CommitTime += took
		if before != nil {
			s.logger.Info("journal takes events again")
		}
		return
	}
	s.stats.Failures++
	if now := time.Now(); now.Sub(s.shouted) >= shoutEvery {
		s.shouted = now
		s.logger.Error("journal cannot write: events wait", "waiting", ops, "error", err)
	}
}
