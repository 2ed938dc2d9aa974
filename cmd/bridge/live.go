package main

import (
	"encoding/json"

	"aldeabridge/events"
	"aldeabridge/internal/api/client"
)

// A liveView shows events to people: what is final stays; the newest interim grows in the last line, whichever call it is
// of.
type liveView struct {
	lines
	one bool // call: lines carry its own clock and no label

	// What grows now, so that it can be shown again below a line that stays.
	call    string
	speaker string
	prefix  string
	text    sentence
}

// show shows one event.
func (v *liveView) show(m client.Message) error {
	var e events.Event
	if known := json.Unmarshal(m.Data, &e) == nil; !known { // it is of a newer bridge
		v.say(prefix("", ""), m.Type)
		return nil
	}
	d, ok := describe(e)
	if !ok {
		return nil
	}
	head := prefix(d.at, d.who)
	if !v.one {
		head = e.Time.Local().Format("15:04:05") + "  " + label(e.Call.ID) + prefix("", d.who)[8:]
		if _, ok := e.Body.(events.CallStarted); ok {
			d.text += ": " + orDash(e.Call.From) + " → " + orDash(e.Call.To) + "  " + e.Call.ID
		}
	}
	if d.grows {
		v.call, v.speaker, v.prefix, v.text = e.Call.ID, d.who, head, d
		d.show(&v.lines, head)
		return nil
	}
	v.settle(e.Call.ID, d.who)
	d.show(&v.lines, head)
	if v.call != "" {
		v.text.show(&v.lines, v.prefix)
	}
	return nil
}

// settle forgets what grows if it is of this speaker, or if the whole call is over.
func (v *liveView) settle(call, who string) {
	if v.call == call && (v.speaker == who || who == "call") {
		v.call = ""
	}
}

// label is a short name of a call: the end of its id, since many begin alike.
func label(id string) string {
	r := []rune(id)
	return string(r[max(0, len(r)-6):])
}
