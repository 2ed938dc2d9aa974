package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"aldeabridge/aldea/sandbox"
	"aldeabridge/events"
	"aldeabridge/internal/journal"
	"aldeabridge/webhooks/webhooktest"
)

// command runs a client command that asks this bridge. A test that uses it may be parallel, one with newAPIWorld may not.
func (w *world) command(t *testing.T, args ...string) (stdout, stderr string, err error) {
	t.Helper()
	t.Cleanup(http.DefaultClient.CloseIdleConnections)
	return command(t, append(slices.Clone(args), "--url", "http://"+w.server.listener.Addr().String())...)
}

// newAPIWorld starts a bridge, and points the commands to it.
func newAPIWorld(t *testing.T, change func(*options)) *world {
	t.Helper()
	w := newWorld(t, sandbox.Options{Source: sandbox.Marker()}, change)
	t.Setenv("BRIDGE_URL", "http://"+w.server.listener.Addr().String())
	t.Cleanup(http.DefaultClient.CloseIdleConnections)
	return w
}

// From the call to each command, with nothing between them that is not real.
func TestCommandsTellWhatWasSaid(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sandbox.Options{Source: sandbox.Marker()}, nil)
	run := func(args ...string) string {
		t.Helper()
		out, errs, err := w.command(t, args...)
		if err != nil {
			t.Fatalf("bridge %s: %v\n%s%s", strings.Join(args, " "), err, out, errs)
		}
		return out
	}
	if _, err := w.call("CA1", say("my refund please", "=1+1")).Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	w.ended(t, 1)
	if got := run("transcript"); !strings.Contains(got, "] caller: my refund please\n") || !strings.Contains(got, "] caller: =1+1\n") {
		t.Errorf("transcript: got %s", got)
	}
	if got := run("transcript", "CA1", "--format", "csv"); !strings.HasSuffix(got, ",speech_final,'=1+1\r\n") {
		t.Errorf("transcript: got %s", got)
	}
	if got := run("search", "--no-json", "refund"); !strings.Contains(got, "CA1") || !strings.Contains(got, "my refund please") {
		t.Errorf("search: got %s", got)
	}
	if got := run("calls", "--no-json", "--number", "+15550100001", "--since", "today"); !strings.Contains(got, "CA1") || !strings.Contains(got, "ended") {
		t.Errorf("calls: got %s", got)
	}
	if got := strings.Count(run("tail", "CA1", "--types", "utterance.final"), "\n"); got != 2 {
		t.Errorf("tail: got %d utterances, want 2", got)
	}
	for strings.Count(run("deliveries", "--state", "delivered"), "\n") < 4 { // until the last answer is in the journal
	}
	if got := run("redeliver", "CA1"); got != "sent 4, failed 0\n" {
		t.Errorf("redeliver: got %s", got)
	}
	var delivery struct{ ID string }
	if err := json.Unmarshal([]byte(run("deliveries", "--limit", "1")), &delivery); err != nil {
		t.Fatal(err)
	}
	var log struct{ Log []struct{ Number int } }
	if err := json.Unmarshal([]byte(run("deliveries", delivery.ID)), &log); err != nil {
		t.Fatal(err)
	}
	for i, a := range log.Log {
		if a.Number != i+1 || len(log.Log) < 2 {
			t.Errorf("got the attempts %v, want them to be counted through", log.Log)
		}
	}
	file := filepath.Join(t.TempDir(), "copy.db")
	run("backup", file)
	kept, err := journal.Open(journal.Options{Path: file})
	if err != nil {
		t.Fatal(err)
	}
	if call, err := kept.Call(context.Background(), "CA1"); err != nil || call.Utterances != 2 {
		t.Errorf("backup: got %+v, %v", call, err)
	}
	if err := kept.Close(); err != nil {
		t.Error(err)
	}
	run("forget", "--yes", "CA1")
	if _, _, err := w.command(t, "transcript", "CA1"); err == nil || !strings.Contains(err.Error(), "`bridge calls`") {
		t.Errorf("forgotten: got %v", err)
	}
}

