package console

import (
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// A stream can be asked for every type of event that there is.
func TestEveryEventTypeIsKnown(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "../events/event.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	ast.Inspect(file, func(n ast.Node) bool {
		if v, ok := n.(*ast.ValueSpec); ok && strings.HasPrefix(v.Names[0].Name, "Type") {
			name, err := strconv.Unquote(v.Values[0].(*ast.BasicLit).Value)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, name)
		}
		return true
	})
	if len(all) < 12 || !slices.Equal(eventTypes(), all) {
		t.Errorf("got %v, want the types of package events: %v", eventTypes(), all)
	}
}
