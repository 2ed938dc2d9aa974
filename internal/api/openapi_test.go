package api

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"aldeabridge/events"
)

// A document is what the tests read of openapi.json.
type document struct {
	Paths      map[string]map[string]operation
	Components struct {
		Parameters map[string]parameterObject
		Schemas    map[string]schema
	}
}

type operation struct {
	Parameters []parameterObject
	Responses  map[string]struct {
		Content map[string]struct{ Schema schema }
	}
}

type parameterObject struct {
	Ref      string `json:"$ref"`
	Name, In string
}

type schema struct {
	Ref        string `json:"$ref"`
	Type       any
	Required   []string
	Properties map[string]schema
	Items      *schema
	Enum       []string
}

func readDocument(t *testing.T) document {
	t.Helper()
	var d document
	if err := json.Unmarshal(openAPI, &d); err != nil {
		t.Fatal(err)
	}
	return d
}

func TestTheDocumentHasEveryRouteAndNoOther(t *testing.T) {
	d := readDocument(t)
	documented := map[string][]string{}
	for path, operations := range d.Paths {
		for method, o := range operations {
			names := []string{}
			for _, p := range o.Parameters {
				if name, ok := strings.CutPrefix(p.Ref, "#/components/parameters/"); ok {
					p = d.Components.Parameters[name]
				}
				switch {
				case p.Name == "":
					t.Errorf("%s %s: a parameter has no name", method, path)
				case p.In == "query":
					names = append(names, p.Name)
				case p.In == "path" && !strings.Contains(path, "{"+p.Name+"}"):
					t.Errorf("%s %s has no {%s}", method, path, p.Name)
				}
			}
			slices.Sort(names)
			documented[strings.ToUpper(method)+" "+path] = names
		}
	}
	r := newRig(t, nil)
	parameters := map[string][]string{}
	for _, route := range r.api.routes() {
		names := append([]string{}, route.query...)
		slices.Sort(names)
		parameters[route.method+" "+route.path] = names
	}
	colon := regexp.MustCompile(`:(\w+)`)
	served := 0
	for _, route := range r.app.GetRoutes(true) {
		if route.Method == "HEAD" {
			continue
		}
		served++
		key := route.Method + " " + colon.ReplaceAllString(route.Path, "{$1}")
		names, ok := documented[key]
		if !ok {
			t.Errorf("%s is not in the document", key)
		}
		if want := parameters[route.Method+" "+route.Path]; !slices.Equal(names, want) {
			t.Errorf("%s: the document has the parameters %v, the route %v", key, names, want)
		}
		delete(documented, key)
	}
	page, err := os.ReadFile("../../docs/http-api.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, route := range r.api.routes() {
		if want := "`" + route.method + " " + colon.ReplaceAllString(route.path, "{$1}") + "`"; !strings.Contains(string(page), want) {
			t.Errorf("docs/http-api.md has no %s", want)
		}
	}
	for key := range documented {
		t.Errorf("%s is in the document, but nobody answers there", key)
	}
	if served != len(r.api.routes()) {
		t.Errorf("got %d routes, want the %d of the table", served, len(r.api.routes()))
	}
}

func TestAnswersAreAsTheDocumentSays(t *testing.T) {
	d := readDocument(t)
	r, _ := newDeliveryRig(t)
	call := events.Call{ID: "CA1", StreamID: "MZ1", Carrier: "twilio", Params: map[string]string{}}
	u := said("u1", "hello <there>", time.Second, 2*time.Second)
	u.Utterance.Words = []events.Word{{Text: "hello"}}
	r.journal.add(t, call, epoch, events.CallStarted{})
	r.journal.hits = []Hit{{Record: r.journal.add(t, call, epoch, u), Snippet: "\x02hello\x03 there"}}

	for path, operations := range d.Paths {
		for method, o := range operations {
			if method == "delete" || strings.HasSuffix(path, "/events") || strings.HasSuffix(path, "/backup") {
				continue
			}
			ask := strings.ReplaceAll(path, "{id}", "CA1")
			if strings.HasPrefix(path, "/v1/deliveries/{") {
				ask = strings.ReplaceAll(path, "{id}", "evt_2.b.c")
			}
			if strings.HasSuffix(path, "/search") {
				ask += "?q=hello"
			}
			got := r.ask(t, strings.ToUpper(method), ask, `{"state":"dead"}`)
			response, ok := o.Responses[fmt.Sprint(got.status)]
			if !ok || got.status >= 300 {
				t.Errorf("%s %s: got %d %s, want an answer of the document", method, ask, got.status, got.body)
				continue
			}
			contentType, _, _ := strings.Cut(got.header.Get("Content-Type"), ";")
			media, ok := response.Content[contentType]
			if !ok {
				t.Errorf("%s %s: got %s, which the document does not have", method, ask, contentType)
				continue
			}
			decoder := json.NewDecoder(bytes.NewReader([]byte(got.body)))
			decoder.UseNumber()
			var body any
			if err := decoder.Decode(&body); err != nil {
				t.Fatal(err)
			}
			if !strings.HasSuffix(path, "openapi.json") {
				d.check(t, method+" "+ask, media.Schema, body)
			}
		}
	}
	var problem any
	if err := json.Unmarshal([]byte(r.ask(t, "GET", "/v1/calls/none", "").body), &problem); err != nil {
		t.Fatal(err)
	}
	delete(problem.(map[string]any), "status") // a float64 here
	got := d.Components.Schemas["Problem"]
	delete(got.Properties, "status")
	got.Required = slices.DeleteFunc(got.Required, func(name string) bool { return name == "status" })
	d.check(t, "problem", got, problem)
}

// check compares a value with a schema, strictly: every property must be there, and none may be that is not in it.
func (d document) check(t *testing.T, where string, s schema, v any) {
	t.Helper()
	if name, ok := strings.CutPrefix(s.Ref, "#/components/schemas/"); ok {
		if s, ok = d.Components.Schemas[name]; !ok {
			t.Fatalf("%s: no schema %s", where, name)
		}
	}
	got := ""
	switch v := v.(type) {
	case nil:
		got = "null"
	case bool:
		got = "boolean"
	case string:
		got = "string"
		if s.Enum != nil && !slices.Contains(s.Enum, v) {
			t.Errorf("%s: got %q, want one of %v", where, v, s.Enum)
		}
	case json.Number:
		got = "number"
		if _, err := v.Int64(); err == nil && s.Type != "number" {
			got = "integer"
		}
	case []any:
		got = "array"
		if s.Items == nil {
			t.Fatalf("%s: an array that the document does not have", where)
		}
		if len(v) == 0 {
			t.Errorf("%s: empty, so the test checks nothing", where)
		}
		for i, item := range v {
			d.check(t, fmt.Sprintf("%s[%d]", where, i), *s.Items, item)
		}
	case map[string]any:
		got = "object"
		for _, name := range s.Required {
			if _, ok := v[name]; !ok {
				t.Errorf("%s: %s is missing", where, name)
			}
		}
		for name, value := range v {
			property, ok := s.Properties[name]
			if !ok {
				t.Errorf("%s: %s is not in the document", where, name)
				continue
			}
			d.check(t, where+"."+name, property, value)
		}
	}
	if types := fmt.Sprint(s.Type); !slices.Contains(strings.Fields(strings.Trim(types, "[]")), got) {
		t.Errorf("%s: got %s, want %s", where, got, types)
	}
}
