// Package playback plays audio to a caller and knows what the caller has heard of it.
//
// A Player takes Items, each with a Source that makes audio bit by bit, and sends them over one call's Line
// one after the other, never far ahead of what is being heard. When the caller begins to speak or presses a key,
// it stops: the carrier is told first, then the producer. For each item there is one Result with the time that
// was heard of it.
//
//	p := playback.New(playback.Config{Line: stream, Finished: func(r playback.Result) { … }})
//	defer p.Close()
//	err := p.Enqueue(playback.Item{ID: "greeting", Source: speech, Interruptible: true})
//
// The socket's reader tells the player what comes in: Mark for the carrier's echoes, Heard for the caller's
// audio. Both return at once.
//
// # What was heard
//
// Sent is not heard: the carrier holds what arrives before its time. The player keeps a playout clock: audio plays
// when it arrives, or when what was sent before is over. Marks, which the carrier echoes when it has played up to
// them, correct it. An echo may come late and never early, so the earliest of several counts; one that is lost is
// waited for only as long as its audio takes and a second. A mark sent while nothing plays comes back at once and
// measures the way there and back, half of which is taken for each direction. What remains unknown is how much
// longer one direction takes than the other: half of the difference is the error of the time at which something is
// heard, but not of how much, because audio and clear go the same way. A carrier that delays all its marks by the same
// time looks like a longer way.
//
// The carrier stops when the clear arrives. It answers nothing, but it returns marks too early for their audio, and those
// sent behind the clear. When they are in time, it stopped when it should; when several come later and together, it
// stopped later; when they come when they would have come anyway, it plays on and gets the clear again, at most
// three times. Nothing new is sent until that is settled, usually after one way there and back and at most half a second
// more for each clear. So the carrier never holds more than two seconds, and a late clear takes nothing away that came
// after it. Not to be known is a clear that takes effect after one that was sent behind it has, or after what it should
// have stopped is over anyway.
//
// # Barge-in
//
// 40 ms of the caller's audio in a row are speech when they are louder than -40 dB of full scale, than the noise of the
// line, and than an echo of what the caller hears could be. That echo is expected up to 600 ms late, blurred by 50 ms,
// and Config.EchoLoss weaker. Nobody knows how late, but it is always equally late: so speech need not be louder
// than every echo at once, but for each delay there must have been 40 ms within the last two seconds that were louder
// than an echo with that delay. A caller as loud as what he hears is noticed at once, one of a quarter of the
// amplitude between two words of it, and one still softer by the recognizer, which says so with Confirm.
//
// Digits pressed on the telephone are speech too when their tones come with the audio. Clicks are too short; a
// cough, a slammed door or sudden steady noise are taken for speech.
//
// # Goroutines
//
// While something plays, one goroutine writes to the line, a second one waits for the Source, and a third one closes it,
// so that a slow producer holds up neither a clear nor a result. When nothing plays there are none. Finished is called
// from the first. Close waits for all.
package playback
