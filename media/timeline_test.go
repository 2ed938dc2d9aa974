package media

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"
)

// A bench is a time line under test. Frames are 160 samples of one letter; what comes out is written as runs
// of letters with their lengths in samples, silence as _.
type bench struct {
	now  time.Time
	line *timeline
	n    counters
	out  [trackCount]runs
}

type runs struct {
	b    strings.Builder
	last byte
	n    int
}

func (r *runs) add(samples []byte) {
	for _, s := range samples {
		if s|0x80 == 0xFF {
			s = '_'
		}
		if s != r.last {
			r.flush()
			r.last = s
		}
		r.n++
	}
}

func (r *runs) flush() {
	if r.n > 0 {
		fmt.Fprintf(&r.b, "%c%d ", r.last, r.n)
	}
	r.n = 0
}

func (r *runs) String() string {
	r.flush()
	return strings.TrimSpace(r.b.String())
}

func newBench(tracks ...Track) *bench {
	b := &bench{now: time.Unix(1000, 0)}
	b.line = newTimeline(tracks, b.now, &b.n, func(t Track, mulaw []byte) { b.out[t].add(mulaw) })
	return b
}

// letters are n samples of a letter.
func letters(letter byte, n int) []byte {
	if letter == '_' {
		letter = 0xFF
	}
	return []byte(strings.Repeat(string([]byte{letter}), n))
}

// do runs steps: "A40" is a frame of A with timestamp 40; "A40/80" one of 80 samples; "A?" one without a
// timestamp; "o:A40" one of the outbound track; "+100" lets 100 ms pass, and the watch go off when it wants to.
func (b *bench) do(t *testing.T, script string) {
	t.Helper()
	for _, step := range strings.Fields(script) {
		if ms, ok := strings.CutPrefix(step, "+"); ok {
			d, err := time.ParseDuration(ms + "ms")
			if err != nil {
				t.Fatal(err)
			}
			b.pass(d)
			continue
		}
		track := TrackInbound
		if rest, ok := strings.CutPrefix(step, "o:"); ok {
			track, step = TrackOutbound, rest
		}
		letter, ts, size := step[0], int64(0), 160
		hasTimestamp := step[1:] != "?"
		if hasTimestamp {
			if n, _ := fmt.Sscanf(step[1:], "%d/%d", &ts, &size); n == 0 {
				t.Fatalf("step %q", step)
			}
		}
		b.line.frame(track, ts, hasTimestamp, letters(letter, size), b.now)
	}
}

// pass lets time go by as a stream's watch would see it.
func (b *bench) pass(d time.Duration) {
	end := b.now.Add(d)
	for {
		next := b.line.fillQuiet(b.now)
		if next.After(end) {
			b.now = end
			return
		}
		b.now = next
	}
}

// clock plays n frames of a letter in real time from a timestamp on.
func clock(letter string, from, n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "+20 %s%d ", letter, from+20*i)
	}
	return b.String()
}

