package compat

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const apiV1 = `{"paths": {
  "/v1/calls": {"get": {
    "parameters": [
      {"$ref": "#/components/parameters/limit"},
      {"name": "state", "in": "query", "schema": {"type": "string", "enum": ["up", "ended"]}}],
    "responses": {
      "200": {"headers": {"Link": {"schema": {"type": "string"}}}, "content": {
        "application/json": {"schema": {"type": "array", "items": {"$ref": "#/components/schemas/Call"}}},
        "text/csv": {"schema": {"type": "string"}}}},
      "default": {"$ref": "#/components/responses/Problem"}}}},
  "/v1/calls/{id}": {
    "delete": {"responses": {"204": {"description": "Deleted."}}},
    "post": {"requestBody": {"required": false, "content": {"application/json": {"schema":
      {"type": "object", "required": ["to"], "properties": {
        "to": {"type": "string"},
        "tags": {"type": "array", "maxItems": 9, "items": {"type": "string"}}}}}}},
      "responses": {"202": {"description": "Done."}}}}},
 "components": {
  "parameters": {"limit": {"name": "limit", "in": "query", "schema": {"type": "integer", "minimum": 1, "maximum": 100}}},
  "responses": {"Problem": {"content": {"application/problem+json": {"schema":
    {"type": "object", "required": ["title"], "properties": {"title": {"type": "string"}}}}}}},
  "schemas": {"Call": {"type": "object", "required": ["id", "started"], "properties": {
    "id": {"type": "string"}, "started": {"type": ["string", "null"], "format": "date-time"},
    "direction": {"type": "string", "enum": ["inbound", "outbound"]},
    "legs": {"type": "array", "items": {"$ref": "#/components/schemas/Call"}}}}}}}`

func TestWhatBreaksClientsOfTheAPIIsFound(t *testing.T) {
	const list, one = "GET /v1/calls", "POST /v1/calls/{id}"
	const call = list + " answers 200 application/json[]"
	for _, test := range []struct {
		name     string
		old, new string // what is replaced, by what
		want     string // empty: nothing is broken
	}{
		{"a route is removed", `"delete"`, `"put"`, "DELETE /v1/calls/{id}: the route is gone"},
		{"a path is renamed", `"/v1/calls":`, `"/v1/lists":`, list + ": the route is gone"},
		{"a field is removed", `"direction": {`, `"way": {`, call + `: the field "direction" is gone`},
		{"a field changes type", `"id": {"type": "string"}`, `"id": {"type": "integer"}`,
			call + ".id: the type was [string] and is [integer]"},
		{"a field may be null", `"id": {"type": "string"}`, `"id": {"type": ["string", "null"]}`,
			call + ".id: the type was [string] and is [string null]"},
		{"a field has no type", `"id": {"type": "string"}`, `"id": {}`, call + ".id: the type was [string] and is []"},
		{"a field is never null", `"started": {"type": ["string", "null"]`, `"started": {"type": ["string"]`, ""},
		{"a format changes", `"date-time"`, `"date"`, call + `.started: the format was "date-time" and is "date"`},
		{"a field may be absent", `["id", "started"]`, `["id"]`, call + `: the field "started" may be absent now`},
		{"a value of an answer is removed", `["inbound", "outbound"]`, `["inbound"]`, call + `.direction: the value "outbound" is gone`},
		{"a value of a parameter is removed", `["up", "ended"]`, `["up"]`, list + ` query parameter state: the value "ended" is gone`},
		{"a parameter is removed", `"name": "state"`, `"name": "phase"`, list + ": query parameter state is gone"},
		{"a parameter becomes required", `{"name": "state",`, `{"name": "state", "required": true,`,
			list + ": query parameter state is required now"},
		{"a limit is lowered", `"maximum": 100`, `"maximum": 99`, list + " query parameter limit: maximum is 99 now"},
		{"fewer items are accepted", `"maxItems": 9`, `"maxItems": 8`, one + " request application/json.tags: maxItems is 8 now"},
		{"a minimum is raised", `"minimum": 1`, `"minimum": 2`, list + " query parameter limit: minimum is 2 now"},
		{"a limit is raised", `"maximum": 100`, `"maximum": 200`, ""},
		{"a parameter takes more types", `{"type": "integer"`, `{"type": ["integer", "string"]`, ""},
		{"a media type is removed", `"text/csv"`, `"text/tsv"`, list + " answers 200: text/csv is gone"},
		{"a header is removed", `"Link"`, `"Next"`, list + " answers 200, header: Link is gone"},
		{"a status is removed", `"204"`, `"200"`, "DELETE /v1/calls/{id} answers 204: the answer is gone"},
		{"a problem loses a field", `{"title": {`, `{"text": {`,
			list + ` answers default application/problem+json: the field "title" is gone`},
		{"a request field becomes required", `["to"]`, `["to", "tags"]`,
			one + ` request application/json: the field "tags" is required now`},
		{"a request field is optional", `["to"]`, `[]`, ""},
		{"a request field is removed", `"tags": {`, `"labels": {`, one + ` request application/json: the field "tags" is gone`},
		{"a request body becomes required", `"required": false`, `"required": true`, one + ": a request body is required now"},
		{"a request body is removed", `"requestBody"`, `"body"`, one + ": the request body is gone"},
		{"unknown fields are refused", `"required": ["to"]`, `"additionalProperties": false, "required": ["to"]`,
			one + " request application/json: fields that are not known are refused now"},
		{"values are restricted", `"to": {"type": "string"`, `"to": {"type": "string", "enum": ["a"]`,
			one + " request application/json.to: only [a] are accepted now"},
		{"a keyword is not known", `"direction": {`, `"direction": {"oneOf": [], `,
			call + `.direction: the comparison does not know the keyword "oneOf"`},
		{"a schema of a component is gone", `"schemas"`, `"models"`, call + ": the schema is gone"},
		{"a route is added", `"/v1/calls":`, `"/v1/new": {"get": {}}, "/v1/calls":`, ""},
		{"a field is added", `"direction": {`, `"new": {"type": "string"}, "direction": {`, ""},
		{"a value is added", `["inbound", "outbound"]`, `["inbound", "outbound", "none"]`, ""},
		{"a parameter is added", `{"name": "state",`, `{"name": "new", "in": "query"}, {"name": "state",`, ""},
		{"a status is added", `"204"`, `"404": {}, "204"`, ""},
		{"a description changes", `"Deleted."`, `"Gone."`, ""},
	} {
		if !strings.Contains(apiV1, test.old) {
			t.Errorf("%s: nothing is replaced", test.name)
		}
		got, err := compareAPI([]byte(apiV1), []byte(strings.Replace(apiV1, test.old, test.new, 1)))
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
		}
		var want []string
		if test.want != "" {
			want = []string{test.want}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: got %q, want %q", test.name, got, want)
		}
	}
}

