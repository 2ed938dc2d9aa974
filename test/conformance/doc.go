// Package conformance is what a client of the recognizer must survive, as tests that can be run against any service
// that speaks the protocol.
//
//	func TestConformance(t *testing.T) {
//		conformance.Run(t, conformance.Sandbox())
//	}
//
// Against the sandbox everything is known: callers speak in tones (package marker), time is simulated, and the
// sandbox can be told to misbehave. So every word must come once, in order and at its time.
//
// Against a real service (Service) time is real, its results are not known in advance, and only the network between can be
// made to fail: a relay in this process resets connections, lets them freeze, and refuses new ones. There
// the tests hold the structure: results in order and within the audio, gaps where they belong and nowhere else,
// reconnects in time, and an orderly end. Tests that need a server that misbehaves by itself are for the sandbox only.
package conformance
