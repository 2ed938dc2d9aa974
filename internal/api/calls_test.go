package api

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"aldeabridge/events"
	"aldeabridge/internal/api/types"
)

func TestCallsAreFilteredByEveryParameter(t *testing.T) {
	r := newRig(t, nil)
	day := time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC)
	for query, want := range map[string]CallFilter{
		"":               {Limit: 50},
		"day=2026-01-02": {Since: day, Until: day.AddDate(0, 0, 1), Limit: 50},
		"since=2026-01-02T00:00:00Z&until=2026-01-03T01:00:00%2B01:00": {Since: day, Until: day.AddDate(0, 0, 1), Limit: 50},
		"since=2026-01-02T01:00:00+01:00":                              {Since: day, Limit: 50}, // + that was not encoded
		"number=%2B15550100001&state=lost&limit=1000&cursor=next":      {Number: "+15550100001", State: types.CallLost, Cursor: "next", Limit: 1000},
		"number=+15550100001&state=":                                   {Number: "+15550100001", Limit: 50},
	} {
		r.journal.asked = nil
		if got := r.ask(t, "GET", "/v1/calls?"+query, ""); got.status != 200 || !strings.Contains(got.body, `"next_cursor":"next"`) {
			t.Errorf("%s: got %d %s", query, got.status, got.body)
			continue
		}
		got := r.journal.asked[0].(CallFilter)
		if !got.Since.Equal(want.Since) || !got.Until.Equal(want.Until) {
			t.Errorf("%s: got %v to %v, want %v to %v", query, got.Since, got.Until, want.Since, want.Until)
		}
		if got.Since, got.Until, want.Since, want.Until = day, day, day, day; got != want {
			t.Errorf("%s: got %+v, want %+v", query, got, want)
		}
	}
}

func TestErrorsAreProblemsThatSayWhatIsRight(t *testing.T) {
	r := newRig(t, nil)
	for _, c := range []struct {
		method, path string
		status       int
		detail       string
	}{
		{"GET", "/v1/calls?limit=0", 400, "from 1 to 1000"},
		{"GET", "/v1/calls?limit=1001", 400, "from 1 to 1000"},
		{"GET", "/v1/calls?limit=ten", 400, "from 1 to 1000"},
		{"GET", "/v1/calls?limit=1&limit=2", 400, "once"},
		{"GET", "/v1/calls?Limit=1", 400, "takes day, since"},
		{"GET", "/v1/calls?day=today", 400, "2026-01-02"},
		{"GET", "/v1/calls?day=1969-12-31", 400, "2026-01-02"},
		{"GET", "/v1/calls?day=2026-01-02&since=2026-01-02T00:00:00Z", 400, "either"},
		{"GET", "/v1/calls?since=2300-01-01T00:00:00Z", 400, "2026-01-02T03:04:05Z"},
		{"GET", "/v1/calls?state=gone", 400, "up, ended, lost"},
		{"GET", "/v1/calls?cursor=x", 400, "next_cursor"},
		{"GET", "/v1/calls?a=%zz", 400, "not readable"},
		{"GET", "/v1/calls/none", 404, `"none"`},
		{"DELETE", "/v1/calls/none", 404, `"none"`},
		{"GET", "/v1/search", 400, "q=refund"},
		{"GET", "/v1/search?q=", 400, "q=refund"},
		{"GET", "/v1/openapi.json?x=1", 400, "takes none"},
		{"GET", "/v1", 404, "openapi.json"},
		{"GET", "/v1/nothing", 404, "openapi.json"},
		{"GET", "/v1/calls/a/b", 404, "openapi.json"},
		{"PUT", "/v1/calls", 405, "GET, HEAD"},
		{"OPTIONS", "/v1/calls", 405, "GET, HEAD"},
		{"POST", "/v1/calls/CA1", 405, "DELETE"},
		{"GET", "/v1/calls/CA1/redeliver", 405, "POST"},
	} {
		got := r.ask(t, c.method, c.path, "")
		got.problem(t, c.status, c.detail)
		if allow := got.header.Get("Allow"); (c.status == 405) != (allow != "") {
			t.Errorf("%s %s: got Allow %q", c.method, c.path, allow)
		}
		if got.header.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s %s: other origins are let in", c.method, c.path)
		}
	}
	if r.log.String() != "" {
		t.Errorf("got the log %s, want nothing about mistakes of clients", r.log)
	}
}

func TestAHeadIsAsAGetWithoutABody(t *testing.T) {
	r := newTranscriptRig(t)
	r.journal.backup = bytes.NewReader(nil)
	for _, path := range []string{"/v1/calls", "/v1/calls/CA1", "/v1/calls/CA1/transcript?format=vtt", "/v1/openapi.json"} {
		get, head := r.ask(t, "GET", path, ""), r.ask(t, "HEAD", path, "")
		if head.status != 200 || head.body != "" || head.header.Get("Content-Type") != get.header.Get("Content-Type") || head.header.Get("Content-Length") != get.header.Get("Content-Length") {
			t.Errorf("%s: got %d %v with %d bytes, want that of GET: %v", path, head.status, head.header, len(head.body), get.header)
		}
	}
	if got := r.ask(t, "HEAD", "/v1/backup", ""); got.status != 200 || got.header.Get("Content-Type") != "application/vnd.sqlite3" {
		t.Errorf("backup: got %d %v", got.status, got.header)
	}
}

