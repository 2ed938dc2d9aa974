package journal

import (
	"context"
	"errors"
	"time"
)

const (
	// sweepEvery is the time between checks for old calls. The first check comes after this time too, so that a
	// machine whose clock is wrong at boot can set it.
	sweepEvery = time.Minute
	// sweepCalls bounds the calls deleted in one transaction, because appends wait for it.
	sweepCalls = 4
	// sweepPages bounds the free pages returned to the file system in one transaction.
	sweepPages = 256
)

// runRetention deletes old calls and enforces MaxBytes until the store is closed.
func (s *Store) runRetention() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	s.work.Go(func() { // cancels a sweep when the store is closed
		select {
		case <-s.quit:
			cancel()
		case <-ctx.Done():
		}
	})
	last := time.Now()
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-s.quit:
			return
		}
		now := time.Now()
		err := s.checkClock(now, now.Sub(last))
		last = now
		if err = errors.Join(err, s.sweep(ctx, now)); err != nil && ctx.Err() == nil && !errors.Is(err, ErrClosed) {
			s.logger.Error("journal cleanup failed", "error", err)
		}
	}
}

// checkClock updates the clock monitor. If the clock is trusted, damaged journals older than MaxAge are removed.
func (s *Store) checkClock(wall time.Time, passed time.Duration) error {
	if s.clock.maxAge <= 0 {
		return nil
	}
	if jump := s.clock.check(wall, passed); jump > 0 {
		s.logger.Warn("clock jumped ahead, or no event for a long time: deletion by age is suspended", "jump", jump, "time", wall, "for", s.clock.doubt)
	}
	doubted := s.clock.doubt > 0
	s.mu.Lock()
	s.stats.ClockDoubted = doubted
	s.mu.Unlock()
	if doubted {
		return nil
	}
	return removeAside(s.options.Path, wall.Add(-s.clock.maxAge))
}

// sweep deletes calls that are too old at now, and the oldest ones while the journal is larger than MaxBytes.
func (s *Store) sweep(ctx context.Context, now time.Time) error {
	if err := s.flush(ctx); err != nil {
		return err
	}
	var total deletion
	if s.options.MaxAge > 0 && s.clock.doubt == 0 {
		cutoff := now.Add(-s.options.MaxAge).UnixNano()
		for {
			f, err := s.sweepOnce(ctx, `SELECT key, id FROM calls WHERE started < ?1 AND streams = 0 ORDER BY started LIMIT ?2`, cutoff, sweepCalls)
			if err != nil {
				return err
			}
			if f.calls == 0 {
				break
			}
			total.calls += f.calls
			total.waiting += f.waiting
		}
	}
	for s.options.MaxBytes > 0 {
		used, err := s.Size(ctx)
		if err != nil {
			return err
		}
		if used <= s.options.MaxBytes {
			break
		}
		f, err := s.sweepOnce(ctx, `SELECT key, id FROM calls c WHERE streams = 0 AND NOT EXISTS (
			SELECT 1 FROM events e JOIN deliveries d ON d.position = e.position WHERE e.call = c.key AND d.state = 'waiting')
			ORDER BY started LIMIT ?1`, sweepCalls)
		if err != nil {
			return err
		}
		if f.calls == 0 {
			s.logger.Error("journal exceeds its size limit: all remaining calls are up or have waiting deliveries", "bytes", used, "max_bytes", s.options.MaxBytes)
			break
		}
		total.calls += f.calls
	}
	if total.calls == 0 {
		return nil
	}
	s.logger.Info("journal deleted old calls", "calls", total.calls)
	if total.waiting > 0 {
		s.mu.Lock()
		s.stats.Abandoned += total.waiting
		s.mu.Unlock()
		s.logger.Error("journal deleted events that were not delivered", "deliveries", total.waiting)
	}
	return s.releasePages(ctx)
}

// sweepOnce deletes the calls that a query selects.
func (s *Store) sweepOnce(ctx context.Context, query string, args ...any) (f deletion, err error) {
	err = s.change(ctx, func(w *writer) error {
		f = deletion{}
		rows, err := w.conn.QueryContext(w.ctx, query, args...)
		if err != nil {
			return err
		}
		found := map[int64]string{}
		for rows.Next() {
			var key int64
			var id string
			if err := rows.Scan(&key, &id); err != nil {
				return errors.Join(err, rows.Close())
			}
			found[key] = id
		}
		if err := errors.Join(rows.Err(), rows.Close()); err != nil {
			return err
		}
		for key, id := range found {
			if err := f.call(w, key, id); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil {
		s.applyDeletion(f)
	}
	return f, err
}

// releasePages returns free pages to the file system, a few in each transaction.
func (s *Store) releasePages(ctx context.Context) error {
	for {
		var left int
		err := s.change(ctx, func(w *writer) error {
			rows, err := w.conn.QueryContext(w.ctx, `PRAGMA incremental_vacuum(256)`)
			if err != nil {
				return err
			}
			for rows.Next() { // each row is a page
			}
			if err := errors.Join(rows.Err(), rows.Close()); err != nil {
				return err
			}
			return w.conn.QueryRowContext(w.ctx, `PRAGMA freelist_count`).Scan(&left)
		})
		if err != nil || left < sweepPages {
			return err
		}
	}
}

// Size returns the number of bytes in use in the database. The WAL, some megabytes, is not included.
func (s *Store) Size(ctx context.Context) (bytes int64, err error) {
	err = s.read.QueryRowContext(ctx, `SELECT (page_count - freelist_count) * page_size
		FROM pragma_page_count, pragma_freelist_count, pragma_page_size`).Scan(&bytes)
	if err != nil {
		return 0, wrapSQLite("size", err)
	}
	return bytes, nil
}
