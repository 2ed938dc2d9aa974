package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"aldeabridge/events"
)

// maxFile bounds the file. A thousand routes take a hundred kilobytes.
const maxFile = 4 << 20

// Read reads a file and everything it says. Its error joins one for each thing that is wrong. getenv, such as os.Getenv,
// is asked for what ${NAME} stands for. Files that the file names are not opened; if they are relative, they are so to
// the directory it is in.
func Read(file string, getenv func(string) string) (*Config, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, err
	}
	return Parse(file, data, getenv)
}

// Parse is Read with what is in the file.
func Parse(file string, data []byte, getenv func(string) string) (*Config, error) {
	if len(data) > maxFile {
		return nil, fmt.Errorf("%s: has more than %d bytes", file, maxFile)
	}
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	var document, more yaml.Node
	switch err := decoder.Decode(&document); {
	case errors.Is(err, io.EOF):
		return &Config{}, nil // empty, or comments only
	case err != nil:
		return nil, malformed(file, data, err)
	}
	if err := decoder.Decode(&more); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%s: only one document is read: there must be no --- after the beginning", file)
	}
	r := &reader{file: file, getenv: getenv}
	c := r.config(document.Content[0])
	if len(r.errs) > 0 {
		return nil, errors.Join(r.errs...)
	}
	return c, nil
}

// config reads the whole file.
func (r *reader) config(n *yaml.Node) *Config {
	c := &Config{}
	if n.Tag == "!!null" {
		return c
	}
	r.mapping(n, "bridge.yaml",
		field{"webhooks", func(n *yaml.Node) {
			r.pairs(n, "webhooks", func(key, value *yaml.Node) { c.Webhooks = append(c.Webhooks, r.webhook(key, value)) })
		}},
		field{"routes", func(n *yaml.Node) {
			r.list(n, "routes", `- to: ["+15550100002"]`, func(n *yaml.Node) { c.Routes = append(c.Routes, r.route(n)) })
		}})
	for _, route := range c.Routes {
		r.named(c, route)
	}
	return c
}

// webhookName is also part of the id of a delivery, "<event>.<endpoint>", and of a file's name.
var webhookName = regexp.MustCompile(`^[a-z0-9_-]{1,40}$`)

func (r *reader) webhook(key, value *yaml.Node) Webhook {
	w := Webhook{Name: key.Value}
	switch {
	case !webhookName.MatchString(w.Name):
		r.fail(key, "%q cannot be the name of a webhook: use 1 to 40 of a-z, 0-9, - and _", w.Name)
	case w.Name == DefaultWebhook:
		r.fail(key, "the name %s is that of WEBHOOK_URL: choose another", w.Name)
	}
	var types []string
	w.Place = r.mapping(value, "a webhook",
		r.expanded("url", &w.URL),
		r.text("secret_env", &w.SecretEnv),
		r.path("secret_file", &w.SecretFile),
		r.texts("events", "[utterance.final, call.ended]", &types),
		r.duration("timeout", &w.Timeout),
		r.number("concurrency", 1, func(n int) { w.Concurrency = n }),
		field{"headers", func(n *yaml.Node) { w.Headers = r.headers(n) }},
		r.path("ca_file", &w.CAFile),
		r.path("certificate_file", &w.CertificateFile),
		r.path("key_file", &w.KeyFile),
		r.expanded("proxy", &w.Proxy))
	w.line = key.Line
	var err error
	if w.Events, err = events.ParseStoredTypes(types); err != nil {
		r.errs = append(r.errs, w.Errorf("events", "%w", err))
	}
	if _, said := w.fields["url"]; !said && value.Kind == yaml.MappingNode {
		r.errs = append(r.errs, w.Errorf("", "webhook %s has no url", w.Name))
	}
	if w.SecretEnv != "" && w.SecretFile != "" {
		r.errs = append(r.errs, w.Errorf("secret_file", "there is a secret_env too: keep one"))
	}
	if (w.CertificateFile == "") != (w.KeyFile == "") {
		r.errs = append(r.errs, w.Errorf("", "webhook %s: certificate_file and key_file need each other", w.Name))
	}
	return w
}

// headers reads what is sent with each request.
func (r *reader) headers(n *yaml.Node) map[string]string {
	headers := map[string]string{}
	r.pairs(n, "headers", func(key, value *yaml.Node) {
		var v string
		r.expanded("the header "+key.Value, &v).read(value)
		headers[key.Value] = v
	})
	return headers
}

// path returns the field of a file's name.
func (r *reader) path(name string, to *string) field {
	plain := r.text(name, to)
	return field{name, func(n *yaml.Node) {
		plain.read(n)
		if *to != "" && !filepath.IsAbs(*to) {
			*to = filepath.Join(filepath.Dir(r.file), *to)
		}
	}}
}

func (r *reader) route(n *yaml.Node) Route {
	var route Route
	route.Place = r.mapping(n, "a route",
		r.patterns("to", &route.To),
		r.patterns("from", &route.From),
		r.texts("webhooks", "[orders]", &route.Webhooks),
		r.text("language", &route.Language),
		r.text("voice", &route.Voice),
		r.texts("keywords", "[Alda, refund]", &route.Keywords),
		r.texts("redact", "[pci]", &route.Redact),
		r.text("endpointing", &route.Endpointing),
		r.number("utterance_end_ms", 0, func(ms int) {
			d := time.Duration(ms) * time.Millisecond
			route.UtteranceEnd = &d
		}))
	if ms, ok := parseWhole(route.Endpointing); ok {
		route.Endpointing = strconv.Itoa(ms)
	}
	_, to := route.fields["to"]
	_, from := route.fields["from"]
	if !to && !from && n.Kind == yaml.MappingNode {
		r.errs = append(r.errs, route.Errorf("", `a route needs to or from, so that it is known which calls it is for; to: ["*"] is for all`))
	}
	return route
}

// patterns returns the field of a list of numbers. It may not be empty.
func (r *reader) patterns(name string, to *[]Pattern) field {
	const example = `["+15550100002", "+1555020*"]`
	return field{name, func(n *yaml.Node) {
		if n.Kind == yaml.SequenceNode && len(n.Content) == 0 {
			r.fail(n, "%s is empty: it must be a list of numbers, such as %s", name, example)
		}
		r.list(n, name, example, func(item *yaml.Node) {
			p, err := ParsePattern(item.Value)
			if item.Kind != yaml.ScalarNode || err != nil {
				r.fail(item, "%s: %w", name, err)
				return
			}
			*to = append(*to, p)
		})
	}}
}

// named notes webhooks of a route that do not exist, or are there twice.
func (r *reader) named(c *Config, route Route) {
	names := []string{DefaultWebhook}
	for _, w := range c.Webhooks {
		names = append(names, w.Name)
	}
	for i, name := range route.Webhooks {
		switch {
		case !slices.Contains(names, name):
			r.errs = append(r.errs, route.Errorf("webhooks", "there is no webhook %q; there are %s", name, strings.Join(names, ", ")))
		case slices.Contains(route.Webhooks[:i], name):
			r.errs = append(r.errs, route.Errorf("webhooks", "%s is there twice", name))
		}
	}
}
