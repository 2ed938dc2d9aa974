// Command sphinx recognizes English speech offline with PocketSphinx. It is the ears of the recognizer's
// stand-in, in a program of its own: it loads the system's libraries at run time, so that no other program links
// against C, and what crashes in C ends only this program.
//
//	sphinx                 audio in on standard input, hypotheses out on standard output (see below)
//	sphinx --check         says what is installed and what is missing; exit status 0 or 1
//	sphinx FILE.wav …      prints the words in recordings
//
// On Debian and Ubuntu it needs the packages libpocketsphinx3 and pocketsphinx-en-us. Its accuracy is low: on
// telephone speech about every second word is wrong. It is for trying the plumbing.
//
// # Protocol
//
// Input is frames: one byte of type, four bytes of length (little-endian), then so many bytes. Types are 'A', audio of
// the current utterance (16-bit little-endian mono samples at 16000 Hz); 'E', end of the utterance; 'Q', quit. The end of
// the input means quit, too.
//
// Output is lines of JSON. The first is {"type":"ready",…}. After each 250 ms of audio of an utterance comes one
// {"type":"interim",…}, after each 'E' one {"type":"final",…}; both have "words", a list of [text, start, end,
// probability] with times in milliseconds since the utterance's first sample. A line {"type":"error","message":…} is
// the last one.
//
// Exit status 1 means that something failed, 3 that libraries or models are missing.
package main
