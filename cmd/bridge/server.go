package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"sync/atomic"
	"time"

	"github.com/gofiber/fiber/v2"

	"aldeabridge/aldea"
	"aldeabridge/aldea/sandbox"
	"aldeabridge/events"
	"aldeabridge/internal/api"
	"aldeabridge/internal/call"
	"aldeabridge/internal/control"
	"aldeabridge/internal/listen"
	"aldeabridge/internal/version"
	"aldeabridge/media"
	"aldeabridge/webhooks"
)

// A server is a whole bridge: listener, calls, journal and webhooks. Make it with newServer, then run it.
type server struct {
	options    options
	logger     *slog.Logger
	listener   net.Listener
	client     *aldea.Client
	app        *fiber.App
	media      *media.Server
	calls      *call.Calls
	speech     *speech
	twilio     *control.Twilio // nil if the account or its secret is not known
	router     *router
	store      store
	metrics    *metrics
	dispatcher *webhooks.Dispatcher // nil without a webhook
	api        *api.API             // nil with a journal in memory
	sandbox    *sandbox.Server      // nil with a real recognizer
	edge       edge
	late       atomic.Int64       // answers whose actions came too late
	draining   atomic.Bool        // no new calls are taken
	calling    context.Context    // bounds every call's recognition
	hangUp     context.CancelFunc // ends calling
}

// hooks lets tests and the demo observe events and replace the network. All may be nil; none may block.
type hooks struct {
	event   func(events.Event)
	attempt func(webhooks.Attempt)

	listener net.Listener           // instead of one at BRIDGE_LISTEN
	aldea    func(*aldea.Config)    // may change the configuration of the recognizer's client
	call     func(*call.Config)     // on the calls
	webhooks func(*webhooks.Config) // on the dispatcher
}

// newServer listens and wires the rooms together; nothing runs until run. The caller must run it or close the
// listener.
func newServer(o options, h hooks, logger *slog.Logger) (_ *server, err error) {
	s := &server{options: o, logger: logger, metrics: newMetrics()}
	s.calling, s.hangUp = context.WithCancel(context.Background())
	defer func() {
		if err != nil {
			s.release()
			if s.listener != nil && h.listener == nil {
				s.listener.Close()
			}
		}
	}()
	routes, err := s.readConfig()
	if err != nil {
		return nil, err
	}
	endpoints, err := s.endpoints(routes)
	if err != nil {
		return nil, err
	}
	client, settings, err := s.recognizer(h.aldea)
	if err != nil {
		return nil, err
	}
	if s.router, err = newRouter(routes, &o, client, settings.Simulated); err != nil {
		return nil, err
	}
	if err := s.openJournal(endpoints); err != nil {
		return nil, err
	}
	if err := s.newDispatcher(endpoints, h); err != nil {
		return nil, err
	}
	if s.listener = h.listener; s.listener == nil {
		if s.listener, err = net.Listen("tcp", o.Listen); err != nil {
			return nil, fmt.Errorf("BRIDGE_LISTEN: %w", err)
		}
	}
	s.client = client
	if err := s.newCalls(settings, h); err != nil {
		return nil, err
	}
	s.openEdge()
	s.media = s.newMedia()
	s.app = s.routes()
	s.edge.listener = listen.New(s.media.Listener(s.listener), listen.Config{
		Total: s.edge.plan.Connections, Trusted: o.proxies, Logger: s.logger,
	})
	return s, nil
}

// newDispatcher makes what delivers to the webhooks, if there are any.
func (s *server) newDispatcher(endpoints []webhooks.Endpoint, h hooks) (err error) {
	if len(endpoints) == 0 {
		return nil
	}
	config := webhooks.Config{
		Endpoints: endpoints,
		Journal:   tally{s.store, s.metrics.dead},
		Version:   version.String(),
		Observe:   s.observe(h.attempt),
		Actions:   s.answered,
		Logger:    s.logger,
	}
	apply(h.webhooks, &config)
	s.dispatcher, err = webhooks.New(config)
	return err
}

// newCalls makes what runs the calls, and what speaks on them and steers them.
func (s *server) newCalls(settings events.Recognizer, h hooks) (err error) {
	if s.speech, err = s.newSpeech(); err != nil {
		return err
	}
	config := call.Config{
		Recognizer:       recognizer{s.client},
		Journal:          s.store,
		Observe:          s.observeEvents(h.event),
		Settings:         settings,
		Route:            s.route,
		Past:             s.past,
		Speech:           s.speech,
		EchoLoss:         s.options.EchoLoss,
		BaseURL:          strings.TrimSuffix(s.options.PublicURL, "/"),
		UtteranceTimeout: s.options.Aldea.utteranceTimeout(),
		Logger:           s.logger,
	}
	if s.twilio, err = s.options.twilio(s.logger); err != nil {
		return err
	}
	if s.twilio != nil {
		config.Control = s.twilio
	}
	apply(h.call, &config)
	s.calls = call.New(config)
	return nil
}

// route makes the configuration of a call what its route says.
func (s *server) route(config *call.Config, c events.Call) {
	if i := s.router.config.Find(c.From, c.To); i >= 0 {
		s.router.recognize(config, i)
		config.Speech = s.speech.as(s.router.config.Routes[i])
	}
}