func TestFramesBecomeOneTimeLine(t *testing.T) {
	for _, c := range []struct {
		name, script string
		in, out      string // what comes out on each track
		n            Stats  // without Silence
	}{
		{"frames in order", "A0 B20 C40", "A160 B160 C160", "", Stats{Frames: 3}},
		{"the first timestamp is where the call begins", "A5000 B5020", "A160 B160", "", Stats{Frames: 2}},
		{"a missing frame becomes silence", "A0 C40", "A160 _160 C160", "", Stats{Frames: 2}},
		{"a frame twice", "A0 B20 B20 C40", "A160 B160 C160", "", Stats{Frames: 3, Duplicate: 1}},
		{"a frame too late", "A0 C40 B20 D60", "A160 _160 C160 D160", "", Stats{Frames: 3, Late: 1}},
		{"an overlap", "A0 B10 C30", "A160 B80 C160", "", Stats{Frames: 3, Late: 1}},
		{"an empty frame", "A0 B20/0 C20", "A160 C160", "", Stats{Frames: 3}},
		{"odd lengths, timestamps rounded down", "A0/161 B20/161 C40/161 D60/161 E80/161", "A161 B161 C161 D161 E161", "", Stats{Frames: 5}},
		{"no timestamps", "A? B? C?", "A160 B160 C160", "", Stats{Frames: 3}},
		{"a timestamp missing in between", "A0 B? C40 E80", "A160 B160 C160 _160 E160", "", Stats{Frames: 4}},
		{"timestamps that come late in the call", "A? B? C1000 D1020", "A160 B160 C160 D160", "", Stats{Frames: 4}},
		{"two tracks", "A0 o:X0 B20 o:Y20", "A160 B160", "X160 Y160", Stats{Frames: 4}},
		{"the second track begins later", "A0 B20 o:X20 C40", "A160 B160 C160", "_160 X160", Stats{Frames: 4}},
		{"the second track's clock begins before the first's", "A20 o:X0 B40 o:Y20", "A160 B160", "X160 Y160", Stats{Frames: 4}},
		{"a jump of the clock is filled for ten seconds", "A0 B20000 C20020", "A160 _80000 B160 C160", "", Stats{Frames: 3, Rebased: 1}},
		{
			"silence is no longer than the time that passed and ten seconds", "A0 B9000 C18000 D18020",
			"A160 _71840 B160 _8160 C160 D160", "", Stats{Frames: 4, Rebased: 1},
		},
		{"quiet for less than 1.5 s in a word", "A0 +1499 B1500", "A160 _11840 B160", "", Stats{Frames: 2}},
		{"quiet: silence flows behind the clock", "A0 +1500", "A160 _800", "", Stats{Frames: 1}},
		{"quiet: silence goes on flowing", "A0 +2200", "A160 _6400", "", Stats{Frames: 1}},
		{"quiet for less than 500 ms in a pause", "A0 _20 +499 B500", "A160 _3840 B160", "", Stats{Frames: 3}},
		{"quiet in a pause: silence flows sooner", "A0 _20 +700", "A160 _2560", "", Stats{Frames: 2}},
		{"quiet from the beginning", "+1200 A0", "_6400 A160", "", Stats{Frames: 1}},
		{"quiet, and the carrier says so", "A0 +2200 B2000", "A160 _15840 B160", "", Stats{Frames: 2}},
		{"a stalled network: nothing is lost", "A0 +1700 B20 C40 D60", "A160 _2400 B160 C160 D160", "", Stats{Frames: 4}},
		{"a stall, then a frame twice", "A0 +1700 B20 B20 A0 C40", "A160 _2400 B160 C160", "", Stats{Frames: 3, Duplicate: 2}},
		{"a stall that was in part real", "A0 +1700 B220 C240", "A160 _2400 B160 C160", "", Stats{Frames: 3}},
		{
			// 2400 samples were too much, of which the gap of 1.5 s after B repays 2400 and keeps a pause of one second.
			"a later gap repays what a stall cost", "A0 +1700 B20 +10 C1540", "A160 _2400 B160 _9600 C160", "", Stats{Frames: 3},
		},
		{"a short gap repays nothing", "A0 +1700 B20 C240", "A160 _2400 B160 _1600 C160", "", Stats{Frames: 3}},
		{
			"frames of pure silence repay, after a second of them", "A0 +1700 B20 _40/8000 _1040/1200 _1190/2400 C1490",
			"A160 _2400 B160 _9200 C160", "", Stats{Frames: 6},
		},
		{"both tracks are quiet", "A0 o:X0 +1700", "A160 _2400", "X160 _2400", Stats{Frames: 2}},
		{
			"the second track was quiet for long", clock("A", 0, 50) + "o:X1000", "A8000",
			"_8000 X160", Stats{Frames: 51},
		},
		{"one track that the carrier did not announce", "A0", "A160", "", Stats{Frames: 1}},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(TrackInbound)
			if c.out != "" {
				b = newBench(TrackInbound, TrackOutbound)
			}
			b.do(t, c.script)
			if got := b.out[TrackInbound].String(); got != c.in {
				t.Errorf("inbound:\n got %s\nwant %s", got, c.in)
			}
			if got := b.out[TrackOutbound].String(); got != c.out {
				t.Errorf("outbound:\n got %s\nwant %s", got, c.out)
			}
			got := b.n.stats()
			got.Silence = 0
			if got != c.n {
				t.Errorf("stats:\n got %+v\nwant %+v", got, c.n)
			}
		})
	}
}

