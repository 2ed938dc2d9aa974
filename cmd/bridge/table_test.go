package main

import (
	"strings"
	"testing"
)

func TestATableIsAlignedByWhatIsSeen(t *testing.T) {
	tab := table{columns: []column{{name: "NAME"}, {name: "N", right: true}, {name: "NEVER"}, {name: "END"}}}
	tab.add("電話", "7", "", "x")
	tab.add("a", "1000", "", "\x1b[2J")
	var b strings.Builder
	if err := tab.print(&b); err != nil {
		t.Fatal(err)
	}
	want := "NAME     N  END\n電話     7  x\na     1000  \uFFFD[2J\n"
	if b.String() != want {
		t.Errorf("got\n%s\nwant\n%s", b.String(), want)
	}
}
