package config

import (
	"fmt"
	"time"

	"aldeabridge/events"
)

// A Config is what bridge.yaml says.
type Config struct {
	Webhooks []Webhook // in the order of the file, their names unique
	Routes   []Route   // the first that matches a call is its route
}

// DefaultWebhook is the name of the webhook that does not stand in the file, but in the environment.
const DefaultWebhook = "default"

// A Webhook is an endpoint. Its zero fields mean what they do in webhooks.Endpoint. Paths are absolute, or relative to
// the working directory.
type Webhook struct {
	Place
	Name            string // 1 to 40 of a-z, 0-9, _ and -
	URL             string
	SecretEnv       string // the variable that holds the secrets; at most one of this and SecretFile is set
	SecretFile      string
	Events          []events.Type
	Timeout         time.Duration
	Concurrency     int
	Headers         map[string]string
	CAFile          string
	CertificateFile string // set if and only if KeyFile is
	KeyFile         string
	Proxy           string // an address, "environment", or empty for none
}

// A Route says what happens to the calls between some numbers. Its zero fields mean what the server's options say.
type Route struct {
	Place
	To, From []Pattern // each empty, or one of them must match; not both are empty
	// Webhooks are the names of those that receive the call's events. Nil is the default webhook, empty is none.
	Webhooks    []string
	Language    string
	Voice       string   // that speaks, as the engine names it
	Keywords    []string // nil is not said, empty is none
	Redact      []string // nil is not said, empty is nothing
	Endpointing string   // milliseconds or "false"
	// UtteranceEnd is nil if it is not said; 0 is off.
	UtteranceEnd *time.Duration
}

// A Place is where something stands in the file.
type Place struct {
	file   string
	line   int
	fields map[string]int // the lines of its fields
}

// Errorf returns an error that begins with the place of a field, and its name. A field that is not there, or "", has the
// place of the whole.
func (p Place) Errorf(field, format string, args ...any) error {
	at, named := p.fields[field]
	if !named {
		at = p.line
	}
	if field != "" {
		format = field + ": " + format
	}
	return errorAt(p.file, at, format, args...)
}

// errorAt is an error that names a line.
func errorAt(file string, line int, format string, args ...any) error {
	return fmt.Errorf("%s:%d: %w", file, line, fmt.Errorf(format, args...))
}
