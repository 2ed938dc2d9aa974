// Package playback plays audio to a caller and reports how much of it the caller has heard.
//
// A Player accepts Items, each with a Source that produces audio in pieces, and sends them over one call's Line in order,
// at most two seconds ahead of the playout. When the caller begins to speak or presses a key, it sends a clear to the
// carrier and then stops the Source. Each item gets one Result with the duration that was heard.
//
//	p := playback.New(playback.Config{Line: stream, Finished: func(r playback.Result) { … }})
//	defer p.Close()
//	err := p.Enqueue(playback.Item{ID: "greeting", Source: speech, Interruptible: true})
//
// The goroutine that reads the socket calls Mark for each mark that the carrier returns and Heard for the caller's audio.
// Neither blocks.
//
// # Playout clock
//
// Audio that was sent may still be in the carrier's buffer, so the player keeps a playout clock: audio plays when it
// arrives, or when the audio sent before it ends. Returned marks correct the clock. The carrier returns a mark when it has
// played the audio before it. A mark may return late but never early, so the earliest of several counts. A lost mark is
// awaited for one second after the end of its audio. A mark sent while nothing plays (a probe) returns at once and measures
// the round-trip time; half of it is assumed for each direction. If the directions differ, the times at which audio is heard
// are off by half of the difference. The duration heard is not, because audio and clear take the same direction. A carrier
// that delays all its marks by the same time cannot be told from a longer round trip.
//
// # Clear
//
// The carrier stops when it receives a clear. It does not acknowledge a clear, but it returns the marks of the audio that it
// discards before that audio would have ended, and it returns the marks sent after the clear. Marks that return in time show
// that the carrier stopped at the clear; several that return late and together show that it stopped later. If marks return
// when they would have without a clear, the carrier is still playing, and the clear is sent again, at most three times in
// all. Nothing new is sent until this is settled, usually after one round trip, and after at most half a second more for each
// clear. So the carrier never buffers more than two seconds, and a late clear removes no audio sent after it. Two cases cannot
// be detected: a clear that takes effect after a later one, and a clear that takes effect when its audio has ended.
//
// # Barge-in
//
// The caller speaks when 40 ms of the caller's audio in a row are louder than -40 dB of full scale, than the noise of the
// line, and than an echo of the played audio could be. The echo is expected up to 600 ms late, blurred by 50 ms, and weaker
// by Config.EchoLoss. Its delay is unknown but constant. So the audio need not be louder than the echo of every delay at
// once: for each delay there must have been 40 ms within the last two seconds that were louder than an echo with that delay.
// A caller as loud as the played audio is detected at once, one with a quarter of its amplitude between two words of it. For
// quieter callers the recognizer's words count: see Confirm.
//
// Telephone keys whose tones are in the audio count as speech too. Clicks are too short. A cough, a slammed door or sudden
// steady noise count as speech.
//
// # Goroutines
//
// While something plays, one goroutine writes to the line, a second one reads the Source, and a third one closes it, so that
// a slow Source delays neither a clear nor a Result. When nothing plays there are none. The first goroutine calls Finished.
// Close waits for all of them. Player.mu is the only lock that is held while another one is taken: sourceBuffer.mu.
package playback
