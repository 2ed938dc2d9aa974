package webhooks_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"aldeabridge/events"
	"aldeabridge/internal/journal"
	"aldeabridge/webhooks"
	"aldeabridge/webhooks/webhooktest"
)

var (
	_ webhooks.Journal = (*journal.Store)(nil)
	_ webhooks.Journal = (*journal.Memory)(nil)
)

// bridge is a journal file with a dispatcher that follows it.
type bridge struct {
	store *journal.Store
	d     *webhooks.Dispatcher
	stop  func()
}

// start opens the journal at path and delivers to urls, by name.
func start(t testing.TB, path string, urls map[string]string, secret webhooks.Secret) *bridge {
	t.Helper()
	var endpoints []webhooks.Endpoint
	var names []string
	for name, url := range urls {
		endpoints = append(endpoints, webhooks.Endpoint{Name: name, URL: url, Secrets: []webhooks.Secret{secret}})
		names = append(names, name)
	}
	store, err := journal.Open(journal.Options{Path: path, Endpoints: names})
	if err != nil {
		t.Fatal(err)
	}
	d, err := webhooks.New(webhooks.Config{Endpoints: endpoints, Journal: store, Observe: func(a webhooks.Attempt) {
		store.Log(journal.Attempt{EventID: a.EventID, Endpoint: a.Endpoint, Number: a.Number, Started: a.Start, Status: a.Status, Latency: a.Latency})
	}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- d.Run(ctx) }()
	return &bridge{store: store, d: d, stop: sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
		if err := store.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})}
}

func pressed(call, digit string) events.Event {
	return events.Event{Time: time.Now(), Call: events.Call{ID: call}, Body: events.DTMFReceived{Digit: digit}}
}

func TestARestartSendsOnlyUndeliveredEvents(t *testing.T) {
	secret := webhooks.NewSecret()
	well, ill := webhooktest.New(string(secret)), webhooktest.New(string(secret))
	defer well.Close()
	defer ill.Close()
	servers := map[string]*webhooktest.Server{"well": well, "ill": ill}
	urls := map[string]string{"well": well.URL, "ill": ill.URL}
	path := filepath.Join(t.TempDir(), "journal.db")
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()

	ill.Down()
	b := start(t, path, urls, secret)
	defer b.stop()
	for i := range 20 {
		if _, err := b.store.Append(ctx, pressed(fmt.Sprint("CA", i%3), "5")); err != nil {
			t.Fatal(err)
		}
	}
	if err := well.Wait(ctx, func(got []webhooktest.Request) bool { return len(got) == 20 }); err != nil {
		t.Fatal(err)
	}
	b.stop()
	before := len(well.Requests())
	ill.Up()

	b = start(t, path, urls, secret)
	defer b.stop()
	if err := b.d.Drain(ctx); err != nil {
		t.Fatal(err)
	}
	if got := len(well.Requests()); got > before+3 { // a request that was cut short, for each lane
		t.Errorf("well: got %d requests after the restart, want none", got-before)
	}
	for name, srv := range servers {
		if err := srv.Report().Err(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	b.stop() // what was settled is written by then
	if got := b.store.Stats().Waiting; got != 0 {
		t.Errorf("got %d waiting, want none", got)
	}
}

// BenchmarkUtteranceToRequest prints how long it takes from Append to the request at the receiver, with the journal
// on the disk: 100 calls with an utterance every two seconds or so.
func BenchmarkUtteranceToRequest(b *testing.B) {
	const calls, each = 100, 10
	for b.Loop() {
		var mu sync.Mutex
		said := map[string]time.Time{}
		var took []time.Duration
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			now := time.Now()
			mu.Lock()
			defer mu.Unlock()
			took = append(took, now.Sub(said[r.Header.Get("Webhook-Id")]))
		}))
		secret := webhooks.NewSecret()
		br := start(b, filepath.Join(b.TempDir(), "journal.db"), map[string]string{"main": srv.URL}, secret)
		var work sync.WaitGroup
		for c := range calls {
			work.Go(func() {
				time.Sleep(2 * time.Second * time.Duration(c) / calls)
				tick := time.NewTicker(2 * time.Second)
				defer tick.Stop()
				for range each {
					e := pressed(fmt.Sprint("CA", c), "5")
					e.ID = events.NewID(e.Time)
					mu.Lock()
					said[e.ID] = time.Now()
					mu.Unlock()
					if _, err := br.store.Append(context.Background(), e); err != nil {
						b.Error(err)
					}
					<-tick.C
				}
			})
		}
		work.Wait()
		if err := br.d.Drain(context.Background()); err != nil {
			b.Error(err)
		}
		br.stop()
		srv.Close()
		slices.Sort(took)
		for _, p := range []int{50, 99} {
			b.ReportMetric(float64(took[(len(took)-1)*p/100].Microseconds())/1000, fmt.Sprintf("ms/p%d", p))
		}
	}
}
