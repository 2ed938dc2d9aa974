package main

import (
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"aldeabridge/aldea/sandbox"
)

var docsUpdate = flag.Bool("docs.update", false, "write the table of docs/metrics.md")

// A documented metric is a row of docs/metrics.md.
type metricRow struct {
	kind, help string
	labels     []string
}

// metricKinds says of each function that makes a metric which kind it makes, and which of its arguments are labels: from
// which on, and whether values stand between them.
var metricKinds = map[string]struct {
	kind        string
	first, step int
}{
	"counter": {"counter", 2, 1}, "histogram": {"histogram", 3, 1}, "gauge": {"gauge", 3, 2}, "count": {"counter", 3, 2},
}

// metricRows reads the metrics from the program's source, and their names in its order: some have no value before something
// goes wrong.
func metricRows(t *testing.T) (rows map[string]metricRow, names []string) {
	t.Helper()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	rows = map[string]metricRow{}
	add := func(name string, row metricRow) {
		if _, there := rows[name]; !there {
			names = append(names, name)
		}
		rows[name] = row
	}
	for _, name := range files { // in the order of their names
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		readMetrics(file, add)
	}
	return rows, names
}

// readMetrics calls add for each metric that a file makes.
func readMetrics(file *ast.File, add func(name string, row metricRow)) {
	named := map[string]string{} // constants
	constant := func(e ast.Expr) string {
		if name, ok := e.(*ast.Ident); ok {
			return named[name.Name]
		}
		return literal(e)
	}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.ValueSpec:
			if len(n.Values) == 1 {
				named[n.Names[0].Name] = literal(n.Values[0])
			}
		case *ast.CallExpr:
			name, ok := n.Fun.(*ast.Ident)
			if !ok || metricKinds[name.Name].kind == "" || len(n.Args) < 2 {
				return true
			}
			k, row := metricKinds[name.Name], metricRow{}
			if row.kind, row.help = k.kind, constant(n.Args[1]); constant(n.Args[0]) == "" {
				return true
			}
			for i := k.first; i < len(n.Args); i += k.step {
				row.labels = append(row.labels, constant(n.Args[i]))
			}
			add("bridge_"+constant(n.Args[0]), row)
		case *ast.CompositeLit: // prometheus.CounterOpts{Name: …, Help: …}
			if made, ok := n.Type.(*ast.SelectorExpr); ok && strings.HasSuffix(made.Sel.Name, "Opts") {
				fields := map[string]string{}
				for _, e := range n.Elts {
					if pair, ok := e.(*ast.KeyValueExpr); ok {
						fields[fmt.Sprint(pair.Key)] = constant(pair.Value)
					}
				}
				if fields["Name"] != "" && fields["Help"] != "" {
					add(fields["Name"], metricRow{kind: strings.ToLower(strings.TrimSuffix(made.Sel.Name, "Opts")), help: fields["Help"]})
				}
			}
		}
		return true
	})
}

// literal is the text of a string; empty for all else.
func literal(e ast.Expr) string {
	if l, ok := e.(*ast.BasicLit); ok && l.Kind == token.STRING {
		if text, err := strconv.Unquote(l.Value); err == nil {
			return text
		}
	}
	return ""
}

const tableHead = "| metric | type | labels | what it is |\n|---|---|---|---|\n"

// The table is made of the source, so it has every metric; what a bridge prints is in it.
func TestTheDocumentListsEveryMetric(t *testing.T) {
	const file = "../../docs/metrics.md"
	rows, names := metricRows(t)
	if len(rows) < 60 {
		t.Fatalf("got %d metrics in the source, want all", len(rows))
	}
	var table strings.Builder
	table.WriteString(tableHead)
	for _, name := range names {
		r := rows[name]
		labels := ""
		if len(r.labels) > 0 {
			labels = "`" + strings.Join(r.labels, "`, `") + "`"
		}
		if r.help == "" {
			t.Errorf("%s has no help", name)
		}
		fmt.Fprintf(&table, "| `%s` | %s | %s | %s |\n", name, r.kind, labels, r.help)
	}
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	page := string(b)
	begin := strings.Index(page, tableHead)
	if begin < 0 {
		t.Fatalf("%s has no table of metrics", file)
	}
	end := begin + strings.Index(page[begin:]+"\n\n", "\n\n") + 1
	if *docsUpdate {
		if err := os.WriteFile(file, []byte(page[:begin]+table.String()+page[min(end, len(page)):]), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if page[begin:min(end, len(page))] != table.String() {
		t.Errorf("docs/metrics.md is not as the metrics are: go test ./cmd/bridge -run=%s -docs.update writes it", t.Name())
	}

	w := newWorld(t, sandbox.Options{Source: sandbox.Marker()}, nil)
	if _, err := w.call("CA1", say("one")).Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.ended(t, 1)
	printed := regexp.MustCompile(`(?m)^# TYPE (bridge_\w+) (\w+)$`).FindAllStringSubmatch(metricsOf(t, w), -1)
	if len(printed) < 40 {
		t.Errorf("got %d metrics of a bridge, want them all", len(printed))
	}
	for _, p := range printed {
		if rows[p[1]].kind != p[2] {
			t.Errorf("%s: got %s, want %q", p[1], p[2], rows[p[1]].kind)
		}
	}
	for _, name := range regexp.MustCompile("bridge_[a-z_]+").FindAllString(page, -1) {
		if _, ok := rows[name]; !ok {
			t.Errorf("docs/metrics.md names %s, which does not exist", name)
		}
	}
}
