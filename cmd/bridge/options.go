package main

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"aldeabridge/aldea"
	"aldeabridge/codec"
	"aldeabridge/events"
	"aldeabridge/internal/loopback"
	"aldeabridge/media"
	"aldeabridge/webhooks"
)

// options is the configuration of a server, as flags and environment variables give it. Each field has a line
// in the README's table.
type options struct {
	Listen    string        `env:"BRIDGE_LISTEN" default:"127.0.0.1:8080" placeholder:"HOST:PORT" help:"Address to listen on (${default})."`
	PublicURL string        `name:"public-url" env:"BRIDGE_PUBLIC_URL" placeholder:"URL" help:"What the carrier calls this server, https://host: signatures are checked against it."`
	DataDir   string        `env:"BRIDGE_DATA_DIR" placeholder:"DIR" help:"Where data lives (the user's data directory)."`
	Proxies   []string      `name:"trusted-proxies" env:"BRIDGE_TRUSTED_PROXIES" placeholder:"CIDR" help:"Proxies in front of this server: connections through them are counted by the address in X-Forwarded-For."`
	Insecure  bool          `env:"BRIDGE_INSECURE" help:"Take streams from anybody, on any address."`
	MaxCalls  int           `env:"BRIDGE_MAX_CALLS" default:"2500" placeholder:"N" help:"Streams at once; more get 503 (${default})."`
	Grace     time.Duration `env:"BRIDGE_GRACE" default:"30s" placeholder:"TIME" help:"How long the last words and webhooks may take at SIGTERM, which ends all calls (${default})."`
	EchoLoss  float64       `env:"BRIDGE_ECHO_LOSS" default:"9" placeholder:"DB" help:"How much weaker than what the caller hears its echo is at least (${default} dB); with less, callers must speak louder to interrupt."`
	Tick      time.Duration `env:"BRIDGE_TICK" default:"100ms" placeholder:"TIME" help:"How often calls are read, 10ms to 200ms; longer costs less and answers later (${default}). Less than 0 reads every message as it arrives."`
	Sandbox   string        `env:"BRIDGE_SANDBOX" default:"auto" enum:"auto,speech,marker,simulated" help:"What the built-in recognizer hears when there is no ALDEA_API_KEY: ${enum}."`

	Aldea aldeaOptions `embed:"" prefix:"aldea-" group:"Recognizer"`

	Config     string         `env:"BRIDGE_CONFIG" placeholder:"FILE" help:"Which calls go to which webhooks, and how they are recognized: bridge.yaml."`
	WebhookURL string         `name:"webhook-url" env:"WEBHOOK_URL" placeholder:"URL" help:"Where events are POSTed."`
	Webhook    webhookOptions `embed:"" prefix:"webhook-"`

	Voice voiceOptions `embed:"" prefix:"voice-" group:"Voice"`

	TwilioAccountSID string `name:"twilio-account-sid" env:"TWILIO_ACCOUNT_SID" placeholder:"AC…" help:"The account whose calls are expected, and that transfers, redirects and hang-ups are asked of."`
	TwilioAPIKey     string `name:"twilio-api-key" env:"TWILIO_API_KEY" placeholder:"SK…" help:"API key of the account, with TWILIO_API_SECRET, instead of TWILIO_AUTH_TOKEN for those."`
	TwilioAPIURL     string `name:"twilio-api-url" env:"TWILIO_API_URL" default:"https://api.twilio.com" placeholder:"URL" help:"Where Twilio's REST API is (${default})."`

	AllowNetworks []string `env:"BRIDGE_ALLOW_NETWORKS" placeholder:"CIDR" help:"Networks that URLs in actions may lead to although they are not public."`

	Journal journalOptions `embed:"" prefix:"journal-" group:"Journal"`

	secrets secrets
	allowed []netip.Prefix // AllowNetworks, read
	proxies []netip.Prefix // Proxies, read
}

// webhookOptions is how the webhook at WebhookURL is reached. Those of the configuration file have their own.
type webhookOptions struct {
	Events  []string      `env:"WEBHOOK_EVENTS" placeholder:"TYPE" help:"Types of events that are POSTed, such as utterance.final,call.ended (all)."`
	Timeout time.Duration `env:"WEBHOOK_TIMEOUT" placeholder:"TIME" help:"How long a request may take, 1s to 30s (10s while the call is up, 15s after)."`
	CAFile  string        `name:"ca-file" env:"WEBHOOK_CA_FILE" placeholder:"FILE" help:"Authorities (PEM) that the webhook's certificate may be signed by (the system's)."`
	Proxy   string        `env:"WEBHOOK_PROXY" placeholder:"URL" help:"Proxy to the webhook; \"environment\" is the one that HTTPS_PROXY names (none)."`
}

