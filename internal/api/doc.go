// Package api answers questions about calls over HTTP: lists, transcripts, search, deliveries, and event
// streams that go on while people talk. The command line and other programs are its clients.
//
//	api := api.New(api.Config{Journal: journal, Deliverer: webhooks, Guard: guard})
//	api.Register(app)     // everything under /v1
//	…
//	api.Publish(event)    // every event of every call, stored or not
//	…
//	api.Close()           // ends the event streams, before the server shuts down
//
// Stored events come from a Journal, transient ones (speech.started, transcript.interim) from Publish. In a stream
// they are put in order: an interim comes after what was stored before it and before the final that replaces it.
// A listener that is too slow loses interims, never stored events; one that was cut off comes back with the position
// of the last event it saw and gets each later one exactly once.
//
// Routes are a table (routes), and openapi.json describes them by hand; tests compare the two. To add a route, add
// a line there, a path here, and a function that answers.
package api
