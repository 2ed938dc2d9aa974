package media

import "time"

const (
	lateRunFrames  = 50             // late frames in ascending order that prove that the clock was set back: one second of 20 ms frames
	lateMinFrames  = 5              // enough late frames if they are one second long, or differ from the audio placed at their times
	lateEndFrames  = 10             // enough late frames if no other frame follows
	lateMaxSamples = 2 * sampleRate // most samples of late frames that are buffered
)

// A lateRun is the current run of frames of a track whose timestamps are behind its clock, in ascending order. Such frames
// are duplicates or late, or the carrier's clock was set back. The clock was set back if their audio differs from the audio
// that was placed at the same time, or if the run does not end. Until that is decided their audio is buffered.
type lateRun struct {
	n      int
	length int64     // samples
	at     int64     // timestamp of the last frame, in milliseconds
	came   time.Time // arrival of the last frame
	other  int       // frames with the timestamp of a placed frame and different audio
	stuck  bool      // the last two frames have the same timestamp
	audio  []byte    // the buffered audio, concatenated
	frames []lateFrame
}

// A lateFrame is a late frame whose audio is buffered.
type lateFrame struct {
	millis   int64
	n        int  // samples
	repeated bool // a frame with this timestamp was placed
}

// addLate adds a frame whose time is before the end of the placed audio.
func (l *timeline) addLate(t Track, millis int64, mulaw []byte, now time.Time) {
	tr := &l.tracks[t]
	run := &tr.lateRun
	if millis < run.at {
		l.dropLate(tr)
	}
	run.stuck = run.n > 0 && millis == run.at
	run.n, run.length = run.n+1, run.length+int64(len(mulaw))
	run.at, run.came = millis, now
	l.keepLate(tr, millis, mulaw)
	if run.n >= lateRunFrames || run.n >= lateMinFrames && run.length >= sampleRate || run.other >= lateMinFrames {
		l.setBack(t, now)
	}
}

// keepLate buffers a late frame. If the buffer is full, the frames before it are dropped.
func (l *timeline) keepLate(tr *trackline, millis int64, mulaw []byte) {
	run := &tr.lateRun
	if len(run.audio)+len(mulaw) > lateMaxSamples {
		l.countDropped(run.frames)
		run.audio, run.frames = nil, nil
	}
	repeated, same := tr.seenBefore(millis, mulaw)
	if repeated && !same {
		run.other++
	}
	f := lateFrame{millis, len(mulaw), repeated}
	if len(mulaw) > lateMaxSamples {
		l.countDropped([]lateFrame{f})
		return
	}
	run.audio, run.frames = append(run.audio, mulaw...), append(run.frames, f)
}

// repeated counts a frame that is partly dropped.
func (l *timeline) repeated(tr *trackline, millis int64) {
	repeated, _ := tr.seenBefore(millis, nil)
	l.countDropped([]lateFrame{{repeated: repeated}})
}

// dropLate ends a run of late frames: the clock was not set back.
func (l *timeline) dropLate(tr *trackline) {
	if tr.lateRun.n > 0 {
		l.countDropped(tr.lateRun.frames)
		tr.lateRun = lateRun{}
	}
}

// countDropped counts dropped frames as duplicate or late.
func (l *timeline) countDropped(frames []lateFrame) {
	for _, f := range frames {
		if f.repeated {
			l.n.duplicate.Add(1)
		} else {
			l.n.late.Add(1)
		}
	}
}

// setBack sets the clock back to the first frame of the run and places the run.
func (l *timeline) setBack(t Track, now time.Time) {
	tr := &l.tracks[t]
	run := tr.lateRun
	tr.lateRun = lateRun{}
	l.rebase(tr)
	tr.blind = tr.blind || run.stuck
	tr.seen = [seenFrames]int64{} // these are timestamps of the previous clock
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

// finish decides about the late frames of each track at the end of the stream.
func (l *timeline) finish(now time.Time) {
	for t := range trackCount {
		l.settleLate(t, now)
	}
}

// settleLate decides about the late frames of a track after which no frame has come for a while, or will come.
func (l *timeline) settleLate(t Track, now time.Time) {
	if tr := &l.tracks[t]; tr.lateRun.n >= lateEndFrames {
		l.setBack(t, now)
	} else {
		l.dropLate(tr)
	}
}