// journalOptions is what is kept of the calls.
type journalOptions struct {
	MaxAge   time.Duration `env:"JOURNAL_MAX_AGE" default:"720h" placeholder:"TIME" help:"How long calls are kept (${default}, thirty days); less than 0 is for ever."`
	MaxBytes int64         `env:"JOURNAL_MAX_BYTES" default:"0" placeholder:"N" help:"Size above which the oldest calls go; 0 is no bound."`

	// inMemory keeps no file: what is not delivered when the process ends is gone.
	inMemory bool
}

// aldeaOptions is how speech is recognized.
type aldeaOptions struct {
	URL            string        `name:"url" env:"ALDEA_URL" placeholder:"URL" help:"Recognizer's base URL (wss://api.aldea.ai); several, separated by commas, are tried in that order."`
	Plaintext      bool          `env:"ALDEA_PLAINTEXT" help:"Allow ws:// to a host that is not this machine."`
	Auth           string        `env:"ALDEA_AUTH" default:"subprotocol" enum:"subprotocol,bearer,token" help:"How the key is shown first: ${enum}."`
	SampleRate     int           `env:"ALDEA_SAMPLE_RATE" default:"16000" enum:"8000,16000" placeholder:"HZ" help:"Rate of the audio sent: ${enum}."`
	Language       string        `env:"ALDEA_LANGUAGE" default:"en" placeholder:"LANG" help:"Language spoken, one of ALDEA_LANGUAGES (${default})."`
	Languages      []string      `env:"ALDEA_LANGUAGES" default:"en,en-US,es,es-ES,auto" placeholder:"LANG" help:"Languages that the recognizer knows (${default}); others are refused here. * allows all."`
	Endpointing    string        `env:"ALDEA_ENDPOINTING" default:"300" placeholder:"MS" help:"Silence that ends an utterance, in ms, or false (${default})."`
	UtteranceEndMS int           `name:"utterance-end-ms" env:"ALDEA_UTTERANCE_END_MS" default:"1000" placeholder:"MS" help:"Silence between words that ends a turn, in ms; 0 is off (${default})."`
	Keywords       []string      `env:"ALDEA_KEYWORDS" placeholder:"WORD" help:"Words to listen for."`
	Redact         []string      `env:"ALDEA_REDACT" placeholder:"KIND" help:"What to leave out of transcripts: pii, pci, numbers, true."`
	Buffer         time.Duration `env:"ALDEA_BUFFER" default:"60s" placeholder:"TIME" help:"Audio kept for a recognizer that does not answer (${default}, 8 kB a second)."`
	ReplaySpeed    float64       `env:"ALDEA_REPLAY_SPEED" default:"1.25" placeholder:"X" help:"Catch up at X times real time; 0 is as fast as possible (${default})."`
	MaxConnections int           `env:"ALDEA_MAX_CONNECTIONS" default:"0" placeholder:"N" help:"Connections that the key allows at once; calls beyond wait. 0 is no limit."`
	Chunk          time.Duration `env:"ALDEA_CHUNK" default:"60ms" placeholder:"TIME" help:"Audio sent in one message, 20ms to 250ms (${default})."`
}

// secrets come from the environment only; see secret.
type secrets struct {
	aldeaKey   string
	apiTokens  []string
	mediaToken media.Secret
	twilio     []media.Secret
	twilioKey  string // secret of TwilioAPIKey
	voiceKey   string // of the service of VOICE_ENGINE
	webhook    []webhooks.Secret
}

// Validate reads the secrets and rejects what cannot work, by the option's name. kong calls it.
func (o *options) Validate() error {
	if err := o.readSecrets(); err != nil {
		return err
	}
	return o.validate()
}

// readSecrets fills o.secrets from the environment.
func (o *options) readSecrets() error {
	var errs []error
	one := func(name string) string {
		value, err := secret(name)
		errs = append(errs, err)
		return value
	}
	list := func(name string) []string {
		values, err := secretList(name)
		errs = append(errs, err)
		return values
	}
	o.secrets = secrets{
		aldeaKey:   one("ALDEA_API_KEY"),
		apiTokens:  list("BRIDGE_API_TOKEN"),
		mediaToken: media.Secret(one("BRIDGE_MEDIA_TOKEN")),
		twilioKey:  one("TWILIO_API_SECRET"),
		voiceKey:   one("VOICE_API_KEY"),
	}
	for _, t := range list("TWILIO_AUTH_TOKEN") {
		o.secrets.twilio = append(o.secrets.twilio, media.Secret(t))
	}
	if name := serviceKeys[o.Voice.Engine]; name != "" && o.secrets.voiceKey == "" {
		o.secrets.voiceKey = one(name)
	}
	var err error
	o.secrets.webhook, err = webhookSecrets("WEBHOOK_SECRET")
	return errors.Join(append(errs, err)...)
}

