// Command rest is controltest's Twilio in a process of its own, for clients that are not written in Go.
//
// It prints its URL, then each update of a call as a line of JSON, and ends with its standard input. The account is
// AC1, its token and its key are given as arguments, and the call CA1 is in progress.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"

	"aldeabridge/internal/control/controltest"
)

func main() {
	if len(os.Args) != 4 {
		fmt.Fprintln(os.Stderr, "usage: rest TOKEN KEY SECRET")
		os.Exit(2)
	}
	srv := controltest.New(controltest.Account{SID: "AC1", AuthToken: os.Args[1], Keys: map[string]string{os.Args[2]: os.Args[3]}})
	defer srv.Close()
	srv.AddCall("AC1", "CA1")
	lines := json.NewEncoder(os.Stdout)
	srv.OnUpdate(func(u controltest.Update) { _ = lines.Encode(u) })
	fmt.Println(srv.URL)
	_, _ = io.Copy(io.Discard, os.Stdin)
}
