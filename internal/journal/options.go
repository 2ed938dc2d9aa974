package journal

import (
	"log/slog"
	"slices"
	"time"

	"aldeabridge/events"
)

// Options say how a Store works. Path is needed; every other zero is useful.
type Options struct {
	// Path is the file. It and its directory are made if they are missing. Beside it SQLite keeps Path-wal
	// and Path-shm, and Path.lock holds others off.
	Path string
	// Endpoints are the names of those who must hear of events. An endpoint that is new here is not
	// owed what was stored before. What is owed to one that is not among them any more waits until it is
	// among them again, or until it is too old to be kept.
	Endpoints []string
	// Route returns the names of the Endpoints that hear of a call's events. Others are ignored. It is asked at the first
	// event of a call that this process appends, and perhaps again later; the answer is kept for each event. It must
	// not block or use the journal. Nil means that all of Endpoints hear of every call.
	Route func(events.Call) []string
	// MaxAge is how long a call is kept after its beginning. Zero means 30 days, less than zero for ever.
	// A call that is up is kept. What is still owed to somebody goes too: it is counted and logged. If the clock
	// jumps ahead by more than a tenth of MaxAge, nothing is deleted by age for a day, or for MaxAge if that is less.
	MaxAge time.Duration
	// MaxBytes is the size of the data above which the oldest calls go. Zero means no bound. Calls that are
	// up, or that somebody still waits for, stay; if that is not enough the log says so.
	MaxBytes int64
	// Logger gets a line when the disk does not take events, and about what is deleted. Nil means nobody.
	Logger *slog.Logger

	readOnly func(dir string) bool   // reports whether a file system takes no writes; nil asks the system
	step     func(name string) error // fails where a test wants a repair to be killed; nil does not
}

// defaultMaxAge is how long calls are kept if nobody says otherwise.
const defaultMaxAge = 30 * 24 * time.Hour

// withDefaults is o with its zeros filled in.
func (o Options) withDefaults() Options {
	o.Endpoints = slices.Clone(o.Endpoints)
	slices.Sort(o.Endpoints)
	o.Endpoints = slices.Compact(o.Endpoints)
	if o.MaxAge == 0 {
		o.MaxAge = defaultMaxAge
	}
	if o.readOnly == nil {
		o.readOnly = readOnly
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o
}

// route returns those of endpoints that hear of a call's events.
func route(ask func(events.Call) []string, endpoints []string, c events.Call) []string {
	if ask == nil {
		return endpoints
	}
	named := ask(c)
	return slices.DeleteFunc(slices.Clone(endpoints), func(e string) bool { return !slices.Contains(named, e) })
}
