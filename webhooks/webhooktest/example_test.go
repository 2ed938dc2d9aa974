package webhooktest_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"aldeabridge/webhooks/webhooktest"
)

// post sends an event as a sender would, signed by hand.
func post(url, key, id string, attempt int, body string) (status int) {
	stamp := strconv.FormatInt(time.Now().Unix(), 10)
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write([]byte(id + "." + stamp + "." + body))
	req, err := http.NewRequestWithContext(context.Background(), http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		panic(err)
	}
	for name, value := range map[string]string{
		"content-type": "application/json", "webhook-id": id, "idempotency-key": id, "webhook-timestamp": stamp,
		"webhook-signature": "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil)),
		"bridge-attempt":    strconv.Itoa(attempt),
	} {
		req.Header.Set(name, value)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		panic(err)
	}
	defer resp.Body.Close()
	return resp.StatusCode
}

// event is the JSON of an event of call CA1.
func event(sequence int) string {
	return fmt.Sprintf(`{"type":"dtmf.received","timestamp":"2026-01-02T03:04:05.678Z","data":{"call":{"id":"CA1"},"sequence":%d}}`, sequence)
}

func Example() {
	key := strings.Repeat("k", 32)
	srv := webhooktest.New("whsec_" + base64.StdEncoding.EncodeToString([]byte(key)))
	defer srv.Close()
	srv.Answer(webhooktest.Status(503)) // the first request; all others get 200

	fmt.Println(post(srv.URL, key, "evt_1", 1, event(1)))
	fmt.Println(post(srv.URL, key, "evt_1", 2, event(1)))
	fmt.Println(post(srv.URL, key, "evt_3", 1, event(3)))
	fmt.Println(post(srv.URL, "another key", "evt_4", 1, event(4)))

	report := srv.Report()
	fmt.Println(report.Requests, "requests,", report.Retries, "retry")
	fmt.Println(report.Err())

	// Output:
	// 503
	// 200
	// 200
	// 401
	// 4 requests, 1 retry
	// webhooktest: 1 sequence numbers missing
	// webhooktest: 1 requests with a wrong signature
}
