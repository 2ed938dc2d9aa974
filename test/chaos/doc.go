// Package calltest is a world for a bridge to live in: carriers that call it, a recognizer that fails, a webhook
// that judges, and a clock. One seed decides all of it.
//
// A Schedule says what will happen: who calls when and says what, which connection to the recognizer breaks after how
// long, when the recognizer and the webhook are unreachable. New makes one from a seed, and it prints readably. Simulate runs it in a
// bubble of testing/synctest over connections in memory: minutes pass in milliseconds. Run does the same
// over real sockets, in real time:
//
//	func TestChaos(t *testing.T) {
//		calltest.Simulate(t, calltest.New(calltest.Options{Seed: 42}), start)
//	}
//
// where start wires up the program under test on the Network that it is given.
//
// # What is judged
//
// What callers say are words carried by tones (package marker), so audio that was lost, doubled or mixed up
// shows in the text. Of every call the world expects, at the webhook:
//
//   - the words of each speaker, each once and in order, at the time they were said (Tolerance);
//   - no audio.gap as long as what had to wait fits the buffer; else exactly one, with the right times, and only
//     words inside it missing;
//   - call.started first, call.ended once and last, sequences without holes, keys in order;
//   - trouble with the recognizer reported in pairs: degraded, then recovered.
//
// Every difference is a finding. A run with findings fails its test and prints the schedule and the command that
// runs it again.
//
// # The same again
//
// Each leg of a call (a speaker) has faults of its own, counted by its own attempts to connect, and a fresh recognizer for
// each. What one call does therefore does not change what happens to another, and the order in which
// goroutines run does not change the schedule.
package calltest