// validate checks the options against each other.
func (o *options) validate() error {
	if _, _, err := net.SplitHostPort(o.Listen); err != nil {
		return fmt.Errorf("BRIDGE_LISTEN: %q is not HOST:PORT, such as 127.0.0.1:8080", o.Listen)
	}
	if o.PublicURL != "" {
		u, err := url.Parse(o.PublicURL)
		if err != nil || u.Hostname() == "" || u.Scheme != "https" && u.Scheme != "http" || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
			return fmt.Errorf("BRIDGE_PUBLIC_URL: %q is not like https://bridge.example.com", o.PublicURL)
		}
	}
	if o.Aldea.URL != "" && o.secrets.aldeaKey == "" {
		return errors.New("ALDEA_URL is set, but ALDEA_API_KEY is not: set the key, or leave both out to use the built-in sandbox")
	}
	proxies, err := parseProxies(o.Proxies)
	if err != nil {
		return err
	}
	o.proxies = proxies
	for _, text := range o.AllowNetworks {
		network, err := netip.ParsePrefix(text)
		if err != nil {
			return fmt.Errorf("BRIDGE_ALLOW_NETWORKS: %q is not a network such as 10.1.0.0/16 or fd12::/48", text)
		}
		o.allowed = append(o.allowed, network.Masked())
	}
	if o.MaxCalls < 1 {
		return fmt.Errorf("BRIDGE_MAX_CALLS: %d is less than 1", o.MaxCalls)
	}
	if !(o.EchoLoss >= 0 && o.EchoLoss <= 60) {
		return fmt.Errorf("BRIDGE_ECHO_LOSS: %g is not within 0 and 60 dB", o.EchoLoss)
	}
	if o.Tick > 200*time.Millisecond || o.Tick > 0 && o.Tick < 10*time.Millisecond {
		return fmt.Errorf("BRIDGE_TICK: %v is not between 10ms and 200ms, nor less than 0", o.Tick)
	}
	if o.Journal.MaxBytes < 0 {
		return fmt.Errorf("JOURNAL_MAX_BYTES: %d is less than 0", o.Journal.MaxBytes)
	}
	if o.Voice.CacheBytes < 0 {
		return fmt.Errorf("VOICE_CACHE_BYTES: %d is less than 0", o.Voice.CacheBytes)
	}
	if _, err := events.ParseStoredTypes(o.Webhook.Events); err != nil {
		return fmt.Errorf("WEBHOOK_EVENTS: %w", err)
	}
	if o.Grace <= 0 {
		return fmt.Errorf("BRIDGE_GRACE: %v is not above 0", o.Grace)
	}
	if t := string(o.secrets.mediaToken); t != url.PathEscape(t) {
		return errors.New("BRIDGE_MEDIA_TOKEN: it becomes a segment of a path: use only letters, digits, -, ., _ and ~")
	}
	if _, err := o.Aldea.client(cmp.Or(o.secrets.aldeaKey, sandboxKey), nil, nil); err != nil {
		return err
	}
	if _, err := o.twilio(nil); err != nil {
		return err
	}
	if len(o.secrets.twilio) > 0 && o.PublicURL == "" {
		return errors.New("BRIDGE_PUBLIC_URL: needed with TWILIO_AUTH_TOKEN: a signature covers the URL that the carrier called")
	}
	if err := o.checkTokens(); err != nil {
		return err
	}
	if o.Insecure || isLoopback(o.Listen) {
		return nil
	}
	if len(o.secrets.twilio) == 0 && o.secrets.mediaToken == "" {
		return fmt.Errorf("BRIDGE_LISTEN: %s is open to others, so callers must be known: set TWILIO_AUTH_TOKEN (with BRIDGE_PUBLIC_URL) or BRIDGE_MEDIA_TOKEN, or pass --insecure", o.Listen)
	}
	if len(o.secrets.apiTokens) == 0 {
		return fmt.Errorf("BRIDGE_LISTEN: %s is open to others: set BRIDGE_API_TOKEN, or pass --insecure", o.Listen)
	}
	return nil
}

// minToken is the least length of a token: 16 characters of a random one are 64 bits or more.
const minToken = 16

