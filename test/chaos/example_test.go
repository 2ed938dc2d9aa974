package calltest_test

import (
	"fmt"
	"time"

	"aldeabridge/events"
	"aldeabridge/test/chaos"
)

// A schedule can be made by hand, for one thing in particular.
func ExampleSchedule() {
	caller := calltest.Leg{
		Speaker:  events.Caller,
		Attempts: []calltest.Attempt{{Reset: 1500 * time.Millisecond}, {Status: 503, RetryAfter: time.Second}},
	}
	caller.Say(calltest.Line{Text: "my order is late", Pause: time.Second}, calltest.Line{Text: "number seven"})
	fmt.Print(calltest.Schedule{
		Weather: "by hand",
		Calls:   []calltest.Call{{SID: "CA1", Legs: []calltest.Leg{caller}}},
	})
	// Output:
	// seed 0, weather by hand: 1 calls, recognizer aldea at 16000 Hz
	//   CA1 at 0s for 2.78s, hangs up by stop
	//     caller says  0.10s my order is late  2.16s number seven
	//       connection 1: reset after 1.5s
	//       connection 2: answered 503, Retry-After 1s
}
