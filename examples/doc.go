// Package examples holds small programs that use bridge, each in a directory of its own; README.md lists them. They are to
// be read, copied and changed, so they share no code. The package itself has only tests, which run every one of them.
package examples