func TestAClockThatIsSetBackCostsNoAudio(t *testing.T) {
	for _, c := range []struct {
		name, script string
		want         string
		n            Stats // without Silence
	}{
		{"it restarts at 0", "A100000 " + clock("B", 0, 60), "A160 B9600", Stats{Frames: 61, Rebased: 1}},
		{"it restarts at 0 in the first second", clock("A", 0, 30) + clock("B", 0, 60), "A4800 B9600", Stats{Frames: 90, Rebased: 1}},
		{"it is set back by 300 ms", clock("A", 0, 200) + clock("B", 3700, 60), "A32000 B9600", Stats{Frames: 260, Rebased: 1}},
		{"it counts seconds", "A5000 B5000 C5000 D5000 E5000 F5000 G5000 H6000 I6000", "A160 B160 C160 D160 E160 F160 G160 H160 I160", Stats{Frames: 9, Rebased: 1}},
		{"one frame of other audio", "A0 B20 C20 D40", "A160 B160 D160", Stats{Frames: 3, Duplicate: 1}},
		{"a second comes again", clock("A", 0, 100) + clock("A", 1500, 26), "A16160", Stats{Frames: 101, Duplicate: 25}},
		{"it is set back by two seconds", clock("A", 0, 200) + clock("B", 2000, 60), "A32000 B9600", Stats{Frames: 260, Rebased: 1}},
		{"a frame is missing behind it", "A100000 B0 " + clock("C", 40, 60), "A160 B160 _160 C9600", Stats{Frames: 62, Rebased: 1}},
		{"a frame comes twice behind it", "A100000 B0 B0 " + clock("C", 20, 60), "A160 B160 C9600", Stats{Frames: 62, Rebased: 1, Duplicate: 1}},
		{"frames of 100 ms", "A100000/800 B0/800 C100/800 D200/800 E300/800 F400/800 G500/800 H600/800 I700/800 J800/800 K900/800 L1000/800",
			"A800 B800 C800 D800 E800 F800 G800 H800 I800 J800 K800 L800", Stats{Frames: 12, Rebased: 1}},
		{"it restarts twice", "A100000 " + clock("B", 0, 60) + clock("C", 0, 60), "A160 B9600 C9600", Stats{Frames: 121, Rebased: 2}},
		{"the call ends soon", "A100000 " + clock("B", 0, 10), "A160 B1600", Stats{Frames: 11, Rebased: 1}},
		{"the call ends at once", "A100000 " + clock("B", 0, 9), "A160", Stats{Frames: 1, Late: 9}},
		{"the carrier is quiet behind it", "A100000 " + clock("B", 0, 10) + "+600 C800", "A160 B1600 _4800 C160", Stats{Frames: 12, Rebased: 1}},
		{"they are late: the clock goes on", "A100000 " + clock("B", 0, 49) + "C100020", "A160 C160", Stats{Frames: 2, Late: 49}},
		{"they are late: their order is none", "A100000 " + clock("B", 500, 30) + clock("C", 0, 30) + "D100020", "A160 D160", Stats{Frames: 2, Late: 60}},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(TrackInbound)
			b.do(t, c.script)
			b.line.finish(b.now)
			got := b.n.stats()
			got.Silence = 0
			if out := b.out[TrackInbound].String(); out != c.want || got != c.n {
				t.Errorf("got %s, %+v,\nwant %s, %+v", out, got, c.want, c.n)
			}
		})
	}
}

// What is kept of late frames is bounded, whatever their size.
func TestLateFramesThatAreKeptAreBounded(t *testing.T) {
	for _, size := range []int{1, 160, 7000, 20000} {
		b := newBench(TrackInbound)
		b.line.frame(TrackInbound, 1e9, true, letters('A', 160), b.now)
		for i := range 200 {
			b.line.frame(TrackInbound, int64(i), true, letters('B', size), b.now)
			if run := b.line.tracks[TrackInbound].lateRun; len(run.audio) > lateMaxSamples || len(run.frames) > lateRunFrames {
				t.Fatalf("frames of %d: %d samples of %d frames are kept", size, len(run.audio), len(run.frames))
			}
		}
	}
}

func TestAClockThatStandsStillCostsNoAudio(t *testing.T) {
	b := newBench(TrackInbound)
	for range 200 {
		b.do(t, "+20 A0")
	}
	if got := b.n.stats(); got.Frames != 200 {
		t.Errorf("frames: got %d, want all 200", got.Frames)
	}
}

func TestAClockThatJumpsAllTheTimeIsGivenUp(t *testing.T) {
	b := newBench(TrackInbound)
	for i := range 100 {
		b.do(t, fmt.Sprintf("+20 A%d", i*60000))
	}
	got := b.n.stats()
	if got.Rebased != maxRebases {
		t.Errorf("rebased: got %d, want %d", got.Rebased, maxRebases)
	}
	if most := 12 * time.Second; got.Silence > most {
		t.Errorf("silence: got %v, want at most %v", got.Silence, most)
	}
}

