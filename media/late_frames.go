package media

import "time"

const (
	lateRun   = 50             // so many late frames in order among themselves: the clock was set back. One second of 20 ms each
	lateFew   = 5              // or so many, if they are a second, or other audio for times that were placed
	lateEnd   = 10             // so many are enough when nothing else comes
	lateKeeps = 2 * sampleRate // samples of them that are kept
)

// A late is the present run of a track's frames that are behind its clock, in order among themselves. They come twice, or too
// late, or the carrier's clock was set back. Other audio for a time that was placed shows that it was, and so does a run that
// does not end. Their audio is kept as long as that is not known.
type late struct {
	n      int
	length int64     // samples
	at     int64     // the timestamp of the last, in milliseconds
	came   time.Time // when the last came
	other  int       // how many have the timestamp of a frame that was placed, and other audio
	stuck  bool      // the last has the timestamp of the one before
	audio  []byte    // of those that are kept, one behind the other
	frames []lateFrame
}

// A lateFrame is a late frame whose audio is kept.
type lateFrame struct {
	millis   int64
	n        int  // samples
	repeated bool // a frame with this timestamp was placed
}

// behind takes a frame that should have come before what was placed last.
func (l *timeline) behind(t Track, millis int64, mulaw []byte, now time.Time) {
	tr := &l.tracks[t]
	run := &tr.late
	if millis < run.at {
		l.drop(tr)
	}
	run.stuck = run.n > 0 && millis == run.at
	run.n, run.length = run.n+1, run.length+int64(len(mulaw))
	run.at, run.came = millis, now
	l.keep(tr, millis, mulaw)
	if run.n >= lateRun || run.n >= lateFew && run.length >= sampleRate || run.other >= lateFew {
		l.setBack(t, now)
	}
}

// keep keeps a late frame. When there is no room, those before it are dropped.
func (l *timeline) keep(tr *trackline, millis int64, mulaw []byte) {
	run := &tr.late
	if len(run.audio)+len(mulaw) > lateKeeps {
		l.count(run.frames)
		run.audio, run.frames = nil, nil
	}
	repeated, same := tr.remembers(millis, mulaw)
	if repeated && !same {
		run.other++
	}
	f := lateFrame{millis, len(mulaw), repeated}
	if len(mulaw) > lateKeeps {
		l.count([]lateFrame{f})
		return
	}
	run.audio, run.frames = append(run.audio, mulaw...), append(run.frames, f)
}

// repeated counts a frame that is dropped in part.
func (l *timeline) repeated(tr *trackline, millis int64) {
	repeated, _ := tr.remembers(millis, nil)
	l.count([]lateFrame{{repeated: repeated}})
}

// drop ends a run of late frames: the clock was not set back.
func (l *timeline) drop(tr *trackline) {
	if tr.late.n > 0 {
		l.count(tr.late.frames)
		tr.late = late{}
	}
}

// count counts late frames that are dropped.
func (l *timeline) count(frames []lateFrame) {
	for _, f := range frames {
		if f.repeated {
			l.n.duplicate.Add(1)
		} else {
			l.n.late.Add(1)
		}
	}
}

// setBack places a run of late frames by a clock that was set back to the first of them.
func (l *timeline) setBack(t Track, now time.Time) {
	tr := &l.tracks[t]
	run := tr.late
	tr.late = late{}
	l.rebase(tr)
	tr.blind = tr.blind || run.stuck
	tr.seen = [seenFrames]int64{} // which are those of the clock before
	if len(run.frames) > 0 {
		tr.next = run.frames[0].millis * perMilli
	} else {
		tr.next = run.at * perMilli
	}
	for _, f := range run.frames {
		l.frame(t, f.millis, true, run.audio[:f.n], now)
		run.audio = run.audio[f.n:]
	}
}

// finish decides about the late frames of each track when nothing comes behind them.
func (l *timeline) finish(now time.Time) {
	for t := range trackCount {
		l.settle(t, now)
	}
}

// settle decides about the late frames of a track when nothing has come behind them for a while, or will.
func (l *timeline) settle(t Track, now time.Time) {
	if tr := &l.tracks[t]; tr.late.n >= lateEnd {
		l.setBack(t, now)
	} else {
		l.drop(tr)
	}
}
