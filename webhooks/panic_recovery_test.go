package webhooks

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"

	"aldeabridge/events"
)

// foreignText is the value of the panics in these tests. It must not be logged.
const foreignText = "text of the caller"

// panicOnce returns a function that panics at its first call.
func panicOnce() func() {
	done := false
	return func() {
		if !done {
			done = true
			panic(foreignText)
		}
	}
}

// panickingJournal panics in Settle and Load, once each.
type panickingJournal struct {
	*fakeJournal
	load, settle func()
}

func (j panickingJournal) Load(ctx context.Context, position int64) (events.Record, error) {
	j.load()
	return j.fakeJournal.Load(ctx, position)
}

func (j panickingJournal) Settle(ctx context.Context, position int64, endpoint, state string) error {
	j.settle()
	return j.fakeJournal.Settle(ctx, position, endpoint, state)
}

// wantPanicLogged checks that one panic was logged, with its stack and without its value.
func wantPanicLogged(t *testing.T, log *bytes.Buffer) {
	t.Helper()
	text := log.String()
	if n := strings.Count(text, "webhook delivery panicked"); n != 1 {
		t.Errorf("got %d panics in the log, want 1:\n%s", n, text)
	}
	if !strings.Contains(text, "panicOnce") || strings.Contains(text, foreignText) {
		t.Errorf("got log %s\nwant the stack of the panic and not its value", text)
	}
}

func TestAPanicDuringAnAttemptFailsItAndTheLaneGoesOn(t *testing.T) {
	for name, c := range map[string]struct {
		config   func(c *Config, boom func())
		requests int // of the two calls
	}{
		"request": {func(c *Config, boom func()) {
			c.Transport = newTransportOf(func(shot) reply { boom(); return reply{status: 200} })
		}, 3},
		"decision": {func(c *Config, boom func()) {
			failures := 0
			c.Transport = newTransportOf(func(shot) reply {
				if failures++; failures == 1 {
					return reply{status: 500}
				}
				return reply{status: 200}
			})
			c.Jitter = func() float64 { boom(); return 1 }
		}, 3},
		"observer": {func(c *Config, boom func()) { c.Observe = func(Attempt) { boom() } }, 2},
		"actions":  {func(c *Config, boom func()) { c.Actions = func(Reply) { boom() } }, 2},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var log bytes.Buffer
				config := Config{Logger: slog.New(slog.NewTextHandler(&log, nil))}
				config.Transport = newTransportOf(func(shot) reply { return reply{status: 200, body: "{}"} })
				c.config(&config, panicOnce())
				tr := config.Transport.(*transport)
				r := rigged(t, config)
				r.journal.append("A", started)
				pass(minute)
				r.journal.append("B", started)
				pass(minute)
				r.wantStates(t, StateDelivered, StateDelivered)
				if got := len(tr.seen()); got != c.requests {
					t.Errorf("got %d requests, want %d", got, c.requests)
				}
				r.stop()
				wantPanicLogged(t, &log)
			})
		})
	}
}

func TestAnAttemptThatPanickedIsRepeatedByTheSchedule(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		boom := panicOnce()
		tr := newTransportOf(func(shot) reply { boom(); return reply{status: 200} })
		r := rigged(t, Config{Transport: tr})
		r.journal.append("A", ended)
		r.drain(t)
		wantTimes(t, tr.times(), 0, lateDelays[0])
	})
}

func TestAPanicOfTheJournalDelaysOneLane(t *testing.T) {
	for _, method := range []string{"load", "settle"} {
		t.Run(method, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var log bytes.Buffer
				journal := panickingJournal{newFakeJournal(), func() {}, func() {}}
				want := 0 * second
				if method == "load" {
					journal.bodiless, journal.load, want = true, panicOnce(), reloadDelay
				} else {
					journal.settle = panicOnce()
				}
				tr := newTransportOf(func(shot) reply { return reply{status: 200} })
				d, err := New(Config{
					Journal: journal, Transport: tr, Logger: slog.New(slog.NewTextHandler(&log, nil)),
					Endpoints: []Endpoint{{Name: "main", URL: "http://endpoint.test", Secrets: []Secret{testSecret}}},
				})
				if err != nil {
					t.Fatal(err)
				}
				stop := running(t, d)
				journal.append("A", started)
				pass(minute)
				wantTimes(t, tr.times(), want)
				stop()
				wantPanicLogged(t, &log)
			})
		})
	}
}

func TestAPanicEndsOneRedelivery(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		r := rigged(t, Config{
			Transport: newTransportOf(func(shot) reply { return reply{status: 200} }),
			Logger:    slog.New(slog.NewTextHandler(&log, nil)),
		})
		synctest.Wait() // Run has started
		boom := panicOnce()
		w := Redelivery{Endpoint: "main", What: "all", Next: func(context.Context, int64, int) ([]events.Record, error) {
			boom()
			return nil, nil
		}}
		for _, want := range []error{errPanicked, nil} {
			id, err := r.d.Redeliver(w)
			if err != nil {
				t.Fatal(err)
			}
			pass(second)
			if got := finished(t, r.d, id); !errors.Is(got.Err, want) {
				t.Errorf("got %v, want %v", got.Err, want)
			}
		}
		r.journal.append("A", started)
		r.drain(t)
		r.stop()
		wantPanicLogged(t, &log)
	})
}

func TestAPanicOfATimerReleasesTheLock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		r := rigged(t, Config{
			Transport: newTransportOf(func(shot) reply { return reply{status: 200} }),
			Logger:    slog.New(slog.NewTextHandler(&log, nil)),
		})
		if err := r.d.receivers[0].locked("timer", panicOnce()); !errors.Is(err, errPanicked) {
			t.Errorf("got %v, want errPanicked", err)
		}
		r.journal.append("A", started)
		r.drain(t)
		r.stop()
		wantPanicLogged(t, &log)
	})
}