// checkTokens rejects tokens that could be guessed. A short API token is accepted where it opens nothing to other machines
// (see guard): on loopback, without a public URL.
func (o *options) checkTokens() error {
	if n := len(o.secrets.mediaToken); n > 0 && n < minToken {
		return tooShort("BRIDGE_MEDIA_TOKEN", 0, 1, n)
	}
	if isLoopback(o.Listen) && o.PublicURL == "" {
		return nil
	}
	for i, t := range o.secrets.apiTokens {
		if len(t) < minToken {
			return tooShort("BRIDGE_API_TOKEN", i, len(o.secrets.apiTokens), len(t))
		}
	}
	return nil
}

// tooShort is the error of a token that could be guessed: number i of n.
func tooShort(name string, i, n, length int) error {
	which := "the token"
	if n > 1 {
		which = fmt.Sprintf("number %d of %d tokens", i+1, n)
	}
	return fmt.Errorf("%s: %s has %d characters and could be guessed: use %d or more, such as those of `openssl rand -hex 16`", name, which, length, minToken)
}

// isLoopback says whether only this machine can reach a listener at HOST:PORT.
func isLoopback(listen string) bool { return loopback.Host(listen) }

// sandboxKey is the key for a recognizer of our own.
const sandboxKey = "org_sandbox"

// aldeaNames is what users call the fields of aldea.Config.
var aldeaNames = strings.NewReplacer(
	"aldea: ", "", "Config.URL", "ALDEA_URL", "Config.Keywords", "ALDEA_KEYWORDS", "Config.Key", "ALDEA_API_KEY", "set AllowPlaintext", "set ALDEA_PLAINTEXT",
	"Config.SampleRate", "ALDEA_SAMPLE_RATE", "Config.Languages", "ALDEA_LANGUAGES", "Config.Language", "ALDEA_LANGUAGE",
	"Config.Endpointing", "ALDEA_ENDPOINTING", "Config.UtteranceEnd", "ALDEA_UTTERANCE_END_MS", "Config.Redact", "ALDEA_REDACT",
	"Config.Chunk", "ALDEA_CHUNK", "Config.Buffer", "ALDEA_BUFFER", "Config.ReplaySpeed", "ALDEA_REPLAY_SPEED",
	"Config.MaxConnections", "ALDEA_MAX_CONNECTIONS",
)

// client returns a client of the recognizer. Errors name the option that is wrong. A change, if any, has the
// last word on its configuration.
func (o *aldeaOptions) client(key string, logger *slog.Logger, change func(*aldea.Config)) (*aldea.Client, error) {
	auth, err := aldea.ParseAuth(o.Auth)
	if err != nil {
		return nil, err
	}
	config := aldea.Config{
		URL:            cmp.Or(o.URL, "wss://api.aldea.ai"),
		AllowPlaintext: o.Plaintext,
		Key:            aldea.Secret(key),
		Auth:           auth,
		SampleRate:     codec.Rate(o.SampleRate),
		Language:       o.Language,
		Languages:      trimmed(o.Languages),
		Endpointing:    o.Endpointing,
		UtteranceEnd:   time.Duration(o.UtteranceEndMS) * time.Millisecond,
		VADEvents:      true,
		Keywords:       o.Keywords,
		Redact:         o.Redact,
		Buffer:         o.Buffer,
		ReplaySpeed:    cmp.Or(o.ReplaySpeed, -1),
		MaxConnections: o.MaxConnections,
		Chunk:          o.Chunk,
		Logger:         logger,
	}
	apply(change, &config)
	client, err := aldea.NewClient(config)
	if err != nil {
		return nil, errors.New(aldeaNames.Replace(err.Error()))
	}
	return client, nil
}

// trimmed is a list without the white space around its commas.
func trimmed(list []string) []string {
	list = slices.Clone(list)
	for i := range list {
		list[i] = strings.TrimSpace(list[i])
	}
	return list
}

// settings returns the recognizer settings of call.started.
func (o *aldeaOptions) settings(simulated bool) events.Recognizer {
	return events.Recognizer{
		SampleRate:  o.SampleRate,
		Language:    o.Language,
		Endpointing: o.Endpointing,
		Keywords:    o.Keywords,
		Simulated:   simulated,
	}
}

// utteranceTimeout is how long finals may wait for the end of their utterance.
func (o *aldeaOptions) utteranceTimeout() time.Duration {
	end := time.Duration(o.UtteranceEndMS) * time.Millisecond
	if ms, err := strconv.Atoi(o.Endpointing); err == nil {
		end = max(end, time.Duration(ms)*time.Millisecond)
	}
	return max(end, time.Second) + 500*time.Millisecond
}
