package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"aldeabridge/events"
	"aldeabridge/internal/api"
	"aldeabridge/internal/api/types"
	"aldeabridge/internal/journal"
	"aldeabridge/webhooks"
)

// guard returns the authentication of the HTTP API. Tokens that are too short admit programs on this machine only.
func (s *server) guard() *api.Guard {
	tokens := s.options.secrets.apiTokens
	weak := slices.ContainsFunc(tokens, func(t string) bool { return len(t) < minToken })
	if weak {
		s.logger.Warn(fmt.Sprintf("BRIDGE_API_TOKEN has fewer than %d characters: only programs on this machine are served", minToken))
	}
	return api.NewGuard(tokens, isLoopback(s.options.Listen) && (weak || len(tokens) == 0), s.logger)
}

// registerAPI adds the HTTP API. A journal in memory has nothing to tell: there is none then.
func (s *server) registerAPI(app *fiber.App, guard *api.Guard) {
	kept, ok := s.store.(*journal.Store)
	if !ok {
		return
	}
	config := api.Config{Journal: archive{kept, s.options.dataDir}, Actor: s, Guard: guard, Bodies: &s.edge.api, Logger: s.logger}
	if s.dispatcher != nil {
		config.Deliverer = deliverer{kept, s.dispatcher}
	}
	s.api = api.New(config)
	s.api.Register(app)
}

// publish tells the API's event streams of an event.
func (s *server) publish(e events.Event) {
	if s.api != nil {
		s.api.Publish(e)
	}
}

// closeAPI ends the API's event streams, so that the HTTP server can shut down.
func (s *server) closeAPI() {
	if s.api != nil {
		s.api.Close()
	}
}

// archive is the journal in console's words.
type archive struct {
	store *journal.Store
	dir   func() (string, error) // with room for a copy of it
}

// apiErrors says what the journal's errors mean to console.
var apiErrors = []struct{ ours, theirs error }{
	{journal.ErrNoCall, api.ErrNotFound},
	{journal.ErrCallUp, api.ErrConflict},
	{journal.ErrCursor, api.ErrCursor},
	{journal.ErrClosed, api.ErrUnavailable},
	{journal.ErrDamaged, api.ErrDamaged},
	{webhooks.ErrNoEndpoint, api.ErrNotFound},
	{webhooks.ErrStopped, api.ErrUnavailable},
}

// apiError is err in console's words.
func apiError(err error) error {
	if reason := diskReason(err); reason != "" {
		return &api.DiskError{Reason: reason, Err: err}
	}
	for _, e := range apiErrors {
		if errors.Is(err, e.ours) {
			return fmt.Errorf("%w: %w", e.theirs, err)
		}
	}
	return err
}

// diskReason is what the system or SQLite says of a disk that does not take something, without the names of files; empty for other
// errors.
func diskReason(err error) string {
	var path *fs.PathError
	var link *os.LinkError
	switch {
	case errors.As(err, &path):
		return path.Err.Error()
	case errors.As(err, &link):
		return link.Err.Error()
	case errors.Is(err, journal.ErrDisk):
		return journal.DiskReason(err)
	}
	return ""
}

func (a archive) Calls(ctx context.Context, f api.CallFilter) ([]types.Call, string, error) {
	calls, next, err := a.store.Calls(ctx, journal.CallFilter{
		From: f.Since, To: f.Until, Number: f.Number, State: journal.CallState(f.State), Cursor: f.Cursor, Limit: f.Limit,
	})
	return convert(calls, apiCall), next, apiError(err)
}

func (a archive) Call(ctx context.Context, id string) (types.Call, error) {
	call, err := a.store.Call(ctx, id)
	return apiCall(call), apiError(err)
}

func apiCall(c journal.Call) types.Call {
	return types.Call{
		ID: c.ID, Carrier: c.Carrier, From: c.From, To: c.To, Direction: c.Direction, State: string(c.State),
		Started: types.Time{Time: c.Started}, Ended: types.Time{Time: c.Ended}, Reason: c.Reason, Duration: events.Offset(c.Duration),
		Events: c.Events, Utterances: c.Utterances, Deliveries: types.DeliveryCounts{Waiting: c.Waiting, Dead: c.Dead},
	}
}

func (a archive) DeleteCall(ctx context.Context, id string) error {
	return apiError(a.store.DeleteCall(ctx, id))
}

func (a archive) Events(ctx context.Context, call string, after int64, limit int) ([]events.Record, error) {
	records, err := a.store.Events(ctx, call, after, limit)
	return records, apiError(err)
}

// Since leaves out what is committed and not yet announced: console compares positions with Last.
func (a archive) Since(ctx context.Context, after int64, limit int) ([]events.Record, error) {
	for {
		records, err := a.store.Since(ctx, after, limit)
		if err != nil {
			return nil, apiError(err)
		}
		last := a.store.Last()
		records = slices.DeleteFunc(records, func(r events.Record) bool { return r.Position > last })
		if len(records) > 0 {
			return records, nil
		}
	}
}

func (a archive) Last() int64 { return a.store.Last() }

func (a archive) Search(ctx context.Context, f api.SearchFilter) ([]api.Hit, string, error) {
	found, next, err := a.store.Search(ctx, journal.Search{Text: f.Text, Cursor: f.Cursor, Limit: f.Limit})
	if wrong := (*journal.SearchError)(nil); errors.As(err, &wrong) {
		return nil, "", &api.SearchError{Reason: wrong.Reason}
	}
	return convert(found, func(f journal.Found) api.Hit { return api.Hit(f) }), next, apiError(err)
}

