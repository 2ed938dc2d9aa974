package media

import "time"

// Limits of inserted silence. Lengths are in samples of µ-law, 8000 a second.
const (
	maxInsert = 10 * sampleRate // the longest silence inserted at once
	maxAhead  = 10 * sampleRate // most samples of inserted silence beyond the elapsed time
	keepPause = sampleRate      // pauses are not shortened below this to reduce the shift

	// Without a frame for quietAfter, silence is inserted. After a frame that may be speech it is stallAfter: the network
	// has probably stalled, and silence within a word can end the utterance there.
	quietAfter = 500 * time.Millisecond
	stallAfter = 1500 * time.Millisecond
	quietEvery = 100 * time.Millisecond // length of the pieces, and how long before the delay is over the first one is due
)

// silenceDelay is how long a track may be without a frame before silence is inserted.
func (l *timeline) silenceDelay(tr *trackline) time.Duration {
	if tr.voiced {
		return stallAfter + l.lag
	}
	return quietAfter + l.lag
}

// budget returns the most samples of silence that may be inserted at now.
func (l *timeline) budget(tr *trackline, now time.Time) int64 {
	return max(0, min(maxInsert, samples(now.Sub(l.opened))+maxAhead-tr.made))
}

// fillQuiet inserts silence on tracks without frames and returns the time of the next call.
func (l *timeline) fillQuiet(now time.Time) time.Time {
	next := now.Add(quietAfter)
	for t := range trackCount {
		tr := &l.tracks[t]
		if !tr.on {
			continue
		}
		if tr.lateRun.n > 0 && now.Sub(tr.lateRun.came) >= quietAfter+l.lag {
			l.settleLate(t, now)
		}
		if fillAt := tr.lastFrame.Add(l.silenceDelay(tr)); now.Before(fillAt) {
			next = earlier(next, fillAt)
			continue
		}
		next = earlier(next, now.Add(quietEvery))
		l.fillTrack(t, now)
	}
	return next
}

// fillTrack inserts the silence that is due on a track by the wall clock, less the delay.
func (l *timeline) fillTrack(t Track, now time.Time) {
	tr := &l.tracks[t]
	due := samples(now.Sub(tr.lastFrame)-l.silenceDelay(tr)+quietEvery) - tr.pad
	if due <= 0 {
		return
	}
	if most := l.budget(tr, now); due > most {
		// The process was suspended. The excess is not inserted later either.
		tr.lastFrame = tr.lastFrame.Add(duration(due - most))
		due = most
	}
	tr.pad += due
	if tr.shift > 0 {
		due -= tr.repay(due, due/2)
	}
	l.silence(t, due)
}

// repay returns by how many samples, at most most, n samples of silence may be shortened to reduce the shift, and counts
// the n samples as part of the pause. Pauses stay long enough for a recognizer to detect them.
func (tr *trackline) repay(n, most int64) int64 {
	tr.pause += n
	r := max(0, min(most, tr.shift, tr.pause-keepPause))
	tr.shift -= r
	tr.pause -= r
	return r
}

// shorten cuts a frame of digital silence to reduce the shift.
func (tr *trackline) shorten(mulaw []byte) []byte {
	if !digitalSilence(mulaw) {
		tr.pause = 0
		return mulaw
	}
	n := int64(len(mulaw))
	return mulaw[tr.repay(n, n):]
}

// silence emits n samples of silence.
func (l *timeline) silence(t Track, n int64) {
	tr := &l.tracks[t]
	tr.pos += n
	tr.made += n
	l.n.silence.Add(n)
	for n > 0 {
		piece := min(n, int64(len(muLawSilence)))
		l.emit(t, muLawSilence[:piece:piece])
		n -= piece
	}
}

// muLawSilence is 100 ms of silence. It is read-only.
var muLawSilence = func() (s [sampleRate / 10]byte) {
	for i := range s {
		s[i] = 0xFF
	}
	return s
}()

// digitalSilence reports whether every sample is one of the two zeros of µ-law (ITU-T G.711).
func digitalSilence(mulaw []byte) bool {
	for _, b := range mulaw {
		if b|0x80 != 0xFF {
			return false
		}
	}
	return true
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}