// newMedia makes what takes the carrier's streams.
func (s *server) newMedia() *media.Server {
	o := s.options
	if o.PublicURL == "" {
		s.logger.Info("no BRIDGE_PUBLIC_URL: POST /voice/twilio answers 503; media streams are accepted all the same")
	}
	return &media.Server{
		PublicURL:  o.PublicURL,
		AuthTokens: o.secrets.twilio,
		PathToken:  o.secrets.mediaToken,
		Insecure:   o.Insecure,
		MaxStreams: s.edge.plan.Calls,
		Bodies:     &s.edge.media,
		Tick:       o.Tick,
		Logger:     s.logger,
		Serve: func(ctx context.Context, stream *media.Stream) {
			s.checkAccount(stream)
			serveCall(ctx, s.calling, s.calls, stream)
		},
	}
}

// checkAccount warns of a call that cannot be steered.
func (s *server) checkAccount(stream *media.Stream) {
	start, want := stream.Start(), s.options.TwilioAccountSID
	if want != "" && start.AccountSID != want {
		s.logger.Warn("call of another account than TWILIO_ACCOUNT_SID", "call_sid", start.CallSID, "account_sid", start.AccountSID)
	}
}

// apply lets a hook change what was configured.
func apply[T any](hook func(*T), config *T) {
	if hook != nil {
		hook(config)
	}
}

// recognizer returns the client of the recognizer: Aldea's, or without a key that of a sandbox it starts.
func (s *server) recognizer(change func(*aldea.Config)) (*aldea.Client, events.Recognizer, error) {
	o := s.options.Aldea
	key, simulated := s.options.secrets.aldeaKey, false
	if key == "" {
		source, err := sandboxSource(s.options.Sandbox)
		if err != nil {
			return nil, events.Recognizer{}, err
		}
		s.sandbox = sandbox.New(sandbox.Options{Source: source, Logger: s.logger})
		o.URL, key, simulated = s.sandbox.URL, sandboxKey, source.Simulated()
		s.logger.Warn("no ALDEA_API_KEY: using the built-in sandbox, " + source.Name())
	}
	client, err := o.client(key, s.logger, change)
	if err != nil {
		return nil, events.Recognizer{}, err
	}
	return client, o.settings(simulated), nil
}

// run serves until ctx ends, then stops cleanly: no new calls, the last words of the running ones, the last
// webhooks, within the grace period. It returns an error if that was not enough, or if serving failed.
func (s *server) run(ctx context.Context) error {
	defer s.release()
	defer s.listener.Close() // also where fiber has not begun to listen
	delivering, stopDelivering := context.WithCancel(context.WithoutCancel(ctx))
	delivered := make(chan error, 1)
	go func() {
		if s.dispatcher == nil {
			delivered <- nil
			return
		}
		delivered <- s.dispatcher.Run(delivering)
	}()
	serving := make(chan error, 1)
	go func() { serving <- s.app.Listener(s.edge.listener) }()
	s.logger.Info("listening", "address", s.listener.Addr().String(), "media", "/media/twilio", "voice", "/voice/twilio")

	var err error
	select {
	case err = <-serving:
		err = fmt.Errorf("serve: %w", cmp.Or(err, errors.New("listener closed")))
	case <-ctx.Done():
	}
	s.logger.Info("stopping: no new calls, running ones are being finished", "grace", s.options.Grace)
	s.draining.Store(true)
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.options.Grace)
	defer cancel()
	errs := []error{err, s.endCalls(grace), s.calls.Drain(grace)}
	if s.dispatcher != nil {
		if err := s.dispatcher.Drain(grace); err != nil {
			errs = append(errs, fmt.Errorf("not every event was delivered within BRIDGE_GRACE (%v): %w", s.options.Grace, err))
		}
	}
	stopDelivering()
	s.closeAPI() // its event streams have told the end of every call
	// Only idle connections are open now; calls and webhooks are done.
	if err := s.app.ShutdownWithTimeout(time.Second); err != nil {
		s.logger.Debug("connections left open", "err", err)
	}
	errs = append(errs, <-delivered)
	s.logger.Info("stopped")
	return errors.Join(errs...)
}

// endCalls ends every call and waits for its last words. A recognizer that has not said them when three
// quarters of the grace period are over is cut off: what it thought it heard is better than nothing.
func (s *server) endCalls(grace context.Context) error {
	patience, cancel := context.WithTimeout(grace, s.options.Grace*3/4)
	defer cancel()
	if s.media.Shutdown(patience) == nil {
		return nil
	}
	s.logger.Warn("recognizer is late: calls end with what it said so far")
	s.hangUp()
	if err := s.media.Shutdown(grace); err != nil {
		return fmt.Errorf("not every call ended within BRIDGE_GRACE (%v): %w", s.options.Grace, err)
	}
	return nil
}

// mediaURL is where a carrier on this machine reaches the server.
func (s *server) mediaURL() string {
	return "ws://" + strings.Replace(s.listener.Addr().String(), "[::]", "127.0.0.1", 1) + "/media/twilio"
}

// release gives back what newServer took, as far as it came, but for the listener.
func (s *server) release() {
	s.hangUp()
	if s.speech != nil {
		s.speech.close()
	}
	if s.twilio != nil {
		s.twilio.Close()
	}
	s.closeSandbox()
	s.closeJournal()
}

func (s *server) closeSandbox() {
	if s.sandbox == nil {
		return
	}
	if err := s.sandbox.Close(); err != nil {
		s.logger.Warn("sandbox did not close cleanly", "err", err)
	}
}
