package calltest

import (
	"fmt"
	"strings"
	"time"

	"aldeabridge/aldea/sandbox"
)

// String is the schedule for people: what happens in it, call by call.
func (s Schedule) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "seed %d, weather %s: %d calls, recognizer %s at %d Hz", s.Seed, s.Weather, len(s.Calls), profile(s), s.rate())
	if s.ReplaySpeed > 0 {
		fmt.Fprintf(&b, ", catching up at %vx", s.ReplaySpeed)
	}
	if s.Buffer > 0 {
		fmt.Fprintf(&b, ", buffer %v", s.Buffer)
	}
	if s.WebhookErrors > 0 {
		fmt.Fprintf(&b, ", %.0f %% of webhooks fail at first", 100*s.WebhookErrors)
	}
	b.WriteByte('\n')
	if f := s.Recognizer.Fault; f != (sandbox.Fault{}) {
		fmt.Fprintf(&b, "  the recognizer's manners: %v\n", f)
	}
	for _, o := range s.Outages {
		fmt.Fprintf(&b, "  %v nobody reaches the recognizer\n", o)
	}
	for i := range s.Calls {
		s.Calls[i].print(&b)
	}
	return b.String()
}

func profile(s Schedule) string {
	if s.Recognizer.Profile == "" {
		return "aldea"
	}
	return string(s.Recognizer.Profile)
}

func (c *Call) print(b *strings.Builder) {
	fmt.Fprintf(b, "  %s at %v for %v", c.SID, c.At, c.Length())
	if c.Jitter > 0 {
		fmt.Fprintf(b, ", jitter %v", c.Jitter)
	}
	if c.Duplicate > 0 {
		fmt.Fprintf(b, ", %.1f %% of frames twice", 100*c.Duplicate)
	}
	for _, stall := range c.Stalls {
		fmt.Fprintf(b, ", stalls %v", Span(stall))
	}
	for _, d := range c.Digits {
		fmt.Fprintf(b, ", key %s at %v", d.Digit, d.At)
	}
	fmt.Fprintf(b, ", hangs up by %s\n", [...]string{"stop", "close", "cut", "silence"}[c.HangUp])
	for i := range c.Legs {
		c.Legs[i].print(b)
	}
}

func (l *Leg) print(b *strings.Builder) {
	fmt.Fprintf(b, "    %s says", l.Speaker)
	end := time.Duration(0)
	for i, w := range l.Words {
		if i == 0 || w.Start-end > 200*time.Millisecond {
			fmt.Fprintf(b, "  %.2fs", w.Start.Seconds())
		}
		fmt.Fprintf(b, " %s", w.Text)
		end = w.End
	}
	b.WriteByte('\n')
	for _, o := range l.Outages {
		fmt.Fprintf(b, "      %v does not reach the recognizer\n", o)
	}
	for i, a := range l.Attempts {
		fmt.Fprintf(b, "      connection %d: %v\n", i+1, a)
	}
}

// String is the span in seconds.
func (s Span) String() string {
	return fmt.Sprintf("from %.3fs to %.3fs", s.From.Seconds(), s.To.Seconds())
}

// String says what happens to the attempt.
func (a Attempt) String() string {
	var what []string
	say := func(on bool, format string, args ...any) {
		if on {
			what = append(what, fmt.Sprintf(format, args...))
		}
	}
	say(a.Refuse, "refused")
	say(a.Hang, "never answered")
	say(a.Status != 0, "answered %d", a.Status)
	say(a.RetryAfter > 0, "Retry-After %v", a.RetryAfter)
	say(a.Reset > 0, "reset after %v", a.Reset)
	say(a.Freeze > 0, "frozen after %v", a.Freeze)
	if a.Fault != (sandbox.Fault{}) {
		say(true, "%+v", a.Fault)
	}
	if len(what) == 0 {
		return "healthy"
	}
	return strings.Join(what, ", ")
}
