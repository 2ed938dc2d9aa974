package config

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// A reader walks the tree of a file and collects what is wrong with it.
type reader struct {
	file   string
	getenv func(string) string
	errs   []error
}

// fail notes that something is wrong at a node.
func (r *reader) fail(n *yaml.Node, format string, args ...any) {
	r.errs = append(r.errs, errorAt(r.file, n.Line, format, args...))
}

// A field reads the value of one key.
type field struct {
	name string
	read func(*yaml.Node)
}

// mapping reads a mapping with the given fields, each at most once, and says where they stand. what is what people call it.
func (r *reader) mapping(n *yaml.Node, what string, fields ...field) Place {
	p := Place{file: r.file, line: n.Line, fields: map[string]int{}}
	var names []string
	for _, f := range fields {
		names = append(names, f.name)
	}
	r.pairs(n, what, func(key, value *yaml.Node) {
		i := slices.Index(names, key.Value)
		switch {
		case i < 0 && (key.Value == "secret" || key.Value == "secrets") && slices.Contains(names, "secret_env"):
			r.fail(key, "%s: secrets do not stand in this file: put it into an environment variable and name that (secret_env: ORDERS_SECRET), "+
				"or into a file (secret_file: /run/secrets/orders)", key.Value)
		case i < 0:
			r.fail(key, "%q is not a field of %s; there are %s", key.Value, what, strings.Join(names, ", "))
		case value.Tag == "!!null":
			r.fail(key, "%s has no value: give it one or leave the line out", key.Value)
		default:
			p.fields[key.Value] = key.Line
			fields[i].read(value)
		}
	})
	return p
}

// pairs reads a mapping of any keys, each at most once.
func (r *reader) pairs(n *yaml.Node, what string, read func(key, value *yaml.Node)) {
	n = resolved(n)
	if n.Kind != yaml.MappingNode {
		r.fail(n, "%s must be lines of the form name: value", what)
		return
	}
	seen := map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := resolved(n.Content[i])
		if key.Kind != yaml.ScalarNode {
			r.fail(key, "%s: a name must be a plain word", what)
			continue
		}
		if line := seen[key.Value]; line > 0 {
			r.fail(key, "%s is there twice; the first is in line %d", key.Value, line)
			continue
		}
		seen[key.Value] = key.Line
		read(key, resolved(n.Content[i+1]))
	}
}

// resolved is what an alias stands for. The tree is walked to a fixed depth, so that one that contains itself does no harm.
func resolved(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode {
		return n.Alias
	}
	return n
}

// list reads a sequence.
func (r *reader) list(n *yaml.Node, name, example string, read func(*yaml.Node)) {
	if n.Kind != yaml.SequenceNode {
		r.fail(n, "%s must be a list, such as %s", name, example)
		return
	}
	for _, item := range n.Content {
		read(resolved(item))
	}
}

// text returns the field of a text, which may not be empty. The file's own spelling counts: 007 is no number here.
func (r *reader) text(name string, to *string) field {
	return field{name, func(n *yaml.Node) {
		if n.Kind != yaml.ScalarNode || n.Value == "" {
			r.fail(n, "%s must be one value, and not empty", name)
			return
		}
		*to = n.Value
	}}
}

// texts returns the field of a list of texts. A list that is there is not nil.
func (r *reader) texts(name, example string, to *[]string) field {
	return field{name, func(n *yaml.Node) {
		*to = []string{}
		r.list(n, name, example, func(item *yaml.Node) {
			if item.Kind != yaml.ScalarNode || item.Tag == "!!null" || item.Value == "" {
				r.fail(item, "%s: each must be one value, and not empty, such as %s", name, example)
				return
			}
			*to = append(*to, item.Value)
		})
	}}
}

// number returns the field of a whole number that is not less than least.
func (r *reader) number(name string, least int, to func(int)) field {
	return field{name, func(n *yaml.Node) {
		v, ok := parseWhole(n.Value)
		if n.Kind != yaml.ScalarNode || !ok || v < least {
			r.fail(n, "%s must be a whole number of %d or more", name, least)
			return
		}
		to(v)
	}}
}

// maxNumber is far beyond what any field takes, and no computation with it overflows.
const maxNumber = 1e9

// parseWhole reads a whole number of at most maxNumber. 500.0 and 5e2 are whole too, as programs that write YAML may have it.
func parseWhole(text string) (int, bool) {
	f, err := strconv.ParseFloat(text, 64)
	return int(f), err == nil && f == math.Trunc(f) && math.Abs(f) <= maxNumber && strings.Trim(text, "0123456789.eE+-") == ""
}

// duration returns the field of a time span.
func (r *reader) duration(name string, to *time.Duration) field {
	return field{name, func(n *yaml.Node) {
		d, err := time.ParseDuration(n.Value)
		if n.Kind != yaml.ScalarNode || err != nil || d <= 0 {
			r.fail(n, "%s must be a time with its unit, such as 5s or 1500ms", name)
			return
		}
		*to = d
	}}
}

// expanded returns the field of a text in which ${NAME} stands for an environment variable.
func (r *reader) expanded(name string, to *string) field {
	plain := r.text(name, to)
	return field{name, func(n *yaml.Node) {
		plain.read(n)
		value, err := r.expand(*to)
		if err != nil {
			r.fail(n, "%s: %w", name, err)
		}
		*to = value
	}}
}

// expand replaces ${NAME} by the environment variable of that name.
func (r *reader) expand(s string) (string, error) {
	var out strings.Builder
	for {
		before, after, found := strings.Cut(s, "${")
		out.WriteString(before)
		if !found {
			return out.String(), nil
		}
		name, rest, closed := strings.Cut(after, "}")
		if !closed {
			return "", fmt.Errorf("${ without a }: ${NAME} stands for the environment variable NAME")
		}
		value := r.getenv(name)
		if strings.TrimSpace(value) == "" {
			return "", fmt.Errorf("the environment variable %q is not set, or to white space only", name)
		}
		out.WriteString(value)
		s = rest
	}
}
