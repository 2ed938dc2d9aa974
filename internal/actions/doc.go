// Package actions says what a webhook's answer may ask for, and reads it.
//
//	{"actions":[{"type":"say","text":"Good morning. How can I help?"},{"type":"listen","language":"es"}]}
//
// Parse is strict: it is given what strangers' servers answer, and what it returns is done to a caller. Everything is
// checked before anything is returned: fields and types that are not known, doubled keys, wrong types, ranges, text that is not
// UTF-8. Nothing is guessed. An *Error says in plain words which action is wrong, which field, and what would be right.
//
// The package does no I/O and imports nothing else of this project. Whether a URL may be fetched is for Options.CheckURL to
// say; to resolve names and to watch where connections go is the affair of who fetches.
package actions
