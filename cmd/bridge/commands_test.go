package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"aldeabridge/internal/api/types"
)

// A fakeAPI answers as the HTTP API does, with JSON written by hand: if it used the API's own types, a wrong name
// would agree with itself.
type fakeAPI struct {
	*httptest.Server
	mu      sync.Mutex
	answers map[string][]string // for "GET /v1/calls": the first, the second, …; the last is repeated
	asked   []string            // with query, and body if any
}

// newFakeAPI starts one, and points BRIDGE_URL to it. An answer of "404 text" is a problem, and one of "event: …" a
// stream that ends.
func newFakeAPI(t *testing.T, answers map[string][]string) *fakeAPI {
	t.Helper()
	f := &fakeAPI{answers: answers}
	f.Server = httptest.NewServer(f)
	t.Cleanup(f.Close)
	t.Cleanup(http.DefaultClient.CloseIdleConnections)
	t.Setenv("BRIDGE_URL", f.URL)
	t.Setenv("BRIDGE_API_TOKEN", "new, old")
	return f
}

func (f *fakeAPI) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	body, _ := io.ReadAll(r.Body)
	f.asked = append(f.asked, strings.TrimSpace(r.Method+" "+r.URL.RequestURI()+" "+string(body)))
	problem := func(status int, detail string) {
		w.Header().Set("Content-Type", "application/problem+json")
		w.WriteHeader(status)
		text, _ := json.Marshal(detail)
		fmt.Fprintf(w, `{"type":"about:blank","title":"No","status":%d,"detail":%s}`, status, text)
	}
	if r.Header.Get("Authorization") != "Bearer new" {
		problem(401, "A token is needed.")
		return
	}
	key := r.Method + " " + r.URL.EscapedPath()
	all := f.answers[key]
	if len(all) == 0 {
		problem(404, "There is no "+key+".")
		return
	}
	answer := all[0]
	if len(all) > 1 {
		f.answers[key] = all[1:]
	}
	var status int
	if n, _ := fmt.Sscanf(answer, "%3d ", &status); n == 1 && status >= 400 {
		problem(status, answer[4:])
		return
	}
	if strings.HasPrefix(answer, "event: ") {
		w.Header().Set("Content-Type", "text/event-stream")
	}
	fmt.Fprint(w, answer)
}

// command runs a command and returns what it printed.
func command(t *testing.T, args ...string) (stdout, stderr string, err error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), guard)
	defer cancel()
	var out, errs strings.Builder
	err = run(ctx, args, terminal{&out, &errs})
	return out.String(), errs.String(), err
}

const (
	callOne = `{"id":"CA1","carrier":"twilio","from":"+15550100001","to":"+15550100002","direction":"inbound","state":"ended",` +
		`"started":"2026-11-22T12:00:00.000Z","ended":"2026-11-22T12:01:05.000Z","reason":"carrier_stop","duration_ms":65000,"events":4,"utterances":2,` +
		`"deliveries":{"waiting":0,"dead":3},"future":"<kept>"}`
	callTwo = `{"id":"CA2\u001b[2J","carrier":"twilio","from":"","to":"","direction":"","state":"lost","started":"2026-11-22T11:00:00.000Z",` +
		`"ended":null,"reason":"","duration_ms":0,"events":1,"utterances":0,"deliveries":{"waiting":0,"dead":0}}`
)

func TestCallsAreATableForPeopleAndJSONForPrograms(t *testing.T) {
	t.Setenv("TZ", "UTC")
	f := newFakeAPI(t, map[string][]string{"GET /v1/calls": {`{"data":[` + callOne + `],"next_cursor":"x"}`, `{"data":[` + callTwo + `],"next_cursor":null}`}})
	out, _, err := command(t, "calls", "--number", "+15550100001", "--since", "2026-11-22T00:00:00Z", "--limit", "0")
	if want := callOne + "\n" + callTwo + "\n"; err != nil || out != want {
		t.Errorf("got\n%s%v, want the very bytes\n%s", out, err, want)
	}
	if want := "GET /v1/calls?limit=1000&number=%2B15550100001&since=2026-11-22T00%3A00%3A00.000Z"; f.asked[0] != want {
		t.Errorf("got %s, want %s", f.asked[0], want)
	}
	f.answers["GET /v1/calls"] = []string{`{"data":[` + callOne + `,` + callTwo + `],"next_cursor":null}`}
	out, _, err = command(t, "calls", "--no-json")
	for _, want := range []string{"CA1 ", "+15550100001 → +15550100002", "1:05", "ended", "3 dead", "CA2\uFFFD[2J", "– → –", "lost"} {
		if !strings.Contains(out, want) {
			t.Errorf("got no %q in\n%s", want, out)
		}
	}
	if err != nil || strings.Contains(out, "\x1b") || strings.Count(out, "\n") != 3 {
		t.Errorf("got %v and\n%s, want three lines and no escape sequence", err, out)
	}
	if out, errs, err := command(t, "calls", "--no-json", "--limit", "1"); err != nil || strings.Count(out, "\n") != 2 || !strings.Contains(errs, "--limit 0") {
		t.Errorf("got %v, %s and\n%s, want one call and word of more", err, errs, out)
	}
}

