package main

import (
	"io"
	"strings"

	"github.com/mattn/go-runewidth"
)

// A table is rows of cells under headings. A column in which every cell is empty is not shown.
type table struct {
	columns []column
	rows    [][]string
}

type column struct {
	name  string
	right bool // numbers
}

// add adds a row, of one cell for each column. Cells are foreign: they are made printable.
func (t *table) add(cells ...string) {
	for i, c := range cells {
		cells[i] = printable(c)
	}
	t.rows = append(t.rows, cells)
}

// print writes the table in one piece.
func (t *table) print(w io.Writer) error {
	widths := make([]int, len(t.columns))
	for _, row := range t.rows {
		for i, cell := range row {
			widths[i] = max(widths[i], runewidth.StringWidth(cell))
		}
	}
	head := make([]string, len(t.columns))
	for i, c := range t.columns {
		head[i] = c.name
		if widths[i] > 0 {
			widths[i] = max(widths[i], runewidth.StringWidth(c.name))
		}
	}
	var b strings.Builder
	for _, row := range append([][]string{head}, t.rows...) {
		var line strings.Builder
		for i, cell := range row {
			if widths[i] == 0 {
				continue
			}
			if t.columns[i].right {
				line.WriteString(runewidth.FillLeft(cell, widths[i]))
			} else {
				line.WriteString(runewidth.FillRight(cell, widths[i]))
			}
			line.WriteString("  ")
		}
		b.WriteString(strings.TrimRight(line.String(), " ") + "\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}
