package calltest

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"aldeabridge/aldea/sandbox"
	"aldeabridge/events"
	"aldeabridge/media/mediatest"
)

// A Weather is a kind of trouble.
type Weather string

// The kinds of trouble that New makes.
const (
	Calm     Weather = "calm"      // nothing fails
	Resets   Weather = "resets"    // connections break again and again, handshakes are refused
	Outage   Weather = "outage"    // the recognizer is away for a while; what waits fits the buffer
	Overflow Weather = "overflow"  // it is away for longer than the buffer lasts
	HalfOpen Weather = "half-open" // a connection stands and nothing passes
)

// Options bound what a seed may make.
type Options struct {
	Seed uint64
	// Calls is how many there are. Zero means 3.
	Calls int
	// Length is about how long they are. Zero means 20 seconds. Trouble that takes longer to show makes them longer.
	Length time.Duration
	// Weather is the kind of trouble. Empty means that the seed decides.
	Weather Weather
}

// New makes a schedule: the same Options make the same one.
func New(o Options) Schedule {
	o.Calls = cmp.Or(o.Calls, 3)
	o.Length = cmp.Or(o.Length, 20*time.Second)
	r := rand.New(rand.NewPCG(o.Seed, 0x63616c6c))
	s := Schedule{Seed: o.Seed, Weather: cmp.Or(o.Weather, randomWeather(r))}
	s.SampleRate = 8000 << r.IntN(2)
	s.ReplaySpeed = pick(r, 1.25, 1.25, 1.5, 3, 0)
	s.Recognizer = recognizerOptions(r)
	if r.IntN(4) == 0 {
		s.WebhookErrors = r.Float64() * 0.3
	}
	for i := range o.Calls {
		// Calls keep their own faults whatever the others do.
		s.Calls = append(s.Calls, newCall(rand.New(rand.NewPCG(r.Uint64(), uint64(i))), i, &s, o))
	}
	if s.Weather == Outage && r.IntN(2) == 0 { // for all at once
		from := between(r, time.Second, max(2*time.Second, o.Length*2/3))
		s.Outages = []Span{{from, from + between(r, time.Second, 8*time.Second)}}
		for i := range s.Calls {
			for l := range s.Calls[i].Legs {
				s.Calls[i].Legs[l].Outages = nil
			}
		}
		s.spare()
	}
	return s
}

// spare moves general outages away from the ends of calls: the wait after a hang-up is bounded.
func (s *Schedule) spare() {
	for i := range s.Calls {
		c := &s.Calls[i]
		for _, o := range s.Outages {
			if over := c.At + c.Length(); over > o.From-500*time.Millisecond && over < o.To {
				c.At += o.To - over
			}
		}
	}
}

func randomWeather(r *rand.Rand) Weather {
	switch n := r.IntN(100); {
	case n < 5:
		return Calm
	case n < 60:
		return Resets
	case n < 80:
		return Outage
	case n < 93:
		return Overflow
	default:
		return HalfOpen
	}
}

// recognizerOptions returns the options of the healthy recognizer.
func recognizerOptions(r *rand.Rand) sandbox.Options {
	o := sandbox.Options{LongFinal: between(r, 3*time.Second, 8*time.Second), EmptyFinals: r.IntN(3) == 0}
	if r.IntN(3) == 0 {
		o.Profile = sandbox.ProfileDeepgram
	}
	if r.IntN(2) == 0 {
		o.Fault = messageFaults(r)
	}
	return o
}

// messageFaults returns variations that a client must accept: every legal format of a result, and some unknown messages.
func messageFaults(r *rand.Rand) sandbox.Fault {
	return sandbox.Fault{
		Words:         pick(r, sandbox.WordsProfile, sandbox.WordsArrays, sandbox.WordsObjects, sandbox.WordsEmpty, sandbox.WordsAbsent, sandbox.WordsRelative),
		SpeechFinal:   pick(r, sandbox.SpeechFinalSame, sandbox.SpeechFinalEmpty, sandbox.SpeechFinalRepeated, sandbox.SpeechFinalNever),
		Metadata:      pick(r, sandbox.MetadataProfile, sandbox.MetadataOpen, sandbox.MetadataClose, sandbox.MetadataBoth, sandbox.MetadataNever),
		EmptyInterims: rarely(r),
		EmptyFinals:   rarely(r),
		Mixed:         rarely(r),
		Duplicate:     rarely(r),
		UnknownType:   rarely(r),
		UnknownFields: rarely(r),
		InvalidJSON:   rarely(r),
		Huge:          rarely(r),
		LateInterim:   rarely(r),
		Seed:          r.Uint64(),
	}
}

