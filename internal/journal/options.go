package journal

import (
	"log/slog"
	"slices"
	"time"

	"aldeabridge/events"
)

// Options configure a Store. Path is required; the zero value of every other field is valid.
type Options struct {
	// Path is the database file. The file and its directory are created if they are missing. SQLite keeps Path-wal
	// and Path-shm beside it, and Path.lock excludes other processes.
	Path string
	// Endpoints are the names of the endpoints that get events. A new endpoint does not get events stored before.
	// Deliveries for a removed endpoint wait until it is configured again or the call is deleted by age.
	Endpoints []string
	// Route returns the names of the Endpoints that get a call's events. Unknown names are ignored. It is called for
	// the first event of a call that this process appends, and perhaps again later; the result is stored with each
	// event. It must not block or use the journal. Nil means that all Endpoints get every call.
	Route func(events.Call) []string
	// MaxAge is how long a call is kept after its start. Zero means 30 days, a negative value for ever. A call that
	// is up is kept. Undelivered events are deleted too, which is counted and logged. If the clock jumps ahead by
	// more than a tenth of MaxAge, nothing is deleted by age for a day, or for MaxAge if that is less.
	MaxAge time.Duration
	// MaxBytes is the data size above which the oldest calls are deleted. Zero means no bound. Calls that are up or
	// have waiting deliveries are kept; if that is not enough, an error is logged.
	MaxBytes int64
	// Logger gets write errors and deletions. Nil discards them.
	Logger *slog.Logger

	readOnly func(dir string) bool   // reports whether a file system is read-only; nil asks the system
	step     func(name string) error // lets tests interrupt a repair at a step
}

const defaultMaxAge = 30 * 24 * time.Hour

// withDefaults returns o with its defaults filled in.
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

// route returns those of endpoints that get a call's events.
func route(ask func(events.Call) []string, endpoints []string, c events.Call) []string {
	if ask == nil {
		return endpoints
	}
	named := ask(c)
	return slices.DeleteFunc(slices.Clone(endpoints), func(e string) bool { return !slices.Contains(named, e) })
}