func TestErrorsSayWhatToDo(t *testing.T) {
	f := newFakeAPI(t, map[string][]string{"GET /v1/calls": {"400 There is no parameter \x1b[2J here."}})
	wants := func(what string, want []string, args ...string) {
		t.Helper()
		_, _, err := command(t, args...)
		for _, w := range want {
			if err == nil || !strings.Contains(err.Error(), w) || strings.Contains(err.Error(), "\x1b") {
				t.Errorf("%s: got %q, want %s in it", what, err, w)
			}
		}
	}
	wants("a problem", []string{"There is no parameter"}, "calls")
	wants("no such call", []string{"There is no GET /v1/calls/CA%2F9"}, "tail", "CA/9")
	wants("an impossible address", []string{"BRIDGE_URL", "http://127.0.0.1:8080"}, "calls", "--url", "localhost:8080")
	wants("nothing to send again", []string{"--dead"}, "redeliver")
	wants("an event type that there is not", []string{"--types", "call.ended"}, "tail", "--types", "call.finished")
	wants("nothing to look for", []string{"bridge search"}, "search", " ")
	wants("nothing to write to", []string{"bridge backup --help"}, "backup")
	wants("no command", []string{"bridge --help"}, "cals")
	wants("two times of day", []string{"--day"}, "calls", "--day", "today", "--since", "1h")
	wants("no day", []string{"--day", "yesterday"}, "calls", "--day", "soon")
	wants("no time", []string{"--since", "7d"}, "calls", "--since", "soon")
	wants("a limit below nothing", []string{"--limit"}, "calls", "--limit=-1")
	wants("a contradiction", []string{"--dead", "waiting"}, "deliveries", "--dead", "--state", "waiting")
	wants("an id and a choice", []string{"leave"}, "deliveries", "evt_1.default", "--dead")
	wants("an id and a choice", []string{"leave"}, "redeliver", "evt_1.default", "--dead")
	wants("nobody to ask", []string{"--yes"}, "forget", "CA1")
	t.Setenv("BRIDGE_API_TOKEN", "wrong")
	wants("a wrong token", []string{f.URL, "BRIDGE_API_TOKEN is wrong"}, "calls")
	t.Setenv("BRIDGE_API_TOKEN", "")
	wants("no token", []string{f.URL, "set BRIDGE_API_TOKEN"}, "calls")
	other := httptest.NewServer(http.NotFoundHandler())
	defer other.Close()
	f.answers["GET /v1/deliveries/evt_9.a"] = []string{"404 None: GET /v1/deliveries lists them."}
	f.answers["GET /v1/calls/CA8"] = []string{"404 Cannot GET /v1/calls/CA8"}
	t.Setenv("BRIDGE_API_TOKEN", "new")
	wants("no such delivery", []string{"`bridge deliveries` lists them"}, "deliveries", "evt_9.a")
	wants("a bridge without an API", []string{f.URL, "no API"}, "tail", "CA8")
	wants("no TLS", []string{"https://", "HTTP response"}, "calls", "--url", strings.Replace(f.URL, "http", "https", 1))
	wants("another server", []string{other.URL, "not a bridge", "404"}, "calls", "--url", other.URL)
	f.Close()
	wants("nobody there", []string{f.URL, "is `bridge` running", "BRIDGE_URL"}, "calls")
	t.Setenv("BRIDGE_URL", "")
	t.Setenv("BRIDGE_LISTEN", "nonsense")
	wants("a listener that is none", []string{"BRIDGE_LISTEN"}, "calls")
	t.Setenv("BRIDGE_LISTEN", strings.Replace(strings.TrimPrefix(f.URL, "http://"), "127.0.0.1", "0.0.0.0", 1))
	wants("the address that it listens on", []string{f.URL}, "calls")
}