func (a archive) Deliveries(ctx context.Context, f api.DeliveryFilter) ([]types.Delivery, string, error) {
	deliveries, next, err := a.store.Deliveries(ctx, deliveryFilter(f))
	return convert(deliveries, func(d journal.Delivery) types.Delivery {
		return types.Delivery{
			ID: d.EventID + "." + d.Endpoint, EventID: d.EventID, Type: d.Type, CallID: d.CallID, Sequence: d.Sequence, Endpoint: d.Endpoint,
			State: d.State, Reason: d.Reason, Stored: types.Time{Time: d.Stored}, Settled: types.Time{Time: d.Settled}, Attempts: d.Attempts,
		}
	}), next, apiError(err)
}

func deliveryFilter(f api.DeliveryFilter) journal.DeliveryFilter {
	return journal.DeliveryFilter{
		State: f.State, Endpoint: f.Endpoint, CallID: f.Call, EventID: f.Event, From: f.Since, To: f.Until, Cursor: f.Cursor, Limit: f.Limit,
	}
}

func (a archive) Attempts(ctx context.Context, event, endpoint string) ([]types.Attempt, error) {
	attempts, err := a.store.Attempts(ctx, event)
	attempts = slices.DeleteFunc(attempts, func(t journal.Attempt) bool { return t.Endpoint != endpoint })
	number := 0 // of the row: the endpoint's count began again with each redelivery and each start of the program
	return convert(attempts, func(t journal.Attempt) types.Attempt {
		number++
		return types.Attempt{
			Number: number, Started: types.Time{Time: t.Started}, LatencyMS: float64(t.Latency.Microseconds()) / 1000, Status: t.Status,
			Class: t.Class, Error: t.Error, Remote: t.Remote, Live: t.Live, Redelivery: t.Redelivery,
			Answer: strings.ToValidUTF8(string(t.Answer), "\uFFFD"),
		}
	}), apiError(err)
}

// Backup copies the journal into a directory of its own beside it, which is gone when the file is open: what is
// left behind at a crash would be another copy of what was said.
func (a archive) Backup(ctx context.Context) (_ io.ReadCloser, size int64, err error) {
	dir, err := a.dir()
	if err != nil {
		return nil, 0, err
	}
	made, err := os.MkdirTemp(dir, ".backup-*")
	if errors.Is(err, fs.ErrNotExist) {
		made, err = os.MkdirTemp("", ".backup-*") // the data directory was moved or deleted: this may be the last chance
	}
	if err != nil {
		return nil, 0, apiError(err)
	}
	dir = made
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "journal.db")
	if err := a.store.Backup(ctx, path); err != nil {
		return nil, 0, apiError(err)
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, 0, apiError(err)
	}
	info, err := file.Stat()
	if err != nil {
		file.Close()
		return nil, 0, err
	}
	return file, info.Size(), nil
}

// deliverer is the dispatcher in console's words.
type deliverer struct {
	store      *journal.Store
	dispatcher *webhooks.Dispatcher
}

func (d deliverer) Redeliver(f api.DeliveryFilter, what string) (string, error) {
	id, err := d.dispatcher.Redeliver(webhooks.Redelivery{
		Endpoint: f.Endpoint,
		What:     what,
		Next: func(ctx context.Context, after int64, limit int) ([]events.Record, error) {
			return d.deliverable(ctx, deliveryFilter(f), after, limit)
		},
	})
	return id, apiError(err)
}

// deliverable returns what is delivered, dead or waiting. What the endpoint does not want is not wanted now either.
func (d deliverer) deliverable(ctx context.Context, f journal.DeliveryFilter, after int64, limit int) (all []events.Record, err error) {
	states := []string{types.DeliveryDelivered, types.DeliveryDead, types.DeliveryWaiting}
	if f.State != "" {
		states = []string{f.State}
	}
	for _, f.State = range states {
		records, err := d.store.Deliverable(ctx, f, after, limit)
		if err != nil {
			return nil, err
		}
		if f.State == types.DeliveryWaiting {
			for i := range records {
				records[i].Owed = []string{f.Endpoint}
			}
		}
		all = append(all, records...)
	}
	slices.SortFunc(all, func(a, b events.Record) int { return cmp.Compare(a.Position, b.Position) })
	return all[:min(len(all), limit)], nil
}

func (d deliverer) NextAttempt(endpoint, call string) time.Time {
	return d.dispatcher.NextAttempt(endpoint, call)
}

func (d deliverer) Redeliveries() []types.Redelivery {
	return convert(d.dispatcher.Redeliveries(), func(r webhooks.RedeliveryStatus) types.Redelivery {
		return types.Redelivery{
			ID: r.ID, Endpoint: r.Endpoint, What: r.What, Started: types.Time{Time: r.Started}, Finished: types.Time{Time: r.Finished},
			Delivered: r.Delivered, Failed: r.Failed, Waiting: r.Waiting, Error: reason(r.Err),
		}
	})
}

// reason is what err says; nothing for none.
func reason(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func (d deliverer) Endpoints() []types.Endpoint {
	return convert(d.dispatcher.Status(), func(e webhooks.EndpointStatus) types.Endpoint {
		return types.Endpoint{
			Name: e.Name, State: string(e.State), Until: types.Time{Time: e.Until},
			Lanes: e.Lanes, Waiting: e.Waiting, Sending: e.Sending, Oldest: types.Time{Time: e.Oldest},
		}
	})
}

// convert puts each of a list into other words.
func convert[A, B any](list []A, one func(A) B) []B {
	converted := make([]B, len(list))
	for i, a := range list {
		converted[i] = one(a)
	}
	return converted
}
