package main

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"aldeabridge/aldea"
	"aldeabridge/events"
	"aldeabridge/internal/call"
	"aldeabridge/internal/config"
)

// A router selects the webhooks and the recognizer settings of each call, as BRIDGE_CONFIG says.
type router struct {
	config      *config.Config
	unsaid      []string      // the webhooks of a call of which nothing is said
	recognition []recognition // by the index of the route
}

// A recognition is how calls are recognized.
type recognition struct {
	recognizer       call.Recognizer
	settings         events.Recognizer
	utteranceTimeout time.Duration
}

// webhooks returns the names of the endpoints that receive a call's events.
func (r *router) webhooks(c events.Call) []string {
	i := r.config.Find(c.From, c.To)
	if i < 0 || r.config.Routes[i].Webhooks == nil {
		return r.unsaid
	}
	return r.config.Routes[i].Webhooks
}

// recognize changes the configuration of a call to how its route wants it recognized.
func (r *router) recognize(config *call.Config, route int) {
	own := r.recognition[route]
	config.Recognizer, config.Settings, config.UtteranceTimeout = own.recognizer, own.settings, own.utteranceTimeout
}

// newRouter returns the router of a configuration, for calls that are recognized by client unless their route says
// otherwise. Errors have the line of what is wrong.
func newRouter(routes *config.Config, o *options, client *aldea.Client, simulated bool) (*router, error) {
	r := &router{config: routes, unsaid: []string{}}
	if o.WebhookURL != "" {
		r.unsaid = []string{config.DefaultWebhook}
	}
	for _, route := range routes.Routes {
		if o.WebhookURL == "" && slices.Contains(route.Webhooks, config.DefaultWebhook) {
			return nil, route.Errorf("webhooks", "%s is the webhook of WEBHOOK_URL, which is not set", config.DefaultWebhook)
		}
		own, err := recognizerOf(route, client)
		if err != nil {
			return nil, err
		}
		a := o.Aldea.routed(route)
		r.recognition = append(r.recognition, recognition{recognizer{own}, a.settings(simulated), a.utteranceTimeout()})
	}
	return r, nil
}

// recognizerOf returns the client for the calls of a route.
func recognizerOf(route config.Route, client *aldea.Client) (*aldea.Client, error) {
	s := aldea.Settings{Language: route.Language, Endpointing: route.Endpointing, Keywords: route.Keywords, Redact: route.Redact}
	if end := route.UtteranceEnd; end != nil {
		if s.UtteranceEnd = *end; *end == 0 {
			s.UtteranceEnd = -1 // off
		}
	}
	if s.Language == "" && s.Endpointing == "" && s.UtteranceEnd == 0 && s.Keywords == nil && s.Redact == nil {
		return client, nil
	}
	own, err := client.With(s)
	if err != nil {
		field, text, _ := strings.Cut(strings.TrimPrefix(err.Error(), "aldea: Config."), ": ")
		if field = strings.ToLower(field); field == "utteranceend" {
			field = "utterance_end_ms"
		}
		return nil, route.Errorf(field, "%s", aldeaNames.Replace(text))
	}
	return own, nil
}

// routed returns o with what a route says.
func (o aldeaOptions) routed(route config.Route) *aldeaOptions {
	if route.Language != "" {
		o.Language = route.Language
	}
	if route.Endpointing != "" {
		o.Endpointing = route.Endpointing
	}
	if route.UtteranceEnd != nil {
		o.UtteranceEndMS = int(route.UtteranceEnd.Milliseconds())
	}
	if route.Keywords != nil {
		o.Keywords = route.Keywords
	}
	return &o
}

// readConfig reads BRIDGE_CONFIG. Without one there are no routes.
func (s *server) readConfig() (*config.Config, error) {
	if s.options.Config == "" {
		return &config.Config{}, nil
	}
	routes, err := config.Read(s.options.Config, os.Getenv)
	if err != nil {
		return nil, fmt.Errorf("BRIDGE_CONFIG: %w", err)
	}
	s.logger.Info("configuration read", "file", s.options.Config, "webhooks", len(routes.Webhooks), "routes", len(routes.Routes))
	return routes, nil
}
