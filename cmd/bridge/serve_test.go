package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/gorilla/websocket"

	"aldeabridge/aldea/sandbox"
	"aldeabridge/events"
	"aldeabridge/media/mediatest"
	"aldeabridge/webhooks/webhooktest"
)

func TestEveryUtteranceOfManyCallsArrivesOnceAtItsCallInOrder(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sandbox.Options{Source: sandbox.Marker()}, nil)
	const calls = 20
	var wg sync.WaitGroup
	for i := range calls {
		wg.Go(func() {
			c := w.call(fmt.Sprintf("CA%02d", i), say(fmt.Sprintf("call %d first", i), fmt.Sprintf("call %d second", i)))
			if _, err := c.Run(context.Background()); err != nil {
				t.Errorf("call %d: %v", i, err)
			}
		})
	}
	wg.Wait()
	w.ended(t, calls)
	got := w.delivered(t)
	for i := range calls {
		want := []string{fmt.Sprintf("call %d first", i), fmt.Sprintf("call %d second", i)}
		if said := texts(got[fmt.Sprintf("CA%02d", i)]); !slices.Equal(said, want) {
			t.Errorf("call %d: got %q, want %q", i, said, want)
		}
	}
	if err := w.webhook.Report().Err(); err != nil {
		t.Error(err)
	}
}

func TestBothTracksAreTwoSpeakers(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sandbox.Options{Source: sandbox.Marker()}, nil)
	c := w.call("CA1", say("my order is late"))
	c.Outbound = append(silence(500*time.Millisecond), say("how can I help")...)
	c.DTMF = []mediatest.Digit{{At: time.Second, Digit: "5"}}
	if _, err := c.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	w.ended(t, 1)
	said := map[events.Speaker]string{}
	digits := ""
	for _, e := range w.delivered(t)["CA1"] {
		switch b := e.Body.(type) {
		case events.UtteranceFinal:
			said[b.Utterance.Speaker] += b.Utterance.Text
		case events.DTMFReceived:
			digits += b.Digit
		}
	}
	if said[events.Caller] != "my order is late" || said[events.Agent] != "how can I help" {
		t.Errorf("got %v", said)
	}
	if digits != "5" {
		t.Errorf("got keys %q, want 5", digits)
	}
}

func TestACallerWhoHangsUpInMidSentenceIsHeardToTheEnd(t *testing.T) {
	t.Parallel()
	for _, how := range []mediatest.HangUp{mediatest.Stop, mediatest.Close, mediatest.Cut} {
		t.Run(fmt.Sprint(how), func(t *testing.T) {
			w := newWorld(t, sandbox.Options{Source: sandbox.Marker()}, nil)
			mid := say("please do not hang")
			c := w.call("CA1", mid[:len(mid)-8000]) // without the silence behind
			c.HangUp = how
			if _, err := c.Run(context.Background()); err != nil {
				t.Fatal(err)
			}
			w.ended(t, 1)
			es := w.delivered(t)["CA1"]
			u, ok := es[len(es)-2].Body.(events.UtteranceFinal)
			if !ok || u.Utterance.Text != "please do not hang" || u.Utterance.EndedBy != events.ByCallEnd || !u.Utterance.Confirmed {
				t.Errorf("got %+v before the last, want the whole sentence ended by call_end", es[len(es)-2].Body)
			}
			n := 0
			for _, e := range es {
				if e.Body.Type() == events.TypeCallEnded {
					n++
				}
			}
			if n != 1 || es[len(es)-1].Body.Type() != events.TypeCallEnded {
				t.Errorf("got call.ended %d times and %s last, want it once and last", n, es[len(es)-1].Body.Type())
			}
		})
	}
}

func TestARecognizerThatAnswersAfterThreeSecondsMissesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sandbox.Options{Source: sandbox.Marker(), Fault: sandbox.Fault{HandshakeDelay: 3 * time.Second}}, nil)
	if _, err := w.call("CA1", say("first words count", "so do these")).Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	w.ended(t, 1)
	if got, want := texts(w.delivered(t)["CA1"]), []string{"first words count", "so do these"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestAWebhookThatIsDownLosesNothingAndDelaysNoOtherCall(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sandbox.Options{Source: sandbox.Marker()}, nil)
	up := make(chan struct{})
	w.webhook.Script(func(r webhooktest.Request) webhooktest.Answer {
		select {
		case <-up:
			return webhooktest.OK()
		default:
		}
		if r.CallID == "CAdown" {
			return webhooktest.Status(503)
		}
		return webhooktest.OK()
	})
	var wg sync.WaitGroup
	for _, sid := range []string{"CAdown", "CAup"} {
		wg.Go(func() {
			if _, err := w.call(sid, say("one", "two")).Run(context.Background()); err != nil {
				t.Error(err)
			}
		})
	}
	w.ended(t, 1) // the other call is through although this one never was
	if got := w.delivered(t); len(got["CAdown"]) != 0 || len(got["CAup"]) != 4 {
		t.Errorf("got %d and %d events, want 0 of the failing call and 4 of the other", len(got["CAdown"]), len(got["CAup"]))
	}
	close(up)
	wg.Wait()
	w.ended(t, 2)
	if got := texts(w.delivered(t)["CAdown"]); !slices.Equal(got, []string{"one", "two"}) {
		t.Errorf("got %q, want one and two", got)
	}
	if err := w.webhook.Report().Err(); err != nil {
		t.Error(err)
	}
}