func TestWhatBreaksReceiversOfEventsIsFound(t *testing.T) {
	const before = `{"type": "a", "data": {"n": 1, "ok": true, "who": null, "params": {"tenant": "a"},
	  "words": [{"text": "a", "start_ms": 1}, {"text": "b", "end_ms": 2}], "tracks": ["caller"]}}`
	for _, test := range []struct{ name, old, new, want string }{
		{"a field is removed", `"n": 1`, `"m": 1`, `event.data: the field "n" is gone`},
		{"a number becomes a string", `"n": 1`, `"n": "1"`, "event.data.n: the type was number and is string"},
		{"a boolean becomes a number", `"ok": true`, `"ok": 1`, "event.data.ok: the type was boolean and is number"},
		{"a field of elements is removed", `"end_ms": 2`, `"end": 2`, `event.data.words[]: the field "end_ms" is gone`},
		{"a field of elements changes type", `"text": "a"`, `"text": 1`, "event.data.words[].text: the type was string and is number"},
		{"elements change type", `["caller"]`, `[1]`, "event.data.tracks[]: the type was string and is number"},
		{"an example has no elements", `["caller"]`, `[]`,
			"event.data.tracks: the example has no element any more, so nothing can be compared"},
		{"an array becomes an object", `["caller"]`, `{}`, "event.data.tracks: the type was array and is object"},
		{"null becomes a value", `"who": null`, `"who": "caller"`, ""},
		{"a value is null", `"n": 1`, `"n": null`, ""},
		{"a field of users is another", `"tenant"`, `"customer"`, ""},
		{"a field is added", `"n": 1`, `"n": 1, "new": {}`, ""},
		{"another value", `"a", "data"`, `"b", "data"`, ""},
	} {
		if !strings.Contains(before, test.old) {
			t.Errorf("%s: nothing is replaced", test.name)
		}
		got, err := compareSamples([]byte(before), []byte(strings.Replace(before, test.old, test.new, 1)))
		if err != nil || strings.Join(got, "\n") != test.want {
			t.Errorf("%s: got %q, %v, want %q", test.name, got, err, test.want)
		}
	}
}

func TestARemovedValueIsFound(t *testing.T) {
	folder := t.TempDir()
	source := "package events\n\ntype End string\n\nconst (\n\tStop End = \"stop\"\n\tIdle End = \"idle\"\n\tinner End = \"inner\"\n)\n\n" +
		"const layout, Untyped = \"2006\", \"x\"\n\ntype By string\n\nconst ByIdle By = \"idle\"\n"
	if err := os.WriteFile(filepath.Join(folder, "a.go"), []byte(source), 0o600); err != nil {
		t.Fatal(err)
	}
	now, err := values(folder)
	if want := []string{"idle", "idle", "stop"}; err != nil || !slices.Equal(now, want) {
		t.Fatalf("got %q, %v, want %q", now, err, want)
	}
	for _, test := range []struct {
		old  []string
		want []string
	}{
		{[]string{"idle", "stop"}, nil},
		{[]string{"idle", "idle", "stop"}, nil},
		{[]string{"idle", "idle", "idle"}, []string{`"idle" is gone`}},
		{[]string{"error", "stop"}, []string{`"error" is gone`}},
	} {
		if got := compareValues(test.old, now); !slices.Equal(got, test.want) {
			t.Errorf("%q: got %q, want %q", test.old, got, test.want)
		}
	}
}