// stored is a stored event as a stream brings it.
func stored(position, sequence int, kind string) string {
	return fmt.Sprintf("event: %s\nid: %d\ndata: {\"type\":%q,\"data\":{\"sequence\":%d,\"b\":\"<\x7f>\"}}\n\n", kind, position, kind, sequence)
}

const interimMessage = "event: transcript.interim\ndata: {\"type\":\"transcript.interim\"}\n\n"

// The carrier connected the call twice: its first end is not the last event.
func TestTheTailOfACallEndsWhenAllOfItWasSeen(t *testing.T) {
	up := strings.Replace(callOne, `"ended"`, `"up"`, 1)
	history := stored(10, 1, "call.started") + interimMessage + stored(14, 2, "call.ended") + stored(20, 3, "call.started")
	for name, calls := range map[string][]string{
		"one that had ended before":   {callOne},
		"one that ends while we look": {up, up, callOne},
	} {
		t.Run(name, func(t *testing.T) {
			newFakeAPI(t, map[string][]string{"GET /v1/calls/CA1": calls, "GET /v1/calls/CA1/events": {history + stored(25, 4, "call.ended") + stored(99, 5, "call.started")}})
			out, _, err := command(t, "tail", "CA1", "--types", "call.ended,transcript.interim", "--interims=false")
			want := `{"type":"call.ended","data":{"sequence":2,"b":"<\u007f>"}}` + "\n" + `{"type":"call.ended","data":{"sequence":4,"b":"<\u007f>"}}` + "\n"
			if err != nil || out != want {
				t.Errorf("got\n%s%v, want\n%s", out, err, want)
			}
		})
	}
}

func TestTheTailOfACallEndsIfThereIsNothingBehindThePosition(t *testing.T) {
	newFakeAPI(t, map[string][]string{"GET /v1/calls/CA1": {callOne}, "GET /v1/calls/CA1/events": {"event: x\n\n: heartbeat\n\n: heartbeat\n\n"}})
	if out, _, err := command(t, "tail", "CA1", "--after", "99"); out != "" || err != nil {
		t.Errorf("got %q, %v, want nothing", out, err)
	}
}

func TestTheTailOfAllCallsAsksForWhatIsWanted(t *testing.T) {
	f := newFakeAPI(t, map[string][]string{"GET /v1/events": {stored(7, 1, "call.ended") + "retry: 10\n\n", "404 gone"}})
	out, errs, err := command(t, "tail", "--types", "call.ended", "--types", "utterance.final", "--after", "5")
	if err == nil || !strings.Contains(err.Error(), "gone") || strings.Count(out, "\n") != 1 {
		t.Errorf("got %q, %v, want one event", out, err)
	}
	if want := "GET /v1/events?after=5&types=call.ended%2Cutterance.final"; f.asked[0] != want {
		t.Errorf("got %s, want %s", f.asked[0], want)
	}
	if !strings.Contains(errs, "Lost the connection (the stream ended)") {
		t.Errorf("got %q, want it to tell of the loss", errs)
	}
}

func TestARedeliveryIsWaitedFor(t *testing.T) {
	start := `{"redeliveries":[{"id":"r1","endpoint":"a","what":"all dead"},{"id":"r2","endpoint":"b","what":"all dead"}]}`
	progress := func(finished string, failed int) string {
		return fmt.Sprintf(`{"data":[{"id":"r0","finished":null,"delivered":9,"failed":9,"waiting":9},
			{"id":"r1","finished":"2026-11-22T12:00:00.000Z","delivered":100,"failed":0,"waiting":0},
			{"id":"r2","finished":%s,"delivered":20,"failed":%d,"waiting":1}]}`, finished, failed)
	}
	done := `"2026-11-22T12:00:01.000Z"`
	f := newFakeAPI(t, map[string][]string{"POST /v1/deliveries/redeliver": {start}, "GET /v1/redeliveries": {progress("null", 0), progress(done, 0)}})
	out, _, err := command(t, "redeliver", "--dead", "--endpoint", "a", "--until", "2026-11-22T00:00:00Z")
	if err != nil || out != "sent 120, failed 0\n" {
		t.Errorf("got %q, %v", out, err)
	}
	if want := `POST /v1/deliveries/redeliver {"state":"dead","endpoint":"a","until":"2026-11-22T00:00:00.000Z"}`; f.asked[0] != want {
		t.Errorf("got %s, want %s", f.asked[0], want)
	}
	f.answers["GET /v1/redeliveries"] = []string{progress(done, 2)}
	var exit exitCode
	if out, _, err := command(t, "redeliver", "--dead"); !errors.As(err, &exit) || exit != 1 || out != "sent 120, failed 2\n" {
		t.Errorf("some failed: got %q, %v, want exit code 1", out, err)
	}
	f.answers["GET /v1/redeliveries"] = []string{`{"data":[{"id":"r1","finished":"2026-11-22T12:00:00.000Z","error":"disk failure"},{"id":"r2","finished":"2026-11-22T12:00:00.000Z"}]}`}
	if _, errs, err := command(t, "redeliver", "--dead"); err == nil || !strings.Contains(err.Error(), "disk failure") || strings.Contains(errs, "Nothing") {
		t.Errorf("cut short: got %q, %v, want why", errs, err)
	}
	f.answers["GET /v1/redeliveries"] = []string{`{"data":[]}`}
	if _, _, err := command(t, "redeliver", "--dead"); err == nil || !strings.Contains(err.Error(), "restarted") {
		t.Errorf("forgotten: got %v", err)
	}
	if out, _, err := command(t, "redeliver", "--dead", "--no-wait"); err != nil || out != "r1  to a: all dead\nr2  to b: all dead\n" {
		t.Errorf("not waiting: got %q, %v", out, err)
	}
	f.answers["POST /v1/deliveries/redeliver"] = []string{`{"redeliveries":[]}`}
	if out, errs, err := command(t, "redeliver", "--dead"); err != nil || out != "" || !strings.Contains(errs, "nothing") {
		t.Errorf("nothing dead: got %q, %q, %v", out, errs, err)
	}
}