func TestStoppingTheServerLetsTheLastWordsOut(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sandbox.Options{Source: sandbox.Marker()}, nil)
	mid := say("the last words")
	c := w.call("CA1", mid[:len(mid)-8000])
	c.Hold = guard
	said := make(chan struct{})
	c.Sent = func(_ mediatest.Track, offset time.Duration, _ time.Time) {
		if offset == time.Duration(len(c.Inbound)/160)*20*time.Millisecond {
			close(said)
		}
	}
	done := make(chan mediatest.Result, 1)
	go func() {
		r, err := c.Run(context.Background())
		if err != nil {
			t.Error(err)
		}
		done <- r
	}()
	<-said
	w.stop()
	if r := <-done; !r.ByServer {
		t.Error("the call was not ended by the server")
	}
	w.ended(t, 1)
	es := w.delivered(t)["CA1"]
	if got := strings.Join(texts(es), " "); got != "the last words" {
		t.Errorf("got %q, want the last words", got)
	}
	if ended := es[len(es)-1].Body.(events.CallEnded); ended.Reason != events.EndShutdown {
		t.Errorf("got reason %s, want shutdown", ended.Reason)
	}
}

func TestHealthAndReadiness(t *testing.T) {
	w := newWorld(t, sandbox.Options{Source: sandbox.Marker()}, nil)
	base := "http://" + w.server.listener.Addr().String()
	var body strings.Builder
	if err := run(context.Background(), []string{"health", base}, terminal{&body, io.Discard}); err != nil || strings.Contains(body.String(), "degraded") {
		t.Errorf("got %s, %v, want nothing degraded", body.String(), err)
	}
	w.server.draining.Store(true)
	if err := run(context.Background(), []string{"health", base}, terminal{io.Discard, io.Discard}); err == nil || !strings.Contains(err.Error(), "503") {
		t.Errorf("while draining: got %v, want 503", err)
	}
	w.server.draining.Store(false)
	for path, want := range map[string]int{"/healthz": 200, "/readyz": 200, "/nowhere": 404} {
		resp, err := http.Get(base + path)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		if resp.StatusCode != want {
			t.Errorf("%s: got %d, want %d", path, resp.StatusCode, want)
		}
		if want == 404 && resp.Header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s: got %s %s, want a problem", path, resp.Header.Get("Content-Type"), body)
		}
	}
	var out strings.Builder
	if err := run(context.Background(), []string{"health", base}, terminal{&out, io.Discard}); err != nil || !strings.Contains(out.String(), "ready") {
		t.Errorf("got %q, %v, want ready", out.String(), err)
	}
}

func TestAPanicInARequestIsAnswered(t *testing.T) {
	s := newWorld(t, sandbox.Options{Source: sandbox.Marker()}, nil).server
	app := s.routes()
	app.Get("/panics", func(*fiber.Ctx) error { panic("secret of a caller") })
	resp, err := app.Test(httptest.NewRequest("GET", "/panics", nil))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != 500 || resp.Header.Get("Content-Type") != "application/problem+json" || strings.Contains(string(body), "secret") {
		t.Errorf("got %d %s %s %v, want a problem that keeps the text of the panic to itself", resp.StatusCode, resp.Header.Get("Content-Type"), body, err)
	}
}

// mute is a recognizer that listens and never says a word, not even goodbye.
func mute(w http.ResponseWriter, r *http.Request) {
	up := websocket.Upgrader{Subprotocols: []string{"token"}}
	conn, err := up.Upgrade(w, r, nil)
	if err != nil {
		return
	}
	defer conn.Close()
	for {
		if _, _, err := conn.ReadMessage(); err != nil {
			return
		}
	}
}

func TestARecognizerThatNeverFinishesDoesNotKeepTheServer(t *testing.T) {
	t.Parallel()
	recognizer := httptest.NewServer(http.HandlerFunc(mute))
	defer recognizer.Close()
	w := newWorld(t, sandbox.Options{}, func(o *options) {
		o.Aldea.URL = recognizer.URL
		o.Grace = 2 * time.Second // less than a recognizer may take to finish a call that ends by itself
	})
	c := w.call("CA1", silence(guard))
	c.Sent = func(_ mediatest.Track, offset time.Duration, _ time.Time) {
		if offset == time.Second {
			w.stop()
		}
	}
	if _, err := c.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	w.ended(t, 1)
	if es := w.delivered(t)["CA1"]; len(es) != 2 {
		t.Errorf("got %d events, want call.started and call.ended", len(es))
	}
}
