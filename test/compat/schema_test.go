package compat

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
)

// A direction says which side writes a value: the client or bridge. A client's value may be restricted less than before, one of
// bridge's more.
type direction string

const (
	input  direction = "input"
	output direction = "output"
)

// A schema is the part of JSON Schema that openapi.json uses.
type schema struct {
	Ref                  string             `json:"$ref"`
	Type                 types              `json:"type"`
	Format               string             `json:"format"`
	Enum                 []any              `json:"enum"`
	Required             []string           `json:"required"`
	Properties           map[string]*schema `json:"properties"`
	Items                *schema            `json:"items"`
	AdditionalProperties json.RawMessage    `json:"additionalProperties"`
	Maximum              *float64           `json:"maximum"`
	Minimum              *float64           `json:"minimum"`
	MaxItems             *float64           `json:"maxItems"`

	unknown []string // keywords that the comparison cannot judge
}

// types is "type": one name or a list of names.
type types []string

func (t *types) UnmarshalJSON(data []byte) error {
	if data[0] == '[' {
		return json.Unmarshal(data, (*[]string)(t))
	}
	*t = make(types, 1)
	return json.Unmarshal(data, &(*t)[0])
}

// annotations are the keywords that do not restrict a value.
var annotations = []string{"description", "examples", "example", "default", "title", "contentEncoding"}

// judged are the keywords that schema reads.
var judged = []string{
	"$ref", "type", "format", "enum", "required", "properties", "items", "additionalProperties", "maximum", "minimum", "maxItems",
}

func (s *schema) UnmarshalJSON(data []byte) error {
	type plain schema
	if err := json.Unmarshal(data, (*plain)(s)); err != nil {
		return err
	}
	var all map[string]json.RawMessage
	if err := json.Unmarshal(data, &all); err != nil {
		return err
	}
	for _, keyword := range sorted(all) {
		if !slices.Contains(annotations, keyword) && !slices.Contains(judged, keyword) {
			s.unknown = append(s.unknown, keyword)
		}
	}
	return nil
}

// schema compares two schemas of the same value.
func (c *comparison) schema(at string, old, new *schema, d direction) {
	if old != nil && new != nil && (old.Ref != "" || new.Ref != "") {
		pair := fmt.Sprint(d, old.Ref, new.Ref)
		if old.Ref != "" && new.Ref != "" && c.visited[pair] {
			return
		}
		c.visited[pair] = true
	}
	old, new = c.old.schema(old), c.new.schema(new)
	if old == nil {
		return
	}
	if new == nil {
		c.add(at, "the schema is gone")
		return
	}
	for _, keyword := range slices.Concat(old.unknown, new.unknown) {
		c.add(at, "the comparison does not know the keyword %q", keyword)
	}
	c.scalars(at, old, new, d)
	c.limits(at, old, new, d)
	c.fields(at, old, new, d)
	if old.Items != nil {
		c.schema(at+"[]", old.Items, new.Items, d)
	}
}

// scalars compares types, formats and the values of enumerations.
func (c *comparison) scalars(at string, old, new *schema, d direction) {
	wide, narrow := old.Type, new.Type
	if d == input {
		wide, narrow = new.Type, old.Type
	}
	if len(wide) > 0 && (len(narrow) == 0 || !subset(narrow, wide)) {
		c.add(at, "the type was %v and is %v", old.Type, new.Type)
	}
	if old.Format != "" && new.Format != old.Format {
		c.add(at, "the format was %q and is %q", old.Format, new.Format)
	}
	if d == input && len(old.Enum) == 0 && len(new.Enum) > 0 {
		c.add(at, "only %v are accepted now", new.Enum)
	}
	for _, v := range old.Enum {
		if len(new.Enum) > 0 && !slices.Contains(new.Enum, v) {
			c.add(at, "the value %q is gone", v)
		}
	}
}

// limits compares what bounds a client's value.
func (c *comparison) limits(at string, old, new *schema, d direction) {
	if d == output {
		return
	}
	for _, l := range []struct {
		name     string
		old, new *float64
		order    int // of new to old, where new is stricter
	}{
		{"maximum", old.Maximum, new.Maximum, -1},
		{"minimum", old.Minimum, new.Minimum, 1},
		{"maxItems", old.MaxItems, new.MaxItems, -1},
	} {
		if l.new != nil && (l.old == nil || cmp.Compare(*l.new, *l.old) == l.order) {
			c.add(at, "%s is %v now", l.name, *l.new)
		}
	}
}

// fields compares the properties of objects.
func (c *comparison) fields(at string, old, new *schema, d direction) {
	for _, name := range sorted(old.Properties) {
		after, ok := new.Properties[name]
		if !ok {
			c.add(at, "the field %q is gone", name)
			continue
		}
		c.schema(at+"."+name, old.Properties[name], after, d)
	}
	needed, given, change := new.Required, old.Required, "the field %q is required now"
	if d == output {
		needed, given, change = old.Required, new.Required, "the field %q may be absent now"
	}
	for _, name := range needed {
		gone := d == output && new.Properties[name] == nil && old.Properties[name] != nil // reported as such
		if !slices.Contains(given, name) && !gone {
			c.add(at, change, name)
		}
	}
	if d == input && string(new.AdditionalProperties) == "false" && string(old.AdditionalProperties) != "false" {
		c.add(at, "fields that are not known are refused now")
	}
}

func subset(part, whole []string) bool {
	for _, s := range part {
		if !slices.Contains(whole, s) {
			return false
		}
	}
	return true
}
