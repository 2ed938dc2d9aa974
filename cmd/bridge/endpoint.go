package main

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"

	"aldeabridge/events"
	"aldeabridge/internal/config"
	"aldeabridge/internal/journal"
	"aldeabridge/webhooks"
)

// endpoints returns the webhooks to deliver to: that of WEBHOOK_URL and those of BRIDGE_CONFIG.
func (s *server) endpoints(routes *config.Config) (all []webhooks.Endpoint, err error) {
	if s.options.WebhookURL != "" {
		e, err := s.defaultEndpoint()
		if err != nil {
			return nil, err
		}
		all = append(all, e)
	}
	for _, w := range routes.Webhooks {
		e, err := s.routedEndpoint(w)
		if err != nil {
			return nil, err
		}
		all = append(all, e)
		if !slices.ContainsFunc(routes.Routes, func(r config.Route) bool { return slices.Contains(r.Webhooks, w.Name) }) {
			s.logger.Warn("no route names this webhook: it gets nothing", "endpoint", w.Name)
		}
	}
	switch {
	case len(all) == 0:
		s.logger.Warn("no WEBHOOK_URL: events are not delivered to anyone")
	case s.options.WebhookURL == "":
		s.logger.Info("no WEBHOOK_URL: events of calls that no route gives webhooks are not delivered to anyone")
	}
	return all, nil
}

// defaultEndpoint is the webhook of WEBHOOK_URL.
func (s *server) defaultEndpoint() (webhooks.Endpoint, error) {
	o := s.options.Webhook
	wrong := func(field, format string, args ...any) error {
		if field == "" {
			field = "url"
		}
		return fmt.Errorf("WEBHOOK_"+strings.ToUpper(field)+": "+format, args...)
	}
	types, err := events.ParseStoredTypes(o.Events)
	if err != nil {
		return webhooks.Endpoint{}, wrong("events", "%w", err)
	}
	w := config.Webhook{
		Name: config.DefaultWebhook, URL: s.options.WebhookURL, Events: types, Timeout: o.Timeout, CAFile: o.CAFile, Proxy: o.Proxy,
	}
	secrets := s.options.secrets.webhook
	if len(secrets) == 0 {
		if secrets, err = s.keptSecrets(w.Name); err != nil {
			return webhooks.Endpoint{}, err
		}
	}
	return endpoint(w, secrets, wrong)
}

// routedEndpoint is a webhook of BRIDGE_CONFIG.
func (s *server) routedEndpoint(w config.Webhook) (webhooks.Endpoint, error) {
	var value, field string
	var err error
	switch {
	case w.SecretEnv != "":
		field = "secret_env"
		if value, err = secretText(w.SecretEnv); err == nil && value == "" {
			err = fmt.Errorf("the environment variable %q is not set", w.SecretEnv)
		}
	case w.SecretFile != "":
		field = "secret_file"
		value, err = secretFile(w.SecretFile)
	default:
		secrets, err := s.keptSecrets(w.Name)
		if err != nil {
			return webhooks.Endpoint{}, err
		}
		return endpoint(w, secrets, w.Errorf)
	}
	if err != nil {
		return webhooks.Endpoint{}, w.Errorf(field, "%w", err)
	}
	secrets, err := webhooks.ParseSecrets(value)
	if err != nil {
		return webhooks.Endpoint{}, w.Errorf(field, "%w", err)
	}
	return endpoint(w, secrets, w.Errorf)
}

// keptSecrets are those that this installation made for a webhook.
func (s *server) keptSecrets(webhook string) ([]webhooks.Secret, error) {
	dir, err := s.options.dataDir()
	if err != nil {
		return nil, err
	}
	value, file, err := keptWebhookSecret(dir, webhook)
	if err != nil {
		return nil, fmt.Errorf("BRIDGE_DATA_DIR: %w", err)
	}
	secrets, err := webhooks.ParseSecrets(value)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	s.logger.Info("no secret given: signing with the one kept in the data directory", "endpoint", webhook, "file", file)
	return secrets, nil
}

// endpoint returns the endpoint of a webhook. wrong makes its errors: it knows where the webhook's fields were set.
func endpoint(w config.Webhook, secrets []webhooks.Secret, wrong func(field, format string, args ...any) error) (webhooks.Endpoint, error) {
	e := webhooks.Endpoint{
		Name: w.Name, URL: w.URL, Secrets: secrets, Types: w.Events, Timeout: w.Timeout, Concurrency: w.Concurrency, Header: http.Header{},
	}
	for name, value := range w.Headers {
		e.Header.Add(name, value)
	}
	var err error
	if w.CAFile != "" {
		if e.RootCAs, err = authorities(w.CAFile); err != nil {
			return e, wrong("ca_file", "%w", err)
		}
	}
	if w.CertificateFile != "" {
		pair, err := tls.LoadX509KeyPair(w.CertificateFile, w.KeyFile)
		if err != nil {
			return e, wrong("certificate_file", "%w", err)
		}
		e.Certificates = []tls.Certificate{pair}
	}
	if e.Proxy, err = proxy(w.Proxy); err != nil {
		return e, wrong("proxy", "%w", err)
	}
	// A dispatcher that never runs costs nothing, and knows what an endpoint may be.
	if _, err := webhooks.New(webhooks.Config{Endpoints: []webhooks.Endpoint{e}, Journal: journal.NewMemory(1)}); err != nil {
		text := strings.TrimPrefix(err.Error(), "webhooks: endpoint "+e.Name+": ")
		text, field := strings.TrimPrefix(text, "webhooks: "), ""
		if strings.HasPrefix(text, "time-out ") {
			field = "timeout"
		}
		return e, wrong(field, "%s", text)
	}
	return e, nil
}

// authorities reads the certificates of a file.
func authorities(file string) (*x509.CertPool, error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(b) {
		return nil, fmt.Errorf("%s has no certificate in PEM form (-----BEGIN CERTIFICATE-----)", file)
	}
	return pool, nil
}

// errProxy does not repeat the address: it may hold a password.
var errProxy = errors.New(`it must be an address such as http://proxy:3128 (or https, socks5), or "environment" for what HTTPS_PROXY says`)

// proxy returns what chooses the proxy of an address, nil for none.
func proxy(address string) (func(*http.Request) (*url.URL, error), error) {
	switch address {
	case "":
		return nil, nil
	case "environment":
		return http.ProxyFromEnvironment, nil
	}
	u, err := url.Parse(address)
	if err != nil || u.Hostname() == "" || !slices.Contains([]string{"http", "https", "socks5"}, u.Scheme) {
		return nil, errProxy
	}
	return http.ProxyURL(u), nil
}
