package client

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// An answer is what a script says to one request.
type answer struct {
	text string // of a stream
	open bool   // the stream goes on, in silence
	code int    // instead of a stream
	page bool   // instead of a stream
	err  error  // the server is unreachable
}

// A script answers the first request with its first entry, and so on; the last is repeated. It works in memory,
// so that the clock of a test can be simulated.
type script struct {
	answers []answer
	got     []*http.Request
	at      []time.Duration // since begun
	begun   time.Time
}

func (s *script) RoundTrip(r *http.Request) (*http.Response, error) {
	a := s.answers[min(len(s.got), len(s.answers)-1)]
	s.got, s.at = append(s.got, r), append(s.at, time.Since(s.begun))
	body, kind := io.Reader(strings.NewReader(a.text)), "text/event-stream; charset=utf-8"
	switch {
	case a.err != nil:
		return nil, a.err
	case a.open:
		body = io.MultiReader(body, hanging{r.Context()})
	case a.page:
		kind = "text/html"
	case a.code != 0:
		body, kind = strings.NewReader(fmt.Sprintf(`{"status":%d,"detail":"no"}`, a.code)), "application/problem+json"
	}
	return &http.Response{StatusCode: cmp.Or(a.code, 200), Header: http.Header{"Content-Type": {kind}}, Body: io.NopCloser(body)}, nil
}

// hanging is a connection on which nothing comes.
type hanging struct{ ctx context.Context }

func (h hanging) Read([]byte) (int, error) {
	<-h.ctx.Done()
	return 0, h.ctx.Err()
}

// follow follows until n events came or an error, and returns their data.
func follow(t *testing.T, s *script, query url.Values, n int, notice func(error, time.Duration)) (got []string, err error) {
	t.Helper()
	s.begun = time.Now()
	c := &Client{URL: "http://bridge.example", HTTP: &http.Client{Transport: s}}
	for m, err := range c.Follow(t.Context(), "/v1/events", query, notice) {
		if err != nil {
			return got, err
		}
		if m.Comment != "" {
			continue
		}
		if got = append(got, string(m.Data)); len(got) == n {
			break
		}
	}
	return got, nil
}

func TestALostStreamGoesOnBehindTheLastStoredEvent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var notices []string
		s := &script{answers: []answer{
			{text: "retry: 1000\n\nid: 4\ndata: a\n\ndata: interim\n\nid: 5\ndata: half"},
			{code: 503},
			{text: "id: 5\ndata: b\n\n", open: true},
		}}
		got, err := follow(t, s, url.Values{"after": {"3"}}, 3, func(err error, wait time.Duration) {
			notices = append(notices, fmt.Sprint(err, wait > 0))
		})
		if err != nil || !slices.Equal(got, []string{"a", "interim", "b"}) {
			t.Errorf("got %q, %v", got, err)
		}
		if a, b := s.got[0], s.got[2]; a.URL.RawQuery != "after=3" || a.Header.Get("Last-Event-ID") != "" || b.URL.RawQuery != "" || b.Header.Get("Last-Event-ID") != "4" {
			t.Errorf("got %s and then %s with Last-Event-ID %q, want after=3 and then 4", a.URL, b.URL, b.Header.Get("Last-Event-ID"))
		}
		if want := []string{errEnded.Error() + " true", "no true", "<nil> false"}; !slices.Equal(notices, want) {
			t.Errorf("got the notices %q, want %q", notices, want)
		}
	})
}

func TestWaitsGrowToHalfAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &script{answers: []answer{
			{text: "data: a\n\n"}, {code: 503}, {code: 503}, {code: 503}, {code: 503}, {code: 503}, {code: 503}, {text: "data: b\n\n"},
		}}
		if _, err := follow(t, s, nil, 2, nil); err != nil {
			t.Fatal(err)
		}
		for i, want := range []time.Duration{2 * time.Second, 4 * time.Second, 8 * time.Second, 16 * time.Second, 30 * time.Second, 30 * time.Second, 30 * time.Second} {
			if got := s.at[i+1] - s.at[i]; got < want*8/10 || got > want*12/10 {
				t.Errorf("wait %d: got %v, want %v within a fifth", i+1, got, want)
			}
		}
	})
}

func TestASilentStreamCountsAsLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &script{answers: []answer{{text: ": heartbeat\n\ndata: a\n\n", open: true}, {text: "data: b\n\n", open: true}}}
		var lost []error
		if _, err := follow(t, s, nil, 2, func(err error, _ time.Duration) { lost = append(lost, err) }); err != nil {
			t.Fatal(err)
		}
		if s.at[1] < silence || !errors.Is(lost[0], errSilent) {
			t.Errorf("got a second connection after %v because of %v, want it after %v of silence", s.at[1], lost[0], silence)
		}
	})
}

func TestAReaderMayTakeItsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &script{answers: []answer{{text: "data: a\n\ndata: b\n\n", open: true}}}
		c := &Client{URL: "http://bridge.example", HTTP: &http.Client{Transport: s}}
		n := 0
		for _, err := range c.Follow(t.Context(), "/", nil, nil) {
			if err != nil {
				t.Fatal(err)
			}
			time.Sleep(10 * silence)
			if n++; n == 2 {
				break
			}
		}
		if len(s.got) != 1 {
			t.Errorf("got %d connections, want 1", len(s.got))
		}
	})
}

func TestWhatCannotBeMendedEndsAtOnce(t *testing.T) {
	page, refused, good := answer{page: true}, answer{err: errors.New("refused")}, answer{text: "data: a\n\n"}
	for name, answers := range map[string][]answer{
		"no such call":                {{code: 404}},
		"a page":                      {page},
		"nobody at first":             {refused, good},
		"too many streams at first":   {{code: 503}, good},
		"the token is not valid now":  {good, {code: 401}},
		"another server is there now": {good, page},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &script{answers: answers}
				if got, err := follow(t, s, nil, 9, nil); err == nil || len(got) != len(s.got)-1 {
					t.Errorf("got %d events and %v, want an error in answer %d", len(got), err, len(answers))
				}
			})
		})
	}
}

func TestFollowEndsWithItsContext(t *testing.T) {
	for name, answers := range map[string][]answer{
		"while it reads": {{text: "data: a\n\n", open: true}},
		"while it waits": {{text: "data: a\n\n"}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				c := &Client{URL: "http://bridge.example", HTTP: &http.Client{Transport: &script{answers: answers}}}
				var last error
				for _, err := range c.Follow(ctx, "/", nil, nil) {
					last = err
				}
				if !errors.Is(last, context.DeadlineExceeded) {
					t.Errorf("got %v, want the context's end", last)
				}
			})
		})
	}
}
