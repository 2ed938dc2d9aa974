// Package webhooks delivers stored events to customers' endpoints: signed, in order, again until they arrive.
//
// A Dispatcher follows a Journal. Each endpoint and each call make a lane: the unit of order. Within a lane
// event n+1 is not sent before event n got a 2xx answer or became a dead letter, and there are never two
// attempts at once. Lanes know nothing of each other: one that is slow, failing or stuck delays no other. A
// lane with nothing to send costs a small struct, one that waits for its next attempt a timer; only an
// attempt under way has a goroutine, and an endpoint has at most 64 of those.
//
// Requests are those of Standard Webhooks 1.0.0 with symmetric secrets. An event keeps its id and its bytes
// on every attempt; the timestamp and the signature are made anew. Delivery is at least once: receivers
// remember the highest sequence of each call and answer 2xx to what they have seen.
//
// While the call is up retries come fast (a quarter of a second, then up to 5 s), because a caller is
// waiting; once it is over they spread out over 27 hours. What cannot be delivered becomes a dead letter: it
// is settled in the journal as such and logged with its ids and the reason, never with its text.
//
//	d, err := webhooks.New(webhooks.Config{
//		Endpoints: []webhooks.Endpoint{{Name: "main", URL: url, Secrets: secrets}},
//		Journal:   journal,
//	})
//	…
//	go d.Run(ctx)    // until ctx ends
//	…
//	d.Drain(grace)   // before ctx is canceled: wait for what is still under way
//
// An endpoint that accepts nothing is not asked by every lane: after 20 failures in a row its breaker opens, lanes are
// held back without losing attempts, and one probe now and then finds out when it is well. What was held back for 72
// hours dies, and an endpoint that accepted nothing for so long is disabled. When an endpoint accepts an event, the lanes
// that wait for it are tried early. Redeliver sends again what is dead, or was delivered, and tries at once what waits.
//
// Lanes hold the bodies of a few thousand events; those of a bigger backlog are loaded from the journal when their
// turn comes.
//
// Where endpoints may be is for package egress to say: never at a cloud's metadata service, and one whose URL is not the
// operator's (Untrusted) at public addresses only. Redirects are never followed, and no proxy is taken from the
// environment unless asked for. Endpoints have their own connections, authorities and certificates.
package webhooks