func TestWhatIsSentAgainIsChosenByItsName(t *testing.T) {
	one := `{"redeliveries":[{"id":"r1","endpoint":"a","what":"x"}]}`
	f := newFakeAPI(t, map[string][]string{
		"POST /v1/deliveries/evt_1.a/redeliver": {one}, "POST /v1/deliveries/evt_1.b/redeliver": {one}, "POST /v1/calls/CA1/redeliver": {one},
		"POST /v1/deliveries/redeliver": {one}, "GET /v1/deliveries": {`{"data":[{"id":"evt_1.a"},{"id":"evt_1.b"}],"next_cursor":null}`},
	})
	for _, tt := range []struct{ args, want string }{
		{"evt_1.a", "POST /v1/deliveries/evt_1.a/redeliver"},
		{"evt_1", "GET /v1/deliveries?event=evt_1&limit=1000, POST /v1/deliveries/evt_1.a/redeliver, POST /v1/deliveries/evt_1.b/redeliver"},
		{"evt_1 --endpoint a", "GET /v1/deliveries?endpoint=a&event=evt_1&limit=1000, POST /v1/deliveries/evt_1.a/redeliver, POST /v1/deliveries/evt_1.b/redeliver"},
		{"CA1", "POST /v1/calls/CA1/redeliver"},
		{"CA1 --endpoint a", "POST /v1/calls/CA1/redeliver?endpoint=a"},
		{"--waiting --endpoint a", `POST /v1/deliveries/redeliver {"state":"waiting","endpoint":"a"}`},
		{"CA1 --waiting", `POST /v1/deliveries/redeliver {"state":"waiting","call":"CA1"}`},
		{"CA1 --dead", `POST /v1/deliveries/redeliver {"state":"dead","call":"CA1"}`},
	} {
		f.asked = nil
		if _, _, err := command(t, append([]string{"redeliver", "--no-wait"}, strings.Fields(tt.args)...)...); err != nil {
			t.Errorf("%s: %v", tt.args, err)
		}
		if got := strings.Join(f.asked, ", "); got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.args, got, tt.want)
		}
	}
}

func TestForgettingGoesOnBehindWhatCannotBeForgotten(t *testing.T) {
	f := newFakeAPI(t, map[string][]string{"GET /v1/calls/CA1": {callOne}, "DELETE /v1/calls/CA1": {"409 The call is still up."},
		"GET /v1/calls/CA2": {callTwo}, "DELETE /v1/calls/CA2": {""}})
	out, errs, err := command(t, "forget", "--yes", "CA0", "CA1", "CA2")
	var exit exitCode
	if !errors.As(err, &exit) || exit != 1 || out != "forgotten: CA2\n" || !strings.Contains(errs, "GET /v1/calls/CA0") || !strings.Contains(errs, "still up") {
		t.Errorf("got %q, %q, %v", out, errs, err)
	}
	f.asked = nil
	var asked strings.Builder
	for answer, want := range map[string]bool{"y\n": true, "Yes\n": true, "\n": false, "n\n": false, "": false, "yellow\n": false} {
		c := consoleCall(t)
		if got := confirm(bufio.NewReader(strings.NewReader(answer)), &asked, c); got != want {
			t.Errorf("the answer %q: got %v", answer, got)
		}
	}
	if !strings.Contains(asked.String(), "CA1 (+15550100001 → +15550100002") || !strings.Contains(asked.String(), "utterances: 2") {
		t.Errorf("got %q, want it to say what would be forgotten", asked.String())
	}
}

