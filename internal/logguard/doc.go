// Package logguard bounds what strangers and services can do to the operator's log.
//
// Handler wraps the program's slog.Handler. It holds three bounds, for lines that exist and for lines to come:
//
//   - Rate. A kind of line is its level and its message; messages are constants, and everything else is an attribute.
//     Each kind has a token bucket. What exceeds it is counted, and reported as one line with the attribute "suppressed".
//   - Size. Long attribute values are cut.
//   - Text. Error values lose what other programs wrote into them (see Text), identifiers must look like identifiers, the
//     value of "panic" is replaced by its type unless it is an error, and characters that are not printed are escaped.
//
// A line is still the responsibility of the code that logs it: a string attribute with text of a peer is written as it is.
// Library returns the writer for libraries that print to a *log.Logger.
package logguard
