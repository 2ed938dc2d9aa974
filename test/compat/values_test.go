package compat

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// values returns the exported string constants with a named type that the Go files of a folder declare, such as reasons and
// directions. They are what the fields of events can hold. A value that two types have is there twice.
func values(folder string) ([]string, error) {
	files, err := filepath.Glob(filepath.Join(folder, "*.go"))
	if err != nil {
		return nil, err
	}
	var all []string
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		for _, declaration := range file.Decls {
			if d, ok := declaration.(*ast.GenDecl); ok && d.Tok == token.CONST {
				all = append(all, constants(d)...)
			}
		}
	}
	slices.Sort(all)
	return all, nil
}

func constants(d *ast.GenDecl) (found []string) {
	for _, spec := range d.Specs {
		s := spec.(*ast.ValueSpec)
		for i, v := range s.Values {
			literal, ok := v.(*ast.BasicLit)
			if !ok || s.Type == nil || literal.Kind != token.STRING || !s.Names[i].IsExported() {
				continue
			}
			if text, err := strconv.Unquote(literal.Value); err == nil { // the parser has accepted it
				found = append(found, text)
			}
		}
	}
	return found
}

// compareValues returns the values of the old list that the new one has not, or has fewer times.
func compareValues(old, new []string) (broken []string) {
	left := slices.Clone(new)
	for _, v := range old {
		i := slices.Index(left, v)
		if i < 0 {
			broken = append(broken, strconv.Quote(v)+" is gone")
			continue
		}
		left = slices.Delete(left, i, i+1)
	}
	return broken
}
