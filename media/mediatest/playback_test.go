package mediatest

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

// heard writes audio down: its bytes, each with its length in milliseconds.
func heard(mulaw []byte) string {
	var parts []string
	for len(mulaw) > 0 {
		n := 1
		for n < len(mulaw) && mulaw[n] == mulaw[0] {
			n++
		}
		parts = append(parts, fmt.Sprintf("%c%d", mulaw[0], n/8))
		mulaw = mulaw[n:]
	}
	return strings.ReplaceAll(strings.Join(parts, " "), "ÿ", "-")
}

func audio(kind string, d time.Duration) []byte {
	return []byte(strings.Repeat(kind, int(d/perSample)))
}

func TestFaultsOfThePlayback(t *testing.T) {
	// Half a second of a, of which 300 ms are heard, a clear, and half a second of b at once behind it.
	for _, c := range []struct {
		name   string
		faults Faults
		heard  string
		marks  string // when they come back, in milliseconds
	}{
		{"none", Faults{}, "a300 b500", "A300 B800"},
		{"marks lost", Faults{LostMarks: 1}, "a300 b500", ""},
		{"marks twice", Faults{RepeatedMarks: 1}, "a300 b500", "A300 A300 B800 B800"},
		{"flushed marks lost", Faults{NoFlushedMarks: true}, "a300 b500", "B800"},
		{"clears lost", Faults{LostClears: 1}, "a500 b500", "A500 B1000"},
		{"clears late", Faults{ClearDelay: 100 * ms}, "a400", "A400 B400"},
		{"clears twice", Faults{RepeatedClears: 1}, "a300 b500", "A300 B800"},
		{"clears late and twice", Faults{ClearDelay: 250 * ms, RepeatedClears: 1}, "a500 b50", "A500 B550"},
	} {
		call := Call{Faults: c.faults, Record: true}
		t0 := time.Unix(1000, 0)
		p := newPlayback(&call, 1, t0, time.Minute)
		p.play(audio("a", 500*ms), t0)
		p.mark("A", t0)
		p.clear(t0.Add(300 * ms))
		p.play(audio("b", 500*ms), t0.Add(300*ms))
		p.mark("B", t0.Add(300*ms))
		var marks []string
		for at := time.Duration(0); at < 2*time.Second; at += ms {
			for name, ok := p.due(t0.Add(at)); ok; name, ok = p.due(t0.Add(at)) {
				marks = append(marks, fmt.Sprint(name, at.Milliseconds()))
			}
		}
		end := t0.Add(1100 * ms)
		got, _, _ := strings.Cut(heard(p.end(end)), " -")
		if got != c.heard || strings.Join(marks, " ") != c.marks {
			t.Errorf("%s: got %q, marks %v, want %q, marks %s", c.name, got, marks, c.heard, c.marks)
		}
	}
}

func TestLateMarksAreDecidedByTheSeed(t *testing.T) {
	late := func(seed uint64) (all []time.Duration) {
		p := newPlayback(&Call{Seed: seed, Faults: Faults{LateMarks: 0.5, MarkDelay: 300 * ms}}, 1, time.Time{}, 0)
		for range 100 {
			p.mark("", time.Time{})
		}
		for _, m := range p.marks {
			all = append(all, m.delay)
		}
		return all
	}
	one := late(1)
	onTime := 0
	for _, d := range one {
		if d == 0 {
			onTime++
		}
	}
	if onTime < 30 || onTime > 70 || slices.Max(one) < 200*ms || slices.Max(one) >= 300*ms {
		t.Errorf("got %d of 100 on time and at most %v late, want about half and less than 300 ms", onTime, slices.Max(one))
	}
	if !slices.Equal(one, late(1)) || slices.Equal(one, late(2)) {
		t.Error("want the same delays for the same seed, and others for another")
	}
}

func TestWhatWasHeardIsKept(t *testing.T) {
	for _, speed := range []float64{1, 4} {
		var began []time.Duration
		call := Call{
			StreamSID: "MZ1", Record: true, Speed: speed,
			Inbound: slices.Concat(audio("\xff", 400*ms), audio("\x10", 100*ms), audio("\xff", 100*ms), audio("\x90", 40*ms), audio("\xff", 260*ms), audio("\x80", 100*ms)),
			Burst:   func(offset time.Duration, _ time.Time) { began = append(began, offset) },
		}
		scale := func(d time.Duration) time.Duration { return time.Duration(float64(d) / speed) }
		var cleared time.Time
		_, result := run(t, &call, func(_ *server, conn *websocket.Conn) {
			send := func(m string) { _ = conn.WriteMessage(websocket.TextMessage, []byte(m)) }
			media := func(kind string) {
				send(`{"event":"media","streamSid":"MZ1","media":{"payload":"` + base64.StdEncoding.EncodeToString(audio(kind, 300*ms)) + `"}}`)
			}
			for range 2 { // connected and start
				_, _, _ = conn.ReadMessage()
			}
			time.Sleep(scale(100 * ms))
			media("a")
			time.Sleep(scale(200 * ms))
			send(`{"event":"clear","streamSid":"MZ1"}`)
			cleared = time.Now()
			time.Sleep(scale(200 * ms))
			media("b")
			media("c")
		})
		if got, want := heard(result.Heard), "-100 a200 -200 b300 c200"; got != want {
			t.Errorf("speed %v: got %q, want %q", speed, got, want)
		}
		if len(result.ClearedAt) != 1 || !result.ClearedAt[0].Equal(cleared) {
			t.Errorf("speed %v: cleared at %v, want %v", speed, result.ClearedAt, cleared)
		}
		if want := []time.Duration{400 * ms, 900 * ms}; !slices.Equal(began, want) {
			t.Errorf("speed %v: bursts at %v, want %v", speed, began, want)
		}
	}
}