// Each place that tells when something was said tells the same time, on whichever stream of its call it was said.
func TestTimesOfACallOfThreeStreamsAgreeEverywhere(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sandbox.Options{Source: sandbox.Marker()}, nil)
	for i := range 3 {
		c := w.call("CA1", say(fmt.Sprint("stream ", i)))
		c.StreamSID = fmt.Sprint("MZ", i)
		if _, err := c.Run(context.Background()); err != nil {
			t.Fatal(err)
		}
		w.ended(t, i+1)
	}
	var said []events.Utterance
	for _, e := range w.delivered(t)["CA1"] {
		if u, ok := e.Body.(events.UtteranceFinal); ok {
			said = append(said, u.Utterance)
		}
	}
	if len(said) != 3 || said[1].Start < said[0].End || said[2].Start < said[1].End {
		t.Fatalf("got %+v, want three utterances, one behind the other", said)
	}
	for _, u := range said {
		ms := u.Start.Duration().Milliseconds()
		cue := time.Unix(0, 0).UTC().Add(u.Start.Duration()).Format("15:04:05.000")
		for want, args := range map[string]string{
			fmt.Sprintf(`"start_ms":%d,`, ms):                                             "transcript CA1 --format json",
			fmt.Sprintf(",caller,%d,", ms):                                                "transcript CA1 --format csv",
			cue + " --> ":                                                                 "transcript CA1 --format vtt",
			strings.Replace(cue, ".", ",", 1) + " --> ":                                   "transcript CA1 --format srt",
			"[" + u.Start.Clock() + "] caller: " + u.Text:                                 "transcript CA1",
			"  CA1  " + u.Start.Clock() + "  caller":                                      "search --no-json stream",
			"  " + u.Start.Clock() + "  caller  “" + u.Text:                               "tail CA1 --no-json",
			fmt.Sprintf(`"start_ms":%d,"end_ms":%d`, ms, u.End.Duration().Milliseconds()): "tail CA1 --types call.ended",
		} {
			out, errs, err := w.command(t, strings.Fields(args)...)
			if err != nil || !strings.Contains(out, want) {
				t.Errorf("bridge %s: got %v, want %q in it:\n%s%s", args, err, want, out, errs)
			}
		}
	}
}

// A search that cannot find anything says so, in the words of the command.
func TestASearchForNothingIsExplained(t *testing.T) {
	newAPIWorld(t, func(*options) {})
	for text, want := range map[string]string{`"open`: "double quote", "*": "no word", "😀": "no word", "a\x00b": "control character", "*fund": "behind"} {
		out, _, err := command(t, "search", text)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "q: ") || out != "" {
			t.Errorf("search %q: got %q, %v, want an error with %q", text, out, err, want)
		}
	}
}

// What waits for a webhook that failed is listed with its next attempt, and is tried at once on request.
func TestWhatWaitsIsListedAndCanBeAskedFor(t *testing.T) {
	w := newAPIWorld(t, nil)
	var fixed atomic.Bool
	w.webhook.Script(func(webhooktest.Request) webhooktest.Answer {
		if fixed.Load() {
			return webhooktest.OK()
		}
		return webhooktest.Answer{Status: 404}
	})
	if _, err := w.call("CA1", silence(20*time.Millisecond)).Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	w.stored(t, events.TypeCallEnded, 1)
	run := func(args ...string) string {
		t.Helper()
		out, errs, err := command(t, args...)
		if err != nil {
			t.Fatalf("bridge %s: %v\n%s%s", strings.Join(args, " "), err, out, errs)
		}
		return out
	}
	out := run("deliveries", "--no-json", "--state", "waiting")
	lines := strings.Split(strings.TrimSpace(out), "\n")
	if len(lines) != 3 || !strings.Contains(lines[0], "  NEXT") {
		t.Fatalf("got\n%s\nwant two deliveries and when they are tried next", out)
	}
	next := lines[0][:strings.Index(lines[0], "NEXT")]
	for _, line := range lines[1:] {
		if at := strings.TrimSpace(line[len(next):]); at != "now" && !strings.HasPrefix(at, "20") {
			t.Errorf("got %q, want a time or now in\n%s", at, out)
		}
	}
	if one := run("deliveries", "--no-json", strings.Fields(lines[1])[2]); !strings.Contains(one, "\nnext ") {
		t.Errorf("got\n%s\nwant when it is tried next", one)
	}
	var exit exitCode
	if out, _, err := command(t, "redeliver", "--waiting"); !errors.As(err, &exit) || exit != 1 || out != "sent 0, failed 2\n" {
		t.Errorf("got %q, %v, want two that go on waiting", out, err)
	}
	fixed.Store(true)
	if got := run("redeliver", "CA1"); got != "sent 2, failed 0\n" {
		t.Errorf("got %q, want both sent", got)
	}
}