func TestACallIsDeletedWhenItHasEnded(t *testing.T) {
	r := newRig(t, nil)
	r.journal.add(t, callOf("CA1"), epoch, events.CallStarted{})
	r.ask(t, "DELETE", "/v1/calls/CA1", "").problem(t, 409, "still up")
	r.journal.calls[0].State = types.CallEnded
	if got := r.ask(t, "DELETE", "/v1/calls/CA1", ""); got.status != 204 || got.body != "" {
		t.Errorf("got %d %q, want 204", got.status, got.body)
	}
}

func TestTheServersOwnTroublesAreLoggedAndNotTold(t *testing.T) {
	r := newRig(t, nil)
	r.journal.err = errors.New("disk of +15550100001 is on fire")
	got := r.ask(t, "GET", "/v1/calls", "")
	got.problem(t, 500, "the log says what")
	if strings.Contains(got.body, "fire") || !strings.Contains(r.log.String(), "on fire") || !strings.Contains(r.log.String(), "route=/v1/calls") {
		t.Errorf("got %s and the log %s, want the reason in the log alone", got.body, r.log)
	}
	for err, detail := range map[error]string{ErrUnavailable: "shutting down", context.DeadlineExceeded: "did not answer"} {
		r.journal.err = err
		r.ask(t, "GET", "/v1/calls", "").problem(t, 503, detail)
	}
}

func TestASearchThatFindsNothingForItsFormIsRefused(t *testing.T) {
	r := newRig(t, nil)
	r.journal.err = fmt.Errorf("wrapped: %w", &SearchError{"there is no word"})
	r.ask(t, "GET", "/v1/search?q=%2A", "").problem(t, 400, "q: there is no word.")
}

func TestASearchFindsUtterances(t *testing.T) {
	r := newRig(t, nil)
	r.journal.hits = []Hit{{Record: r.journal.add(t, callOf("CA1"), epoch, said("u1", "my <refund> & 電話", 0, time.Second)), Snippet: "my <\x02refund\x03> & \x02電話\x03"}}
	got := r.ask(t, "GET", "/v1/search?q=refund%20%22%E9%9B%BB%E8%A9%B1%22&limit=7", "")
	if want := (SearchFilter{Text: `refund "電話"`, Limit: 7}); r.journal.asked[0] != want {
		t.Errorf("got %+v, want %+v", r.journal.asked[0], want)
	}
	if want := `"snippet":"my <refund> & 電話","highlights":[[4,10],[14,16]]}],"next_cursor":null}`; got.status != 200 || !strings.HasSuffix(strings.TrimSpace(got.body), want) {
		t.Errorf("got %d %s, want %s at its end", got.status, got.body, want)
	}
}

func TestABackupThatCannotBeMadeSaysWhy(t *testing.T) {
	for _, c := range []struct {
		err    error
		status int
		text   string
	}{
		{ErrDisk, 507, "no room"},
		{&DiskError{"read-only file system", ErrDisk}, 507, "no room for a copy of the journal beside it (read-only file system)"},
		{ErrDamaged, 500, "The next start of bridge repairs it."},
	} {
		r := newRig(t, nil)
		r.journal.backup, r.journal.err = bytes.NewReader(nil), fmt.Errorf("%w: write /var/lib/x", c.err)
		a := r.ask(t, "GET", "/v1/backup", "")
		a.problem(t, c.status, c.text)
		if strings.Contains(a.body, "/var/lib") {
			t.Errorf("got %s, want no path of the server", a.body)
		}
	}
}

func TestADeletionThatTheDiskDoesNotTakeSaysWhy(t *testing.T) {
	r := newRig(t, nil)
	r.journal.err = &DiskError{"database or disk is full", fmt.Errorf("write /var/lib/x: %w", ErrDisk)}
	r.ask(t, "DELETE", "/v1/calls/CA1", "").problem(t, 507, "It cannot be written: database or disk is full.")
}

func TestABackupIsSentWholeAndOneAtATime(t *testing.T) {
	r := newRig(t, nil)
	whole := strings.Repeat("SQLite", 1<<20) // longer than sockets keep at once
	r.journal.backup = bytes.NewReader([]byte(whole))
	r.api.backup.Lock()
	busy := r.ask(t, "GET", "/v1/backup", "")
	busy.problem(t, 503, "Another backup")
	if busy.header.Get("Retry-After") == "" {
		t.Error("got no Retry-After")
	}
	r.api.backup.Unlock()
	got := r.ask(t, "GET", "/v1/backup", "")
	if got.status != 200 || got.body != whole || !strings.Contains(got.header.Get("Content-Disposition"), `filename="bridge-`) {
		t.Errorf("got %d, %d bytes, %v", got.status, len(got.body), got.header)
	}
	<-r.journal.closed
	r.api.backup.Lock() // the next can be made
	defer r.api.backup.Unlock()
}