func TestABackupIsWholeAndReplacesNothing(t *testing.T) {
	f := newFakeAPI(t, map[string][]string{"GET /v1/backup": {"SQLite"}, "GET /v1/calls/CA1/transcript": {"hello\n"}})
	file := filepath.Join(t.TempDir(), "journal.db")
	if _, errs, err := command(t, "backup", file); err != nil || !strings.Contains(errs, file) {
		t.Errorf("got %q, %v", errs, err)
	}
	if b, _ := os.ReadFile(file); string(b) != "SQLite" {
		t.Errorf("got %q", b)
	}
	if _, _, err := command(t, "backup", file); !errors.Is(err, fs.ErrExist) {
		t.Errorf("a second time: got %v, want fs.ErrExist", err)
	}
	if out, _, err := command(t, "backup", "-"); err != nil || out != "SQLite" {
		t.Errorf("to standard output: got %q, %v", out, err)
	}
	if out, _, err := command(t, "transcript", "CA1", "-o", file); err != nil || out != "" {
		t.Errorf("got %q, %v", out, err)
	}
	if b, _ := os.ReadFile(file); string(b) != "hello\n" || f.asked[len(f.asked)-1] != "GET /v1/calls/CA1/transcript?format=text" {
		t.Errorf("got %q by %s", b, f.asked[len(f.asked)-1])
	}
}

func TestADeliveryIsShownWithItsAttempts(t *testing.T) {
	newFakeAPI(t, map[string][]string{"GET /v1/deliveries/evt_1.default": {`{"id":"evt_1.default","event_id":"evt_1","type":"utterance.final","call_id":"CA1","sequence":2,
		"endpoint":"default","state":"dead","reason":"rejected","stored":"2026-11-22T12:00:00.000Z","settled":null,"attempts":2,"log":[
		{"number":1,"started":"2026-11-22T12:00:00.001Z","latency_ms":12.34,"status":400,"class":"","error":"","remote":"192.0.2.1:443","live":true,"redelivery":"","answer":"no\n\u001b[2J"},
		{"number":2,"started":"2026-11-22T12:00:02.001Z","latency_ms":0,"status":0,"class":"address_refused","error":"refused","remote":"","live":false,"redelivery":"r1","answer":""}]}`}})
	out, _, err := command(t, "deliveries", "evt_1.default", "--no-json")
	for _, want := range []string{"evt_1  utterance.final  number 2 of call CA1", "dead: rejected", "12.3 ms", "400", "no \uFFFD[2J", "live", "192.0.2.1:443", "address refused", "redelivery"} {
		if !strings.Contains(out, want) {
			t.Errorf("got no %q in\n%s", want, out)
		}
	}
	if err != nil {
		t.Error(err)
	}
	if out, _, err := command(t, "deliveries", "evt_1.default"); err != nil || strings.Count(out, "\n") != 1 || !strings.HasPrefix(out, `{"id":"evt_1.default","event_id"`) {
		t.Errorf("for programs: got %q, %v, want one line of JSON", out, err)
	}
}

func TestASearchShowsWhoSaidIt(t *testing.T) {
	f := newFakeAPI(t, map[string][]string{"GET /v1/search": {`{"data":[{"call_id":"CA1","position":7,"sequence":2,"timestamp":"2026-11-22T12:00:00.000Z",
		"utterance":{"speaker":"caller","text":"my refund","start_ms":61000},"snippet":"… my refund","highlights":[[5,11]]}],"next_cursor":null}`}})
	out, _, err := command(t, "search", "--no-json", "refund", `"my refund"`)
	if err != nil || !strings.Contains(out, "CA1  1:01.0  caller\n    … my refund\n") {
		t.Errorf("got %q, %v", out, err)
	}
	if want := "GET /v1/search?limit=51&q=refund+%22my+refund%22"; f.asked[0] != want {
		t.Errorf("got %s, want %s", f.asked[0], want)
	}
}

func consoleCall(t *testing.T) (c types.Call) {
	t.Helper()
	if err := json.Unmarshal([]byte(callOne), &c); err != nil {
		t.Fatal(err)
	}
	return c
}