// A token is wanted of every route, on this machine too.
func TestAPIWantsItsToken(t *testing.T) {
	newAPIWorld(t, func(o *options) { o.secrets.apiTokens = []string{"sesame", "other"} })
	for _, token := range []string{"", "wrong"} {
		t.Setenv("BRIDGE_API_TOKEN", token)
		for _, args := range []string{"calls", "transcript", "tail", "search x", "deliveries", "redeliver --dead", "backup -"} {
			if out, _, err := command(t, strings.Fields(args)...); err == nil || !strings.Contains(err.Error(), "BRIDGE_API_TOKEN") || out != "" {
				t.Errorf("%s with %q: got %q, %v, want an error about the token", args, token, out, err)
			}
		}
	}
	t.Setenv("BRIDGE_API_TOKEN", "other")
	if _, _, err := command(t, "calls"); err != nil {
		t.Error(err)
	}
}

// stored waits until the journal has n events of a type.
func (w *world) stored(t *testing.T, kind events.Type, n int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), guard)
	defer cancel()
	for after, got := int64(0), 0; got < n; {
		records, err := w.server.store.(*journal.Store).Since(ctx, after, 1000)
		if err != nil {
			t.Fatalf("got %d %s, want %d: %v", got, kind, n, err)
		}
		for _, r := range records {
			after = r.Position
			if r.Type == kind {
				got++
			}
		}
	}
}

// Pages are complete, each call once, although new calls come while they are read.
func TestPagesAreStableWhileCallsCome(t *testing.T) {
	w := newAPIWorld(t, func(o *options) { o.WebhookURL = "" })
	const before = 30
	place := func(name string) {
		if _, err := w.call(name, silence(20*time.Millisecond)).Run(context.Background()); err != nil {
			t.Error(err)
		}
	}
	var all sync.WaitGroup
	for i := range before {
		all.Go(func() { place(fmt.Sprintf("CAbefore%02d", i)) })
	}
	all.Wait()
	w.stored(t, events.TypeCallEnded, before)
	var got []string
	for cursor, page := "", 0; ; page++ {
		resp, err := http.Get("http://" + w.server.listener.Addr().String() + "/v1/calls?limit=7&cursor=" + cursor)
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		var answer struct {
			Data []struct{ ID string }
			Next string `json:"next_cursor"`
		}
		if err != nil || json.Unmarshal(b, &answer) != nil {
			t.Fatalf("%s: %v", b, err)
		}
		for _, c := range answer.Data {
			got = append(got, c.ID)
		}
		if cursor = answer.Next; cursor == "" {
			break
		}
		place(fmt.Sprintf("CAwhile%02d", page))
	}
	slices.Sort(got)
	if len(got) != before || len(slices.Compact(got)) != before || !strings.HasPrefix(got[before-1], "CAbefore") {
		t.Errorf("got %v, want the %d calls that were there at first, each once", got, before)
	}
}
