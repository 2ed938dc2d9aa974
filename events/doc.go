// Package events says what can happen on a phone call, and how it looks as JSON.
//
// An Event is one thing that happened: a call began, an utterance ended, a key was pressed,
// the call ended. Its JSON is the body of a webhook, a line of the command line's output and a row of the
// journal, the same bytes everywhere. The envelope is that of Standard Webhooks 1.0.0: type, timestamp,
// data.
//
// Some events are stored: they have a place in their call's sequence 1, 2, 3… without holes, so that a
// receiver can detect loss and reordering. The others (speech.started, transcript.interim) are transient: they have
// no sequence and are published once, to event streams.
//
// The package does no I/O and imports nothing else of this project. Values are plain and not guarded: share
// them after they are complete, not before.
package events
