package journal

import (
	"errors"
	"fmt"
	"io/fs"
)

var (
	// ErrNotStored means that the event is of a kind that only lives (its body says so), or has no body.
	ErrNotStored = errors.New("journal: event is not of a stored kind")
	// ErrFull means that there is no room until older records are settled. The event was not taken.
	ErrFull = errors.New("journal: full")
	// ErrClosed means that the journal was closed.
	ErrClosed = errors.New("journal: closed")
	// ErrNoRecord means that no record ever had this position, or that it is gone. It wraps fs.ErrNotExist.
	ErrNoRecord = fmt.Errorf("journal: no such record: %w", fs.ErrNotExist)
	// ErrNoEndpoint means that the journal was not told of this endpoint.
	ErrNoEndpoint = errors.New("journal: no such endpoint")

	// ErrNoCall means that no call with this id is kept.
	ErrNoCall = errors.New("journal: no such call")
	// ErrCallUp means that a call that is up cannot be deleted.
	ErrCallUp = errors.New("journal: the call is still up")
	// ErrInUse means that another process has the journal open.
	ErrInUse = errors.New("journal: another process is using it")
	// ErrDamaged means that the file is not a whole journal. The next Open repairs it.
	ErrDamaged = errors.New("journal: file is damaged")
	// ErrDeleted means that a file of the open journal was deleted or replaced. Events are stored until Close, which writes
	// the journal again. Only Health says so.
	ErrDeleted = errors.New("journal: file was deleted or replaced")
	// ErrRepaired means that Open found the file damaged and repaired it. Only Health says so.
	ErrRepaired = errors.New("journal: file was damaged and is repaired")
	// ErrForeign means that the file is something else than a journal, damaged or not. It was not touched.
	ErrForeign = errors.New("journal: file is not a journal")
	// ErrNewer means that the file was written by a newer version of this program.
	ErrNewer = errors.New("journal: file is of a newer version")
	// ErrDisk means that the disk did not take what was to be written. Nothing of it was kept; it can be
	// tried again.
	ErrDisk = errors.New("journal: the disk does not take it")
	// ErrCursor means that a page was asked for with a cursor that no page gave.
	ErrCursor = errors.New("journal: bad cursor")
)
