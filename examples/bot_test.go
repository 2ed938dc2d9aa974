package examples

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"aldeabridge/events"
	"aldeabridge/internal/actions"
)

// A model is an OpenAI-compatible server that answers from a list.
type model struct {
	*httptest.Server
	answers chan string   // what comes next, as the inside of a JSON string, or empty for 500; closed, none comes until the client has gone
	asked   chan []string // "role: content" of each request's messages
}

func newModel(t *testing.T) *model {
	m := &model{answers: make(chan string, 100), asked: make(chan []string, 100)}
	m.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var body struct {
			Model    string
			Messages []map[string]string
		}
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
			t.Error(err)
		}
		if r.URL.Path != "/v1/chat/completions" || r.Header.Get("Authorization") != "Bearer sk-test" || body.Model != "m1" {
			t.Errorf("got %s, authorization %q, model %q", r.URL.Path, r.Header.Get("Authorization"), body.Model)
		}
		var all []string
		for _, message := range body.Messages {
			if len(message) != 2 {
				t.Errorf("got %v, want a role and content: strict servers refuse more", message)
			}
			all = append(all, message["role"]+": "+message["content"])
		}
		m.asked <- all
		switch answer, ok := <-m.answers; {
		case !ok:
			<-r.Context().Done()
		case answer == "":
			w.WriteHeader(http.StatusInternalServerError)
		default:
			_, _ = fmt.Fprintf(w, `{"choices":[{"message":{"role":"assistant","content":"%s"}}]}`, answer)
		}
	}))
	t.Cleanup(m.Close)
	return m
}

func reply(id, text string) actions.Action {
	return actions.Say{ID: id, Text: text, Interruptible: true, UnlessSuperseded: true}
}

func startBot(t *testing.T, m *model, timeout string) *program {
	return start(t, "llm-bot", "OPENAI_BASE_URL="+m.URL+"/v1", "OPENAI_API_KEY=sk-test", "OPENAI_MODEL=m1", "LLM_TIMEOUT_MS="+timeout).serving()
}

func TestTheBotHoldsADialogueForEachCall(t *testing.T) {
	m := newModel(t)
	p := startBot(t, m, "30000")
	asked := func(want ...string) {
		t.Helper()
		select {
		case got := <-m.asked:
			if len(got) == 0 || !strings.HasPrefix(got[0], "system: ") || !slices.Equal(got[1:], want) {
				t.Errorf("asked %q, want the system's and %q", got, want)
			}
		default:
			t.Errorf("the model was not asked, want %q", want)
		}
	}
	same(t, "a new call", p.tell("CA1", events.CallStarted{Tracks: []events.Speaker{events.Caller}}), reply("hello", "Hello. How can I help?"))

	m.answers <- `  We are open\tfrom nine\n\u001b to five \ud83d. `
	same(t, "a question", p.tell("CA1", said(events.Caller, "When are you open?")), reply("reply-2", "We are open from nine to five ."))
	asked("user: When are you open?")

	same(t, "a repeat", p.again("CA1", said(events.Caller, "When are you open?")))
	same(t, "its own voice", p.tell("CA1", said(events.Agent, "We are open")))

	speech := events.BySpeech
	same(t, "an interruption", p.tell("CA1", events.PlaybackFinished{ActionID: "reply-2", InterruptedBy: &speech, HeardText: "We are open"}))
	m.answers <- "Yes."
	same(t, "the next question", p.tell("CA1", said(events.Caller, "On Sunday?")), reply("reply-5", "Yes."))
	asked("user: When are you open?", "assistant: We are open … (interrupted)", "user: On Sunday?")

	p.tell("CA1", failed(`{"type":"say","text":"Yes."}`, "reply-5")) // it was not said
	m.answers <- "Indeed."
	same(t, "after a failure", p.tell("CA1", said(events.Caller, "Hello?")), reply("reply-7", "Indeed."))
	asked("user: When are you open?", "assistant: We are open … (interrupted)", "user: On Sunday?", "user: Hello?")

	p.tell("CA1", ended())
	m.answers <- "New."
	same(t, "another call", p.deliver(event(t, "CA2", 1, said(events.Caller, "Hi"))), reply("reply-1", "New."))
	asked("user: Hi")
	m.answers <- "Again."
	same(t, "the call after its end", p.deliver(event(t, "CA1", 20, said(events.Caller, "Hi"))), reply("reply-20", "Again."))
	asked("user: Hi")
}

func TestTheBotSaysSoWhenTheModelIsLateOrFails(t *testing.T) {
	sorry := reply("late", "Sorry, I need a moment. Could you say that again?")
	m := newModel(t)
	p := startBot(t, m, "30000")
	m.answers <- "" // 500
	same(t, "a failure", p.tell("CA1", said(events.Caller, "one")), sorry)
	m.answers <- ` \u0000 `
	same(t, "nothing to say", p.tell("CA1", said(events.Caller, "two")), sorry)
	m.answers <- strings.Repeat("long 😀", 1000)
	if got := p.tell("CA1", said(events.Caller, "three")); len(got) != 1 {
		t.Errorf("got %v, want a beginning", got)
	}
	p.end()

	p = startBot(t, m, "200")
	close(m.answers)
	began := time.Now()
	same(t, "no answer", p.tell("CA1", said(events.Caller, "four")), sorry)
	t.Logf("said after %v", time.Since(began))
}
