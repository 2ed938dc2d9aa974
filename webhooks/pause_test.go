package webhooks

import (
	"net/http"
	"testing"
	"testing/synctest"
)

// retryAfterReply is an answer with a Retry-After header.
func retryAfterReply(status int, value string) reply {
	return reply{status: status, header: http.Header{"Retry-After": {value}}}
}

func TestRetryAfterPausesTheWholeEndpoint(t *testing.T) {
	for _, status := range []int{429, 503} {
		synctest.Test(t, func(t *testing.T) {
			tr := newTransportOf(func(s shot) reply {
				if s.at < 7*second {
					return retryAfterReply(status, "7")
				}
				return reply{status: 200}
			})
			r := rigged(t, Config{Transport: tr})
			r.journal.append("A", started)
			pass(second)
			r.journal.append("B", started) // held back: it uses no attempt
			pass(minute)
			wantTimes(t, tr.times(), 0, 7*second, 7*second)
			if got := tr.order(); got != "A/1 A/1 B/1" && got != "A/1 B/1 A/1" {
				t.Errorf("got order %s", got)
			}
			r.wantStates(t, "delivered", "delivered")
		})
	}
}

func TestTheLastAnswerOfALanePausesTheEndpointToo(t *testing.T) {
	const end = 27*hour + 42*minute + 35*second
	synctest.Test(t, func(t *testing.T) {
		tr := newTransportOf(func(s shot) reply {
			if s.at < end {
				return reply{status: 404}
			}
			return retryAfterReply(429, "60")
		})
		r := rigged(t, Config{Transport: tr})
		for range 3 {
			r.journal.append("A", ended)
		}
		r.drain(t)
		// Each of the events behind the exhausted one has one attempt, and none before the pause ends.
		wantTimes(t, tr.times()[9:], end, end+minute, end+2*minute)
		r.wantStates(t, "dead:exhausted", "dead:exhausted", "dead:exhausted")
	})
}

func TestTooManyRequestsPausesForTheLanesOwnDelayAtLeast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := newTransportOf(func(s shot) reply {
			if s.call == "A" {
				return reply{status: 429}
			}
			return reply{status: 200}
		})
		r := rigged(t, Config{Transport: tr})
		r.journal.append("A", started)
		pass(100 * ms)
		r.journal.append("B", started)
		pass(200 * ms)
		r.stop()
		for _, s := range tr.seen() {
			if s.call == "B" && s.at != 250*ms {
				t.Errorf("got B after %s, want 250ms", s.at)
			}
		}
		r.wantStates(t, "", "delivered")
	})
}

func TestAPauseIsShortWhileACallIsUpAndLongerAfter(t *testing.T) {
	for _, c := range []struct {
		asked, live, late string // Retry-After, and the wait that follows
	}{
		{"10", "10s", "10s"},
		{"60", "30s", "1m0s"},
		{"7200", "30s", "1h0m0s"},
	} {
		for _, live := range []bool{true, false} {
			synctest.Test(t, func(t *testing.T) {
				tr := newTransportOf(func(s shot) reply {
					if s.attempt == "1" {
						return retryAfterReply(503, c.asked)
					}
					return reply{status: 200}
				})
				r := rigged(t, Config{Transport: tr})
				kind, want := ended, c.late
				if live {
					kind, want = started, c.live
				}
				r.journal.append("A", kind)
				r.drain(t)
				if got := tr.times()[1].String(); got != want {
					t.Errorf("Retry-After %s, live %t: got a wait of %s, want %s", c.asked, live, got, want)
				}
			})
		}
	}
}

func TestAnyCallThatIsUpShortensThePauseOfALateOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := newTransportOf(func(s shot) reply {
			if s.call == "late" && s.attempt == "1" {
				return retryAfterReply(503, "3600")
			}
			return reply{status: 200}
		})
		r := rigged(t, Config{Transport: tr})
		r.journal.append("up", started)
		pass(second)
		r.journal.append("late", ended)
		r.drain(t)
		wantTimes(t, tr.times(), 0, second, 31*second)
	})
}

func TestGoneEndsAPauseToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := newTransportOf(func(s shot) reply {
			if s.call == "A" {
				return retryAfterReply(503, "3600")
			}
			return reply{status: 410, after: second}
		})
		r := rigged(t, Config{Transport: tr})
		r.journal.append("A", ended)
		r.journal.append("B", ended)
		pass(100 * ms)
		r.journal.append("C", ended)
		pass(second)
		r.wantStates(t, "dead:endpoint_gone", "dead:endpoint_gone", "dead:endpoint_gone")
	})
}

func TestANewCallShortensALongPause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := newTransportOf(func(s shot) reply {
			if s.at < second {
				return retryAfterReply(503, "3600")
			}
			return reply{status: 200}
		})
		r := rigged(t, Config{Transport: tr})
		r.journal.append("A", ended)
		pass(10 * second)
		r.journal.append("B", started)
		pass(25 * second)
		// 30 s after the pause began. B is live and goes first; A's own delay is over too.
		wantTimes(t, tr.times(), 0, 30*second, 30*second)
		r.wantStates(t, "delivered", "delivered")
	})
}

func TestGoneDisablesTheEndpointAndWaitingEventsDie(t *testing.T) {
	for name, bye := range map[string]reply{
		"410":     {status: 410},
		"disable": {status: 500, header: http.Header{"Webhook-Delivery": {"disable"}}},
	} {
		synctest.Test(t, func(t *testing.T) {
			tr := newTransportOf(func(s shot) reply {
				switch {
				case s.call == "A" && s.n == 1:
					return reply{status: 500}
				case s.call == "B":
					return reply{status: bye.status, header: bye.header, after: second}
				case s.call == "C":
					return reply{status: 200, after: 2 * second}
				}
				return reply{status: 500, after: 2 * second}
			})
			other := newTransportOf(always(200))
			r := rigged(t, Config{
				Transport: byHost{"main.test": tr, "other.test": other},
				Endpoints: []Endpoint{
					{Name: "main", URL: "http://main.test", Secrets: []Secret{testSecret}},
					{Name: "other", URL: "http://other.test", Secrets: []Secret{testSecret}},
				},
			})
			r.journal.append("A", started) // fails and waits
			r.journal.append("A", said)
			r.journal.append("B", started) // gets the 410 answer
			r.journal.append("C", started) // under way then, and arrives
			r.journal.append("C", said)
			r.journal.append("D", started) // under way then, and fails
			pass(3 * second)
			requests := len(tr.seen())
			r.journal.append("D", said) // after the end
			pass(minute)
			r.wantStates(t, "dead:endpoint_gone", "dead:endpoint_gone", "dead:endpoint_gone", "delivered",
				"dead:endpoint_gone", "dead:endpoint_gone", "dead:endpoint_disabled")
			if got := len(tr.seen()); got != requests {
				t.Errorf("%s: got %d requests after the end", name, got-requests)
			}
			if got := len(other.seen()); got != 7 {
				t.Errorf("%s: the other endpoint got %d requests, want 7", name, got)
			}
			r.drain(t)
		})
	}
}

// byHost gives each host its own transport.
type byHost map[string]http.RoundTripper

func (b byHost) RoundTrip(req *http.Request) (*http.Response, error) {
	return b[req.URL.Host].RoundTrip(req)
}