func TestASleepingMachineMakesNoHoursOfSilence(t *testing.T) {
	b := newBench(TrackInbound)
	b.do(t, "A0")
	b.now = b.now.Add(time.Hour)
	b.line.fillQuiet(b.now)
	if got := b.n.stats().Silence; got != 10*time.Second {
		t.Errorf("silence: got %v, want 10s", got)
	}
	b.line.fillQuiet(b.now.Add(time.Second))
	if got := b.n.stats().Silence; got != 11*time.Second {
		t.Errorf("silence after another second: got %v, want 11s", got)
	}
}

func TestPlacingAFrameAllocatesNothing(t *testing.T) {
	var n counters
	now := time.Unix(1000, 0)
	l := newTimeline([]Track{TrackInbound}, now, &n, func(Track, []byte) {})
	frame, ts := letters('A', 160), int64(0)
	got := testing.AllocsPerRun(1000, func() {
		l.frame(TrackInbound, ts, true, frame, now)
		now, ts = now.Add(40*time.Millisecond), ts+40 // every second frame is missing
		l.fillQuiet(now)
	})
	if got != 0 {
		t.Errorf("got %v allocations a frame, want none", got)
	}
}

// FuzzTimeline plays frames by a script and holds what must be true of any carrier: what is received comes
// out once, whole and in order, unless it is counted as late or double; silence is bounded.
func FuzzTimeline(f *testing.F) {
	f.Add([]byte{0, 10, 0, 10, 200, 10, 1, 10, 130, 3})
	f.Add([]byte{255, 255, 0, 0, 128, 128, 7, 7})
	f.Add(append([]byte{128, 160, 66, 0}, bytes.Repeat([]byte{128, 160}, 60)...))
	f.Fuzz(func(t *testing.T, script []byte) {
		now := time.Unix(1000, 0)
		opened := now
		var n counters
		var made, pos [trackCount]int64
		var sent [trackCount]frames
		l := newTimeline([]Track{TrackInbound, TrackOutbound}, now, &n, func(track Track, mulaw []byte) {
			if len(mulaw) == 0 {
				t.Fatal("no samples at all were emitted")
			}
			pos[track] += int64(len(mulaw))
			if digitalSilence(mulaw) {
				made[track] += int64(len(mulaw))
				return
			}
			if !sent[track].out(mulaw) {
				t.Fatalf("%v: %d samples of %d come out that are not the end of a frame still to come", track, len(mulaw), mulaw[0])
			}
		})
		var ts int64 = 100000
		var letter byte
		var received, empty int64
		script = script[:min(len(script), 1000)] // longer ones say nothing new
		for len(script) >= 2 {
			op, arg := script[0], int64(script[1])
			script = script[2:]
			track := Track(op & 1)
			made0 := made
			switch op >> 6 {
			case 0: // time passes
				now = now.Add(time.Duration(arg) * 10 * time.Millisecond)
				l.fillQuiet(now)
			case 1: // the clock goes on, or jumps
				ts = max(0, ts+(arg-64)*5)
				if op&2 != 0 {
					ts = max(0, ts+(arg-128)*1000)
				}
			default: // a frame
				letter = (letter + 1) % 0x7E
				frame := bytes.Repeat([]byte{letter}, int(arg))
				if arg == 0 {
					empty++
				} else {
					sent[track] = append(sent[track], frame)
				}
				received++
				l.frame(track, ts, op&4 == 0, frame, now)
				ts += arg / 8
			}
			for track := range trackCount {
				if most := samples(now.Sub(opened)) + maxAhead; made[track] > most {
					t.Fatalf("%v: %d samples of silence, at most %d are allowed", track, made[track], most)
				}
				if grown := made[track] - made0[track]; grown > lateRunFrames*maxInsert {
					t.Fatalf("%v: %d samples of silence at once", track, grown)
				}
				if got := l.at(track); got != duration(pos[track]) {
					t.Fatalf("%v: at %v, but %v came out", track, got, duration(pos[track]))
				}
			}
		}
		l.finish(now)
		for track := range trackCount {
			if kept := l.tracks[track].lateRun; kept.n > 0 {
				t.Fatalf("%v: %d frames are neither placed nor dropped at the end", track, kept.n)
			}
		}
		got := n.stats()
		if whole := got.Frames - empty + got.Late + got.Duplicate; whole < received-empty || got.Frames > received {
			t.Fatalf("of %d frames, %d of them empty, got %+v", received, empty, got)
		}
	})
}

// frames are those that may come out, in order.
type frames [][]byte

// out takes b, which must be the end of one of the frames or all of it, and those before it.
func (f *frames) out(b []byte) bool {
	for len(*f) > 0 {
		first := (*f)[0]
		*f = (*f)[1:]
		if bytes.HasSuffix(first, b) {
			return true
		}
	}
	return false
}