func pick[T any](r *rand.Rand, from ...T) T { return from[r.IntN(len(from))] }

func rarely(r *rand.Rand) bool { return r.IntN(5) == 0 }

// newCall makes the i-th call.
func newCall(r *rand.Rand, i int, s *Schedule, o Options) Call {
	// Odd microseconds keep calls from doing things at the very same moment, which goroutines would settle by chance.
	c := Call{SID: fmt.Sprintf("CA%03d", i), At: between(r, 0, o.Length/4) + time.Duration(i)*37*time.Microsecond}
	length := between(r, o.Length/2, o.Length)
	switch s.Weather {
	case HalfOpen:
		length = max(length, 40*time.Second) // it takes up to 25 s to notice
	case Overflow:
		s.Buffer = 12 * time.Second
		length = max(length, 36*time.Second)
	}
	speakers := []events.Speaker{events.Caller}
	if r.IntN(4) == 0 {
		speakers = append(speakers, events.Agent)
	}
	for n, speaker := range speakers {
		l := Leg{Speaker: speaker}
		l.Talk(r, tag(i, n), length)
		l.trouble(r, s.Weather)
		c.Legs = append(c.Legs, l)
	}
	c.HangUp = []mediatest.HangUp{mediatest.Stop, mediatest.Stop, mediatest.Close, mediatest.Cut}[r.IntN(4)]
	for n := r.IntN(3); n > 0; n-- {
		c.Digits = append(c.Digits, mediatest.Digit{At: between(r, 0, c.Length()), Digit: string("0123456789*#"[r.IntN(12)])})
	}
	slices.SortFunc(c.Digits, func(a, b mediatest.Digit) int { return cmp.Compare(a.At, b.At) })
	if s.Weather != Overflow && r.IntN(2) == 0 { // there, times are to be exact
		c.network(r)
	}
	return c
}

// network makes the way from the carrier to us as bad as it may be.
func (c *Call) network(r *rand.Rand) {
	c.Jitter = between(r, 0, 40*time.Millisecond)
	c.Duplicate = r.Float64() * 0.05
	for n := r.IntN(3); n > 0; n-- {
		from := between(r, 0, c.Length())
		c.Stalls = append(c.Stalls, mediatest.Span{From: from, To: from + between(r, 20*time.Millisecond, 200*time.Millisecond)})
	}
}

// tag is a word's beginning that tells call and leg.
func tag(call, leg int) string {
	const letters = "abcdefghijklmnopqrstuvwxyz"
	return string([]byte{letters[call/13%26], letters[call%13*2+leg]})
}

// trouble makes the faults of one leg.
func (l *Leg) trouble(r *rand.Rand, w Weather) {
	length := l.Length()
	switch w {
	case Resets:
		l.resets(r, between(r, 100*time.Millisecond, 2*time.Second), between(r, 2*time.Second, 8*time.Second), r.Float64()*0.4)
	case Outage:
		from := between(r, 0, length)
		l.Outages = []Span{{from, min(from+between(r, time.Second, 25*time.Second), length+2*time.Second)}}
	case Overflow:
		from := between(r, 2*time.Second, 8*time.Second)
		l.Outages = []Span{{from, from + between(r, 18*time.Second, 22*time.Second)}}
	case HalfOpen:
		l.Attempts = []Attempt{{Freeze: between(r, time.Second, max(length-Noticed-time.Second, 1100*time.Millisecond))}}
	}
}

// resets breaks every connection after a random time, and refuses a share of the handshakes.
func (l *Leg) resets(r *rand.Rand, from, to time.Duration, refused float64) {
	for t := time.Duration(0); t < l.Length(); {
		a := Attempt{}
		if r.Float64() >= refused {
			a.Reset = between(r, from, to)
			t += a.Reset
		} else {
			switch n := r.IntN(20); {
			case n < 8:
				a.Status = 503
			case n < 14:
				a.Status = 429
			case n < 16:
				a.Status = 500
			case n < 19:
				a.Refuse = true
			default:
				a.Hang = true
			}
			if (a.Status == 429 || a.Status == 503) && r.IntN(3) == 0 {
				a.RetryAfter = time.Duration(1+r.IntN(2)) * time.Second
			}
			t += 100 * time.Millisecond
		}
		l.Attempts = append(l.Attempts, a)
	}
}
