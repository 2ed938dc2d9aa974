package controltest

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"sync"
	"time"
	"unicode/utf8"
)

const (
	maxForm  = 1 << 20 // bytes
	maxTwiml = 4000    // characters
)

// A Twilio answers requests about calls. Make it with NewTwilio. It may be used concurrently.
type Twilio struct {
	closed chan struct{} // ends silence
	once   sync.Once

	mu       sync.Mutex // guards what is below; not held while onUpdate runs
	accounts map[string]Account
	calls    map[string]Call
	requests []*Request
	busy     map[string]int // requests being answered, by path
	script   []Fault
	onUpdate func(Update)
}

// NewTwilio returns a Twilio with some accounts and no calls.
func NewTwilio(accounts ...Account) *Twilio {
	t := &Twilio{
		closed: make(chan struct{}), accounts: map[string]Account{}, calls: map[string]Call{}, busy: map[string]int{},
		onUpdate: func(Update) {},
	}
	for _, a := range accounts {
		t.accounts[a.SID] = a
	}
	return t
}

// Close ends answers that stand still.
func (t *Twilio) Close() { t.once.Do(func() { close(t.closed) }) }

var resource = regexp.MustCompile(`^/2010-04-01/Accounts/([^/]+)/Calls/([^/]+)\.json$`)

// ServeHTTP answers one request.
func (t *Twilio) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, maxForm))
	if err != nil {
		return // the client has disconnected
	}
	form := url.Values{}
	if r.Header.Get("Content-Type") == "application/x-www-form-urlencoded" {
		if form, err = url.ParseQuery(string(body)); err != nil {
			form = url.Values{}
		}
	}
	kept := t.keep(r, form)
	defer t.leave(kept)
	f, update, onUpdate := t.decide(r, kept)
	if update != nil {
		onUpdate(*update)
	}
	t.answer(w, r, kept, f)
}

// keep notes a request.
func (t *Twilio) keep(r *http.Request, form url.Values) *Request {
	user, _, _ := r.BasicAuth()
	t.mu.Lock()
	defer t.mu.Unlock()
	kept := &Request{Time: time.Now(), Method: r.Method, Path: r.URL.Path, User: user, Form: form, Overlapped: t.busy[r.URL.Path] > 0}
	t.busy[r.URL.Path]++
	t.requests = append(t.requests, kept)
	return kept
}

func (t *Twilio) leave(kept *Request) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.busy[kept.Path]--; t.busy[kept.Path] == 0 {
		delete(t.busy, kept.Path)
	}
}

// decide says what to answer, and does the update if it is to be done.
func (t *Twilio) decide(r *http.Request, kept *Request) (Fault, *Update, func(Update)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	path := resource.FindStringSubmatch(r.URL.Path)
	if path == nil {
		return notFound(r), nil, nil
	}
	account, known := t.accounts[path[1]]
	if !known || !account.admits(r) {
		return Fault{Status: http.StatusUnauthorized, Code: 20003}, nil, nil
	}
	call, known := t.calls[path[2]]
	switch {
	case !known || call.Account != account.SID:
		return notFound(r), nil, nil
	case r.Method == http.MethodGet:
		return Fault{Body: describe(call)}, nil, nil
	case r.Method != http.MethodPost:
		return Fault{Status: http.StatusMethodNotAllowed, Code: 20004}, nil, nil
	}
	update, refusal := call.update(kept.Form)
	if refusal != 0 {
		return Fault{Status: http.StatusBadRequest, Code: refusal}, nil, nil
	}
	f := t.next()
	if f.Status != 0 || f.Break != 0 {
		if !f.Done {
			return f, nil, nil
		}
	}
	call.Status = update.Status
	call.Updates = append(call.Updates, update)
	t.calls[call.SID] = call
	kept.Done = true
	if f.Status == 0 && f.Body == "" {
		f.Body = describe(call)
	}
	return f, &update, t.onUpdate
}

// update returns what a form does to a call, or the code of the refusal.
func (c Call) update(form url.Values) (u Update, refusal int) {
	u = Update{CallSID: c.SID, Status: c.Status, Form: form}
	if !c.live() {
		return u, 21220
	}
	if form.Has("Status") {
		s := Status(form.Get("Status"))
		switch {
		case s != Completed && s != Canceled:
			return u, 20001
		case s == Canceled && c.Status == InProgress:
			return u, 21220
		}
		u.Status, u.Ended = s, true
		return u, 0
	}
	if method := form.Get("Method"); method != "" && method != http.MethodGet && method != http.MethodPost {
		return u, 20001
	}
	switch {
	case form.Has("Url"):
		if to, err := url.Parse(form.Get("Url")); err != nil || to.Scheme != "http" && to.Scheme != "https" || to.Host == "" {
			return u, 21205
		}
	case form.Has("Twiml"):
		if utf8.RuneCountInString(form.Get("Twiml")) > maxTwiml {
			return u, 32018
		}
		u.TwiML = read(form.Get("Twiml"))
		if u.TwiML.Err != nil { // Twilio takes it, fails, and hangs up
			u.Status, u.Ended = Completed, true
		}
	}
	if c.Status != InProgress {
		return u, 21220
	}
	return u, 0
}

func notFound(r *http.Request) Fault {
	return Fault{Status: http.StatusNotFound, Code: 20404, Message: "The requested resource " + r.URL.Path + " was not found"}
}

// describe is the call's resource, the fields that say something here.
func describe(c Call) string {
	return fmt.Sprintf(`{"sid":%q,"account_sid":%q,"status":%q,"api_version":"2010-04-01","direction":"inbound","price":null,"price_unit":"USD",`+
		`"date_created":"Tue, 18 Aug 2026 18:25:30 +0000","date_updated":"Tue, 18 Aug 2026 18:25:31 +0000","uri":"/2010-04-01/Accounts/%s/Calls/%s.json",`+
		`"subresource_uris":{"streams":"/2010-04-01/Accounts/%s/Calls/%s/Streams.json"}}`,
		c.SID, c.Account, c.Status, c.Account, c.SID, c.Account, c.SID)
}

// refusal is the JSON of an error.
func (f Fault) refusal() string {
	message := f.Message
	if message == "" {
		message = messages[f.Code]
	}
	text, err := json.Marshal(message)
	if err != nil {
		text = []byte(`""`)
	}
	code := strconv.Itoa(f.Code)
	return `{"code":` + code + `,"message":` + string(text) + `,"more_info":"https://www.twilio.com/docs/errors/` + code + `","status":` + strconv.Itoa(f.Status) + `}`
}
