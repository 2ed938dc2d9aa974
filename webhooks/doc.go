// Package webhooks delivers stored events to customers' endpoints: signed, in order, and retried until they are
// accepted or dead.
//
// A Dispatcher follows a Journal. Each pair of endpoint and call has a lane, the unit of order. Within a lane event
// n+1 is not sent before event n got a 2xx answer or became a dead letter, and at most one attempt is under way.
// Lanes are independent: a slow or failing lane delays no other. An idle lane costs a small struct and a lane that
// backs off a timer; only an attempt under way has a goroutine, and an endpoint has at most 64 of those by default.
//
// Requests follow Standard Webhooks 1.0.0 with symmetric secrets. An event keeps its id and its bytes on every
// attempt; the timestamp and the signature are new each time. Delivery is at least once: a receiver should store the
// highest sequence of each call and answer 2xx to an event that it has already processed.
//
// While the call is up, retries come fast (after 250 ms, then up to 5 s apart), because the caller is waiting. After
// the call they are spread over 27 hours. An event that cannot be delivered becomes a dead letter: it is settled as
// such in the journal and logged with its ids and the reason, never with its text.
//
//	d, err := webhooks.New(webhooks.Config{
//		Endpoints: []webhooks.Endpoint{{Name: "main", URL: url, Secrets: secrets}},
//		Journal:   journal,
//	})
//	…
//	go d.Run(ctx)    // until ctx ends
//	…
//	d.Drain(grace)   // before ctx is canceled: wait for attempts under way
//
// After 20 failures in a row the breaker of an endpoint opens: lanes are held back without using up attempts, and a
// single probe is sent from time to time. An event held back for 72 hours becomes a dead letter, and an endpoint that
// accepted nothing for 72 hours is disabled. When an endpoint accepts an event, the lanes that back off are tried
// early. Redeliver sends dead or delivered events again and tries waiting events at once.
//
// Lanes hold the bodies of a few thousand events in memory. The bodies of a larger backlog are loaded from the
// journal when they are sent.
//
// Package egress decides which addresses may be connected to: never a cloud's metadata service, and only public
// addresses for URLs that are not the operator's (Untrusted). Redirects are never followed, and the environment's
// proxy is used only on request. Each endpoint has its own connections, root certificates and client certificates.
//
// Locks: each receiver has one mutex, which guards its lanes, gate, breaker and redeliveries. Dispatcher.mu guards
// the read position and the change signal. The two are never held together, and neither is held while the Journal,
// Observe or Actions is called.
package webhooks
