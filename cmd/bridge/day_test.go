package main

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"aldeabridge/aldea/sandbox"
	"aldeabridge/events"
	"aldeabridge/internal/journal"
)

// BenchmarkADayOfCalls says how long commands take where the journal holds a day of 10,000 calls of 20 utterances each,
// all of them sent to a webhook, a hundredth in vain.
func BenchmarkADayOfCalls(b *testing.B) {
	dir := b.TempDir()
	fillDay(b, filepath.Join(dir, "journal.db"), 10_000, 20)
	w := newWorld(b, sandbox.Options{Source: sandbox.Marker()}, func(o *options) { o.DataDir = dir })
	b.Setenv("BRIDGE_URL", "http://"+w.server.listener.Addr().String())
	for _, args := range []string{
		"calls", "calls --limit 0", "calls --number +15550100042", "calls --day today", "calls --state lost",
		"transcript CA05000", "transcript CA05000 --format srt", "search refund", "search order5000", `search "appointment to"`,
		"deliveries", "deliveries --dead", "deliveries --dead --limit 0", "deliveries --call CA05000", "deliveries --state waiting",
		"tail CA05000",
	} {
		b.Run(strings.ReplaceAll(args, " ", "_"), func(b *testing.B) {
			for range b.N {
				var out, errs strings.Builder
				if err := run(context.Background(), strings.Fields(args), terminal{&out, &errs}); err != nil {
					b.Fatal(err)
				}
				b.ReportMetric(float64(strings.Count(out.String(), "\n")), "lines")
			}
		})
	}
}

// fillDay makes a journal of calls over the last day.
func fillDay(b *testing.B, file string, calls, utterances int) {
	b.Helper()
	const webhook = "default"
	s, err := journal.Open(journal.Options{Path: file, Endpoints: []string{webhook}})
	if err != nil {
		b.Fatal(err)
	}
	begin := time.Now().Add(-24 * time.Hour)
	add := func(i int, call events.Call, at time.Time, body events.Body) {
		r, err := s.Append(context.Background(), events.Event{Time: at, Call: call, Body: body})
		if err != nil {
			b.Error(err)
			return
		}
		state, status := "delivered", 200
		if i%100 == 0 {
			state, status = "dead: rejected", 400
		}
		s.Log(journal.Attempt{EventID: r.ID, Endpoint: webhook, Number: 1, Live: true, Started: at, Latency: 3 * time.Millisecond, Status: status, Remote: "192.0.2.1:443"})
		if err := s.Settle(context.Background(), r.Position, webhook, state); err != nil {
			b.Error(err)
		}
	}
	var work sync.WaitGroup
	const writers = 200
	for first := range writers {
		work.Go(func() {
			for i := first; i < calls; i += writers {
				at := begin.Add(time.Duration(i) * 24 * time.Hour / time.Duration(calls))
				call := events.Call{ID: fmt.Sprintf("CA%05d", i), StreamID: "MZ1", Carrier: "twilio", From: fmt.Sprintf("+1555010%04d", i%500), To: "+15550100002"}
				add(i, call, at, events.CallStarted{})
				for n := range utterances {
					add(i, call, at.Add(time.Duration(n+1)*6*time.Second), events.UtteranceFinal{Utterance: said(i, n)})
				}
				add(i, call, at.Add(2*time.Minute), events.CallEnded{Reason: events.EndStop, Duration: events.Offset(2 * time.Minute)})
			}
		})
	}
	work.Wait()
	if err := s.Close(); err != nil {
		b.Fatal(err)
	}
}

// said is an utterance of nine words, of which one says the call, and in a call of ten one is "refund".
func said(call, n int) events.Utterance {
	text := fmt.Sprintf("I would like to move my appointment to order%d", call)
	if call%10 == 0 {
		text += " refund"
	}
	u := events.Utterance{
		ID: fmt.Sprint("u", n), Index: n + 1, Speaker: events.Caller, Text: text, Confidence: 0.9, Language: "en",
		Start: events.Offset(time.Duration(n) * 6 * time.Second), End: events.Offset(time.Duration(n)*6*time.Second + 4*time.Second),
		EndedBy: events.BySpeechFinal, Confirmed: true,
	}
	for i, word := range strings.Fields(text) {
		u.Words = append(u.Words, events.Word{Text: word, Start: u.Start + events.Offset(i)*4e8, End: u.Start + events.Offset(i+1)*4e8})
	}
	return u
}
