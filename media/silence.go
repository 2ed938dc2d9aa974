package media

import "time"

// How silence is put in. Lengths are samples of µ-law, 8000 a second.
const (
	maxInsert = 10 * sampleRate // the longest silence put in at once
	maxAhead  = 10 * sampleRate // how far all silence of a track may exceed the time that passed
	keepPause = sampleRate      // a pause is not made shorter than this to make up for a shift

	// Without a frame for so long, silence flows. A carrier that leaves silence out does so when nobody speaks;
	// a stream that stops in the middle of a word is a stalled network, which is given more time: silence put
	// into a word can end the utterance there.
	quietAfter = 500 * time.Millisecond
	stallAfter = 1500 * time.Millisecond
	quietEvery = 100 * time.Millisecond // in pieces of this length, and so much before the patience is over
)

// patience is how long a track may be without a frame before silence flows.
func (l *timeline) patience(tr *trackline) time.Duration {
	if tr.voiced {
		return stallAfter + l.lag
	}
	return quietAfter + l.lag
}

// budget is how much silence may be put in at now.
func (l *timeline) budget(tr *trackline, now time.Time) int64 {
	return max(0, min(maxInsert, samples(now.Sub(l.opened))+maxAhead-tr.made))
}

// quiet lets silence flow on tracks without frames, and returns when it wants to be called again.
func (l *timeline) quiet(now time.Time) time.Time {
	next := now.Add(quietAfter)
	for t := range trackCount {
		tr := &l.tracks[t]
		if !tr.on {
			continue
		}
		if tr.late.n > 0 && now.Sub(tr.late.came) >= quietAfter+l.lag {
			l.settle(t, now)
		}
		if flows := tr.heard.Add(l.patience(tr)); now.Before(flows) {
			next = earlier(next, flows)
			continue
		}
		next = earlier(next, now.Add(quietEvery))
		l.flow(t, now)
	}
	return next
}

// flow puts in the silence that is due on a track by the wall clock, less what it is patient for.
func (l *timeline) flow(t Track, now time.Time) {
	tr := &l.tracks[t]
	due := samples(now.Sub(tr.heard)-l.patience(tr)+quietEvery) - tr.pad
	if due <= 0 {
		return
	}
	if most := l.budget(tr, now); due > most {
		// The process was asleep. What is over will not come.
		tr.heard = tr.heard.Add(duration(due - most))
		due = most
	}
	tr.pad += due
	if tr.shift > 0 {
		due -= tr.repay(due, due/2)
	}
	l.silence(t, due)
}

// repay tells by how much n samples of silence may be shortened, at most by most, to make up for the shift,
// and counts them as part of the pause. Pauses keep a length that a recognizer takes for one.
func (tr *trackline) repay(n, most int64) int64 {
	tr.pause += n
	r := max(0, min(most, tr.shift, tr.pause-keepPause))
	tr.shift -= r
	tr.pause -= r
	return r
}

// shorten cuts a frame of pure silence to make up for the shift.
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

// muLawSilence is 100 ms of silence. Nobody writes to it.
var muLawSilence = func() (s [sampleRate / 10]byte) {
	for i := range s {
		s[i] = 0xFF
	}
	return s
}()

// digitalSilence tells whether every sample is one of the two zeros of µ-law (ITU-T G.711).
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
