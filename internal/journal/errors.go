package journal

import (
	"errors"
	"fmt"
	"io/fs"
)

var (
	// ErrNotStored means that the event is transient (its body's Stored method says so), or has no body.
	ErrNotStored = errors.New("journal: event is not of a stored kind")
	// ErrFull means that there is no room until older records are settled. The event was not stored.
	ErrFull = errors.New("journal: full")
	// ErrClosed means that the journal was closed.
	ErrClosed = errors.New("journal: closed")
	// ErrNoRecord means that no record has this position, or that it was deleted. It wraps fs.ErrNotExist.
	ErrNoRecord = fmt.Errorf("journal: no such record: %w", fs.ErrNotExist)
	// ErrNoEndpoint means that the endpoint is not among the configured ones.
	ErrNoEndpoint = errors.New("journal: no such endpoint")

	// ErrNoCall means that no call with this id is stored.
	ErrNoCall = errors.New("journal: no such call")
	// ErrCallUp means that a call that is up cannot be deleted.
	ErrCallUp = errors.New("journal: the call is still up")
	// ErrInUse means that another process has the journal open.
	ErrInUse = errors.New("journal: another process is using it")
	// ErrDamaged means that the file is damaged. The next Open repairs it.
	ErrDamaged = errors.New("journal: file is damaged")
	// ErrDeleted means that a file of the open journal was deleted or replaced. Events are stored until Close, which
	// writes the file again. Only Health returns it.
	ErrDeleted = errors.New("journal: file was deleted or replaced")
	// ErrRepaired means that Open found the file damaged and repaired it. Only Health returns it.
	ErrRepaired = errors.New("journal: file was damaged and is repaired")
	// ErrForeign means that the file is not a journal. It was not modified.
	ErrForeign = errors.New("journal: file is not a journal")
	// ErrNewer means that the file was written by a newer version of this program.
	ErrNewer = errors.New("journal: file is of a newer version")
	// ErrDisk means that a write to the disk failed. The transaction was rolled back and can be retried.
	ErrDisk = errors.New("journal: write to disk failed")
	// ErrCursor means that a cursor is invalid.
	ErrCursor = errors.New("journal: bad cursor")
)
