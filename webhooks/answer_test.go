package webhooks

import (
	"net/http"
	"testing"
	"time"
)

func TestStatusesMeanWhatTheContractSays(t *testing.T) {
	byVerdict := map[verdict][]int{
		delivered: {200, 201, 202, 204, 299},
		rejected:  {400, 405, 406, 411, 413, 414, 415, 422, 431},
		gone:      {410},
		slowDown:  {429},
		failed:    {300, 301, 302, 304, 307, 308, 399, 401, 402, 403, 404, 407, 408, 409, 412, 416, 418, 421, 423, 425, 426, 428, 451, 499, 500, 501, 502, 503, 504, 599, 600, 999},
	}
	for want, statuses := range byVerdict {
		for _, status := range statuses {
			if got, _ := judge(status, http.Header{}, time.Now()); got != want {
				t.Errorf("%d: got verdict %d, want %d", status, got, want)
			}
		}
	}
}

func TestHeadersOfAFailingAnswerCount(t *testing.T) {
	for _, c := range []struct {
		status      int
		name, value string
		want        verdict
		pause       time.Duration
	}{
		{429, "Retry-After", "7", slowDown, 7 * time.Second},
		{429, "Retry-After", "soon", slowDown, 0},
		{503, "Retry-After", "7", slowDown, 7 * time.Second},
		{503, "Retry-After", "soon", failed, 0},
		{503, "Retry-After", "0", failed, 0},
		{500, "Retry-After", "7", failed, 0},
		{500, "webhook-delivery", "abort-message", aborted, 0},
		{429, "webhook-delivery", " Abort-Message ", aborted, 0},
		{500, "webhook-delivery", "disable", gone, 0},
		{500, "webhook-delivery", "what?", failed, 0},
		{200, "webhook-delivery", "abort-message", delivered, 0},
		{204, "webhook-delivery", "disable", delivered, 0},
	} {
		h := http.Header{}
		h.Set(c.name, c.value)
		got, pause := judge(c.status, h, time.Now())
		if got != c.want || pause != c.pause {
			t.Errorf("%d with %s: %s: got verdict %d, pause %s; want %d, %s", c.status, c.name, c.value, got, pause, c.want, c.pause)
		}
	}
}

var retryNow = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

var retryAfterCases = []struct {
	value string
	want  time.Duration // zero: ignored
}{
	{"1", time.Second},
	{" 120 ", 2 * time.Minute},
	{"1.2", 2 * time.Second},
	{"0.001", time.Second},
	{".5", time.Second},
	{"3600", time.Hour},
	{"3601", time.Hour},
	{"99999999999999999999999999", time.Hour},
	{"Fri, 02 Jan 2026 03:04:15 GMT", 10 * time.Second},
	{"Friday, 02-Jan-26 03:04:15 GMT", 10 * time.Second},
	{"Fri Jan  2 03:04:15 2026", 10 * time.Second},
	{"Sat, 03 Jan 2026 03:04:05 GMT", time.Hour},
	{"", 0},
	{"0", 0},
	{"0.0", 0},
	{"-1", 0},
	{"+1", 0},
	{"1e3", 0},
	{"1.2.3", 0},
	{".", 0},
	{"inf", 0},
	{"NaN", 0},
	{"0x10", 0},
	{"10s", 0},
	{"soon", 0},
	{"Fri, 02 Jan 2026 03:04:05 GMT", 0}, // now
	{"Thu, 01 Jan 1970 00:00:00 GMT", 0},
	{"2026-01-02T03:04:15Z", 0},
}

func TestRetryAfterIsReadInBothForms(t *testing.T) {
	for _, c := range retryAfterCases {
		got, ok := retryAfter(c.value, retryNow)
		if ok != (c.want > 0) || ok && got != c.want {
			t.Errorf("%q: got %s, %t; want %s", c.value, got, ok, c.want)
		}
	}
}

func FuzzRetryAfter(f *testing.F) {
	for _, c := range retryAfterCases {
		f.Add(c.value)
	}
	f.Fuzz(func(t *testing.T, value string) {
		if got, ok := retryAfter(value, retryNow); ok && (got <= 0 || got > maxPause) {
			t.Fatalf("%q: got %s", value, got)
		}
	})
}
