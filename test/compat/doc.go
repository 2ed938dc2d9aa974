// Package compat checks the promise of docs/compatibility.md. Its tests compare the HTTP API, the events, the actions and
// bridge.yaml with those of the last release, which the folder baseline holds, and fail if something that a client may use is gone
// or has another meaning for a parser. Additions pass.
//
// A release copies today's files into baseline: go test ./test/compat -update. bridge.yaml and actions.json there are written by
// hand; a new field or action gets its place in them when it is released.
package compat
