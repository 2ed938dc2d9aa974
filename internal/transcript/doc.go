// Package transcript turns the results of a speech recognizer into utterances.
//
// A recognizer sends results while it receives audio: interims, whose text the next message may revise; then a
// final, whose text stays; and at some point a sign that the speaker has stopped. A long utterance arrives as
// several finals, and only the last of them carries the sign (speech_final). So:
//
//	interim ▸ interim ▸ final ▸ interim ▸ final + speech_final  =  one utterance
//
// An Assembler does this for one track of one call. Give it every message in the order of arrival; it
// answers with the events to publish: transcript.interim while the utterance grows, utterance.final once when
// it is over. Both carry the same utterance id.
//
// # What ends an utterance
//
// Recognizers mark the end in three ways: speech_final on the last final, on an empty message after it, or on
// a message that repeats it. All three give the same utterance. Where loud background keeps speech_final
// from coming, UtteranceEnd ends the utterance, and where that does not come either, a timer: the caller asks Deadline
// and calls Tick. The end of the call ends the rest: Close. An utterance that grows past MaxDuration or
// MaxRunes is cut at the final that made it so long (ended by timeout), so that memory stays bounded.
//
// # What is dropped
//
// Text is committed up to a point of the time line: the end of the last final that brought text. The same
// audio is sometimes recognized twice (a message is repeated, a connection is replaced and audio replayed), so
// what lies before that point is dropped and counted:
//
//   - a result that ends at or before the point is a repeat, dropped whole;
//   - of a result that reaches across it, the words whose middle lies before it are dropped;
//   - if such a result has no word times, only words that visibly repeat are dropped: where its range covers
//     finals committed before and its text begins with theirs. Else all of it is kept. A doubled word can be
//     detected and removed by a reader, a lost word cannot be restored.
//
// A result without usable times (none, reversed, beyond a day) cannot be judged by time. Its text is kept and
// stands at the point, with no length; only a speech_final that repeats the last final word for word is
// taken for a repeat. A word list that does not fit its result's range is no word list.
//
// # Words that stay interim
//
// Interims are not stored, with two exceptions, in which the utterance says that it is not confirmed: when the call
// ends before the recognizer answered, and when it does not make an interim final. Then Tick asks for Finalize, and
// emits the interim if that is not answered, either. What comes later about the same audio is dropped, so that a late
// final does not give a second utterance.
//
// The package does no I/O, starts no goroutine and reads no clock: the time is an argument. An Assembler is not
// safe for concurrent use; it belongs to the goroutine that reads its track's results.
package transcript
