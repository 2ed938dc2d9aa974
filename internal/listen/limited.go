package listen

import (
	"sync"
	"time"
)

// logEvery is the least time between two log lines of one kind.
const logEvery = time.Minute

// limited bounds how often something is logged. The zero value is ready for use.
type limited struct {
	mu    sync.Mutex
	count int // since the last line
	last  time.Time
}

// next counts an occurrence. It answers true, and how many there were since the last line, if a line is due.
func (l *limited) next(now time.Time) (count int, due bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.count++
	if !l.last.IsZero() && now.Sub(l.last) < logEvery {
		return 0, false
	}
	count, l.count, l.last = l.count, 0, now
	return count, true
}
