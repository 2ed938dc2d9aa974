package events_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"aldeabridge/events"
)

// constants returns the values of the package's string constants, by their type's name.
func constants(t *testing.T) map[string][]string {
	t.Helper()
	files, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	values := map[string][]string{}
	for _, f := range files {
		if !strings.HasSuffix(f.Name(), ".go") || strings.HasSuffix(f.Name(), "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), f.Name(), nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			v, ok := n.(*ast.ValueSpec)
			if !ok || len(v.Values) != 1 {
				return true
			}
			kind, named := v.Type.(*ast.Ident)
			literal, plain := v.Values[0].(*ast.BasicLit)
			if !named || !plain || literal.Kind != token.STRING {
				return true
			}
			text, err := strconv.Unquote(literal.Value)
			if err != nil {
				t.Fatal(err)
			}
			values[kind.Name] = append(values[kind.Name], text)
			return true
		})
	}
	return values
}

func TestTheListHasEveryType(t *testing.T) {
	var listed []string
	for _, k := range events.Types() {
		listed = append(listed, string(k))
	}
	if want := constants(t)["Type"]; len(want) < 12 || !slices.Equal(listed, want) {
		t.Errorf("got %v, want the constants of package events: %v", listed, want)
	}
	for _, e := range all {
		if stored := slices.Contains(events.StoredTypes(), e.Body.Type()); stored != e.Body.Stored() {
			t.Errorf("%s: got %v, want %v", e.Body.Type(), stored, e.Body.Stored())
		}
	}
	if len(all) != len(events.Types()) {
		t.Errorf("got %d events in the tests' list, want one of each of the %d types", len(all), len(events.Types()))
	}
}

func TestTheDocumentListsEveryTypeAndValue(t *testing.T) {
	b, err := os.ReadFile("../docs/events.md")
	if err != nil {
		t.Fatal(err)
	}
	page := string(b)
	var documented []string
	for _, row := range regexp.MustCompile("(?m)^\\| `([a-z.]+)` \\| (yes|no) \\|").FindAllStringSubmatch(page, -1) {
		documented = append(documented, row[1]+" "+row[2])
	}
	var want []string
	for _, k := range events.Types() {
		stored := "no"
		if slices.Contains(events.StoredTypes(), k) {
			stored = "yes"
		}
		want = append(want, string(k)+" "+stored)
	}
	if !slices.Equal(documented, want) {
		t.Errorf("docs/events.md: got the rows\n%v, want\n%v", documented, want)
	}
	all := constants(t)
	for _, kind := range []string{"EndedBy", "GatherEnd", "Interruption", "EndReason", "Speaker"} {
		if len(all[kind]) == 0 {
			t.Errorf("there are no values of %s", kind)
		}
		for _, value := range all[kind] {
			if !strings.Contains(page, "`"+value+"`") {
				t.Errorf("docs/events.md has no `%s`, a value of %s", value, kind)
			}
		}
	}
}

func TestNamesOfTypesAreRead(t *testing.T) {
	for _, k := range events.Types() {
		got, err := events.ParseTypes([]string{" " + string(k) + "\t", string(k), ""})
		if err != nil || !slices.Equal(got, []events.Type{k}) {
			t.Errorf("%s: got %v, %v", k, got, err)
		}
		_, err = events.ParseStoredTypes([]string{string(k)})
		if want := slices.Contains(events.StoredTypes(), k); (err == nil) != want {
			t.Errorf("%s for a webhook: got %v, want success: %v", k, err, want)
		}
	}
	for _, names := range [][]string{{"utterance.finl"}, {"call.started", "*"}, {""}, {" ", ""}, {"CALL.STARTED"}} {
		if got, err := events.ParseTypes(names); err == nil || !strings.Contains(err.Error(), "utterance.final") {
			t.Errorf("%q: got %v, %v, want an error that lists the names", names, got, err)
		}
	}
	if got, err := events.ParseTypes(nil); err != nil || got != nil {
		t.Errorf("no list: got %v, %v", got, err)
	}
}
