// Package marker carries text in sound, so that a test can see what became of the sound.
//
// Encode turns words into tones, a Decoder turns tones into words. The tones survive what a telephone call does to
// them on purpose: G.711, other sample rates, another level. What should not happen to a call they do not
// survive: a frame that was lost, doubled, silenced or put in another's place destroys its word, and two calls mixed
// together destroy each other's. A destroyed word decodes as Damage. So "the transcript is what was said" becomes
// a comparison of two strings.
//
// # The line format
//
// Everything is made of slots of 20 ms, 160 samples at 8000 Hz, mono. A word is silence, then these slots, then
// silence (at least 25 ms before and 20 ms after):
//
//	preamble   a sine that rises evenly from 600 to 2800 Hz
//	number     one byte, counts the words of the signal from 0, modulo 256
//	length     one byte, the number of text bytes that follow: 1 to 255
//	text       that many bytes of UTF-8
//	check      two bytes, high first: CRC-16 (polynomial 0x1021, first value 0xFFFF, nothing reversed) over
//	           number, length and text
//	trailer    the preamble backwards
//
// A byte is one slot of two tones that begin at phase 0: the low four bits, n, sound as 700+50n Hz, the high four as
// 1700+50n Hz, and both 25 Hz higher in every second slot. Slots count from the number (0), the length (1) and so on; it is
// the odd ones that are higher. Before that the byte is XORed with a mask, (157i+90) modulo 256 for slot i. So no
// slot sounds like its neighbor, whatever the text, and none can take its place unseen.
//
// The two tones have equal amplitude A, preamble and trailer √2·A: the power never changes inside a word. Encode
// uses A = 8000, which peaks 6 dB below full scale. A decoder should understand peaks from -3 to -30 dB.
//
// # What is seen
//
// Inside the word the bytes must be as many as length says, fit the check, and be nothing but two tones of full length. At
// its ends preamble and trailer must be equally strong, which they are not when one has been cut, and there must be
// silence around them. A change of one 20 ms frame is seen when 2.5 ms or more of the frame lay in a word. A change
// that leaves the same sound (silence for silence) is none.
//
// A word takes 120 ms and 20 ms for each of its bytes, and Encode puts 80 ms of silence behind it: three words of five
// letters take a second.
//
// The package is pure arithmetic: no goroutines, no I/O.
package marker
