package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"

	"aldeabridge/events"
	"aldeabridge/internal/actions"
	"aldeabridge/internal/api"
	"aldeabridge/internal/call"
	"aldeabridge/internal/egress"
	"aldeabridge/webhooks"
)

// answered queues the actions of a webhook's answer. Actions that cannot be read, or come too late, are reported and not done.
func (s *server) answered(r webhooks.Reply) {
	id, event := r.Record.CallID, r.Record.ID
	items, err := s.readAnswer(r)
	if err != nil {
		if r.Record.Type == events.TypeActionFailed {
			// Its answer would be no better: the two would go on for ever.
			s.logger.Warn("answer to action.failed cannot be read", "call_sid", id, "endpoint", r.Endpoint, "in_reply_to", event, "err", err)
			return
		}
		s.calls.Refuse(id, event, err)
		return
	}
	if len(items) == 0 {
		return
	}
	_, err = s.calls.Act(id, call.Request{Items: items, InReplyTo: event, Utterances: utterances(r.Record)})
	if err != nil {
		s.late.Add(1)
		s.logger.Warn("actions not done", "call_sid", id, "endpoint", r.Endpoint, "in_reply_to", event, "actions", len(items), "err", err)
		s.calls.Refuse(id, event, err)
	}
}

// readAnswer reads the actions of an answer.
func (s *server) readAnswer(r webhooks.Reply) ([]actions.Item, error) {
	if r.Err != nil {
		return nil, fmt.Errorf("the answer cannot be read: %w", r.Err)
	}
	return s.readActions(r.Body)
}

// utterances is how many utterances of the call had ended at an event, or negative if it does not say.
func utterances(r events.Record) int {
	var e events.Event
	if r.Type != events.TypeUtteranceFinal || json.Unmarshal(r.Body, &e) != nil {
		return -1
	}
	return e.Body.(events.UtteranceFinal).Utterance.Index
}

// readActions reads untrusted actions: their URLs may lead to public addresses only.
func (s *server) readActions(body []byte) ([]actions.Item, error) {
	return actions.Parse(body, actions.Options{CheckURL: func(text string) error { return checkURL(s.strangers(), text) }})
}

// strangers returns the guard for URLs that webhooks and API clients supply (SSRF).
func (s *server) strangers() egress.Guard {
	g := egress.Guard{Allow: s.options.allowed}
	if own, err := netip.ParseAddrPort(s.listener.Addr().String()); err == nil {
		g.Own = []netip.AddrPort{own}
	}
	return g
}

// checkURL says at once what is wrong with a URL. Where a name leads is seen when the connection is made.
func checkURL(g egress.Guard, text string) error {
	u, err := g.URL(text)
	if err != nil {
		return err
	}
	if isAddress(u.Hostname()) && g.Control("tcp", hostPort(u), nil) != nil {
		return errors.New("its address is not allowed: it is not a public one (BRIDGE_ALLOW_NETWORKS can allow it)")
	}
	return nil
}

// isAddress says whether a host is an address, not a name.
func isAddress(host string) bool {
	_, err := netip.ParseAddr(host)
	return err == nil
}

// hostPort is where a URL of https leads.
func hostPort(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = "443"
	}
	return net.JoinHostPort(u.Hostname(), port)
}

// Act is what the API's POST /v1/calls/{id}/actions does.
func (s *server) Act(callID string, body []byte) ([]string, error) {
	items, err := s.readActions(body)
	switch {
	case err != nil:
		return nil, fmt.Errorf("%w: %w", api.ErrActions, err)
	case len(items) == 0:
		return nil, fmt.Errorf(`%w: %s; {"actions":[{"type":"say","text":"Hello."}]} would be right`, api.ErrActions, noActions(body))
	}
	ids, err := s.calls.Act(callID, call.Request{Items: items, Utterances: -1})
	switch {
	case errors.Is(err, call.ErrNoCall):
		return nil, fmt.Errorf("%w: %w", api.ErrConflict, err)
	case errors.Is(err, call.ErrBusy):
		return nil, fmt.Errorf("%w: %w", api.ErrBusy, err)
	}
	return ids, err
}

// noActions says why a body asks for nothing.
func noActions(body []byte) string {
	var fields map[string]json.RawMessage
	body = bytes.TrimSpace(body)
	switch {
	case len(body) == 0:
		return "the body is empty"
	case !json.Valid(body):
		return "the body is not JSON"
	case json.Unmarshal(body, &fields) != nil || fields == nil:
		return "the body is not a JSON object"
	case fields["actions"] == nil:
		return `the object has no "actions"`
	}
	return `the list "actions" is empty`
}
