package sandbox

import (
	"math"
	"math/bits"
)

// Constants of the voice detector, for frames of 10 ms. Levels are decibels of full scale.
const (
	vadQuietest   = -58.0 // below this nothing is voice, however quiet the line
	vadMargin     = 7.0   // voice is this far above the noise floor
	vadFloorSpan  = 250   // frames the floor looks back: steady sound this long counts as noise
	vadLearning   = 4     // blocks after which the floor is believed
	vadBlocks     = 10    // the span is kept as the minimum of so many blocks
	vadSmooth     = 3     // frames that a level is the mean of
	vadOnset      = 4     // loud frames out of vadOnsetSpan that begin voice
	vadOnsetSpan  = 6
	vadHangover   = 8    // quiet frames that do not interrupt voice: stops inside words
	vadPause      = 3    // low frames that are a pause between words
	vadLow        = 18.0 // low is this far below the talker's peak
	vadPeakDecay  = 0.02
	vadPeakMargin = 38.0 // what is this far below the talker's peak is not the talker
)

// A voiceDetector tells voice from the rest by energy. It adapts: the noise floor is the quietest level
// of the last seconds, so steady noise of any loudness, having no gaps, becomes floor and can not hold an
// utterance open, while speech, which pauses between syllables, stays above it.
type voiceDetector struct {
	previous float64 // last sample, for the high-pass
	filtered float64 // last output of the high-pass

	powers [vadSmooth]float64 // of the last frames
	peak   float64            // decibels, decaying
	block  float64            // minimum of the current block
	frames int                // in the current block
	minima [vadBlocks]float64
	blocks int // seen so far; no more than vadBlocks are kept

	recent uint64 // one bit a frame, newest lowest: was it loud
	quiet  int    // frames since the last loud one
	low    int    // frames since the last one near the peak
	voice  bool
}

// Frame takes the next frame and reports whether there is voice in it.
func (v *voiceDetector) Frame(frame []int16) bool {
	level := v.level(frame)
	loud := v.loud(level)
	if v.low++; level > v.peak-vadLow {
		v.low = 0
	}
	v.recent <<= 1
	if loud {
		v.recent |= 1
		v.quiet = 0
	} else {
		v.quiet++
	}
	if v.voice {
		v.voice = v.quiet <= vadHangover
	} else {
		v.voice = bits.OnesCount64(v.recent&(1<<vadOnsetSpan-1)) >= vadOnset
	}
	return v.voice
}

// Pause reports whether the talker has gone low for a moment, as between words, though not silent.
func (v *voiceDetector) Pause() bool { return v.voice && v.low >= vadPause }

// level is the smoothed power of the signal above the hum of the mains, in decibels.
func (v *voiceDetector) level(frame []int16) float64 {
	var sum float64
	for _, s := range frame {
		x := float64(s)
		v.filtered = x - v.previous + 0.95*v.filtered
		v.previous = x
		sum += v.filtered * v.filtered
	}
	power := sum / float64(max(1, len(frame))) / (32768 * 32768)
	copy(v.powers[1:], v.powers[:])
	v.powers[0] = power
	sum = 0
	for _, p := range v.powers {
		sum += p
	}
	return decibels(sum / vadSmooth)
}

// loud compares a level with the floor, and lets floor and peak follow it.
func (v *voiceDetector) loud(db float64) bool {
	if v.blocks == 0 && v.frames == 0 {
		v.block, v.peak = db, vadQuietest
	}
	v.block = math.Min(v.block, db)
	if v.frames++; v.frames >= vadFloorSpan/vadBlocks {
		copy(v.minima[1:], v.minima[:])
		v.minima[0] = v.block
		v.blocks++
		v.block, v.frames = db, 0
	}
	floor := v.block
	for _, m := range v.minima[:min(v.blocks, vadBlocks)] {
		floor = math.Min(floor, m)
	}
	if v.blocks < vadLearning { // little is known of the line yet: let a first word through at once
		floor = math.Min(floor, vadQuietest)
	}
	v.peak = math.Max(v.peak-vadPeakDecay, db)
	return db > max(vadQuietest, floor+vadMargin, v.peak-vadPeakMargin)
}

func decibels(power float64) float64 { return 10 * math.Log10(power+1e-12) }
