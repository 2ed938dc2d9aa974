package compat

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// A document is the part of an OpenAPI document that the comparison reads.
type document struct {
	Paths      map[string]map[string]operation
	Components struct {
		Parameters map[string]parameter
		Responses  map[string]response
		Schemas    map[string]*schema
	}
}

type operation struct {
	Parameters  []parameter
	RequestBody *struct {
		Required bool
		Content  map[string]media
	}
	Responses map[string]response
}

type parameter struct {
	Ref      string `json:"$ref"`
	Name, In string
	Required bool
	Schema   *schema
}

type response struct {
	Ref     string `json:"$ref"`
	Headers map[string]media
	Content map[string]media
}

type media struct{ Schema *schema }

func parseDocument(data []byte) (document, error) {
	var d document
	err := json.Unmarshal(data, &d)
	return d, err
}

// component returns the last element of a reference such as "#/components/schemas/Call".
func component(ref string) string { return ref[strings.LastIndexByte(ref, '/')+1:] }

func (d document) parameter(p parameter) parameter {
	if p.Ref != "" {
		return d.Components.Parameters[component(p.Ref)]
	}
	return p
}

func (d document) response(r response) response {
	if r.Ref != "" {
		return d.Components.Responses[component(r.Ref)]
	}
	return r
}

func (d document) schema(s *schema) *schema {
	if s != nil && s.Ref != "" {
		return d.Components.Schemas[component(s.Ref)]
	}
	return s
}

// A comparison collects what breaks clients of the old document.
type comparison struct {
	old, new document
	visited  map[string]bool // pairs of references that were compared, with their direction
	broken   []string
}

// compareAPI returns what a client of the old OpenAPI document cannot rely on in the new one.
func compareAPI(old, new []byte) ([]string, error) {
	c := comparison{visited: map[string]bool{}}
	var err error
	if c.old, err = parseDocument(old); err != nil {
		return nil, fmt.Errorf("old document: %w", err)
	}
	if c.new, err = parseDocument(new); err != nil {
		return nil, fmt.Errorf("new document: %w", err)
	}
	for _, path := range sorted(c.old.Paths) {
		for _, method := range sorted(c.old.Paths[path]) {
			name := strings.ToUpper(method) + " " + path
			after, ok := c.new.Paths[path][method]
			if !ok {
				c.add(name, "the route is gone")
				continue
			}
			c.operation(name, c.old.Paths[path][method], after)
		}
	}
	return c.broken, nil
}

func (c *comparison) add(at, format string, args ...any) {
	c.broken = append(c.broken, at+": "+fmt.Sprintf(format, args...))
}

func (c *comparison) operation(at string, old, new operation) {
	c.parameters(at, old.Parameters, new.Parameters)
	c.body(at, old, new)
	for _, status := range sorted(old.Responses) {
		here := at + " answers " + status
		after, ok := new.Responses[status]
		if !ok {
			c.add(here, "the answer is gone")
			continue
		}
		before, after := c.old.response(old.Responses[status]), c.new.response(after)
		c.content(here, before.Content, after.Content, output)
		c.content(here+", header", before.Headers, after.Headers, output)
	}
}

func (c *comparison) parameters(at string, old, new []parameter) {
	key := func(p parameter) string { return p.In + " parameter " + p.Name }
	before, after := map[string]parameter{}, map[string]parameter{}
	for _, p := range old {
		p = c.old.parameter(p)
		before[key(p)] = p
	}
	for _, p := range new {
		p = c.new.parameter(p)
		after[key(p)] = p
		if p.Required && !before[key(p)].Required {
			c.add(at, "%s is required now", key(p))
		}
	}
	for _, name := range sorted(before) {
		if p, ok := after[name]; ok {
			c.schema(at+" "+name, before[name].Schema, p.Schema, input)
		} else {
			c.add(at, "%s is gone", name)
		}
	}
}

func (c *comparison) body(at string, old, new operation) {
	switch {
	case new.RequestBody != nil && new.RequestBody.Required && (old.RequestBody == nil || !old.RequestBody.Required):
		c.add(at, "a request body is required now")
	case old.RequestBody != nil && new.RequestBody == nil:
		c.add(at, "the request body is gone")
	}
	if old.RequestBody != nil && new.RequestBody != nil {
		c.content(at+" request", old.RequestBody.Content, new.RequestBody.Content, input)
	}
}

func (c *comparison) content(at string, old, new map[string]media, d direction) {
	for _, name := range sorted(old) {
		if after, ok := new[name]; ok {
			c.schema(at+" "+name, old[name].Schema, after.Schema, d)
		} else {
			c.add(at, "%s is gone", name)
		}
	}
}

func sorted[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
