// Command bridge stands between the telephone network and speech recognition: carriers send it call audio, it
// streams that to Aldea's speech-to-text service and POSTs every finished utterance to a webhook.
//
// This package holds the configuration, the wiring and the subcommands; the work is done in the rooms that it
// imports. ARCHITECTURE.md has the picture.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"
)

// program is the command line: options common to all subcommands, and the subcommands.
type program struct {
	LogLevel  string `env:"LOG_LEVEL" default:"info" enum:"debug,info,warn,error" help:"Least level that is logged: ${enum}."`
	LogFormat string `env:"LOG_FORMAT" default:"auto" enum:"auto,text,json" help:"Log lines as text or json; auto is text on a terminal."`

	ShowVersion kong.VersionFlag `name:"version" short:"v" help:"Print the version."`

	Serve   serveCmd   `cmd:"" default:"withargs" help:"Run the bridge (the default)."`
	Demo    demoCmd    `cmd:"" help:"See one call from carrier to webhook, all on this machine, no account needed."`
	Call    callCmd    `cmd:"" help:"Be the carrier: place calls against a bridge."`
	Sandbox sandboxCmd `cmd:"" help:"Run a stand-in for Aldea's speech-to-text service."`
	Health  healthCmd  `cmd:"" help:"Ask a running bridge whether it is ready; exit 1 if not."`

	Tail       tailCmd       `cmd:"" help:"Watch calls live, or one call from its beginning."`
	Calls      callsCmd      `cmd:"" help:"List calls."`
	Transcript transcriptCmd `cmd:"" help:"Print what was said on a call."`
	Search     searchCmd     `cmd:"" help:"Find who said something."`
	Deliveries deliveriesCmd `cmd:"" help:"List what was or will be sent to webhooks, or show the attempts of one delivery."`
	Redeliver  redeliverCmd  `cmd:"" help:"Send events to webhooks again."`
	Forget     forgetCmd     `cmd:"" help:"Delete all that is kept of a call."`
	Backup     backupCmd     `cmd:"" help:"Copy the journal to a file while bridge runs."`

	Version versionCmd `cmd:"" help:"Print the version."`
}

// terminal is where a subcommand reads and writes.
type terminal struct {
	stdout, stderr io.Writer
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	err := run(ctx, os.Args[1:], terminal{os.Stdout, os.Stderr})
	var exit exitCode
	switch {
	case errors.As(err, &exit):
		os.Exit(int(exit))
	case errors.Is(err, context.Canceled) && ctx.Err() != nil:
		os.Exit(130) // interrupted, as asked: there is nothing to explain
	case err != nil:
		fmt.Fprintln(os.Stderr, "bridge:", printableLines(err.Error()))
		os.Exit(1)
	}
}

// exitCode ends the program with a code and without a message: --help, or what was wrong is already said.
type exitCode int

func (e exitCode) Error() string { return fmt.Sprintf("exit code %d", int(e)) }

// run is the program: it parses args and the environment, and runs the subcommand until it is done or ctx
// ends. Tests start the very same.
func run(ctx context.Context, args []string, term terminal) (err error) {
	defer func() {
		// kong ends the program by itself for --help; here that is an exitCode that unwinds.
		if r := recover(); r != nil {
			code, ok := r.(exitCode)
			if !ok {
				panic(r)
			}
			if err = code; code == 0 {
				err = nil
			}
		}
	}()
	var p program
	parser, err := newParser(&p, term)
	if err != nil {
		return err
	}
	args = asFlags(args)
	command, err := parser.Parse(args)
	if err != nil {
		return usageError(parser, args, err)
	}
	logger := newLogger(p.LogLevel, p.LogFormat, term.stderr)
	defer flushLog(logger)
	if term.stderr == os.Stderr {
		catchLibraries(logger)
	}
	command.BindTo(ctx, (*context.Context)(nil))
	return forPeople(command.Selected(), explain(command.Run(term, logger)))
}

// newParser returns the parser that fills p from arguments and environment. A variable that is set but empty
// counts as not set: compose files turn a variable without a value into that.
func newParser(p *program, term terminal) (*kong.Kong, error) {
	for _, v := range os.Environ() {
		if name, value, _ := strings.Cut(v, "="); value == "" && name != "" {
			if err := os.Unsetenv(name); err != nil {
				return nil, err
			}
		}
	}
	return kong.New(p,
		kong.Name("bridge"),
		kong.Description(description),
		kong.Vars{"version": versionText()},
		kong.Writers(term.stdout, term.stderr),
		kong.Exit(func(code int) { panic(exitCode(code)) }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 110}),
	)
}

const description = `Phone audio in, finished utterances at your webhook.

Without a command it is bridge serve, whose options bridge serve --help lists.

Secrets come from the environment only: ALDEA_API_KEY, TWILIO_AUTH_TOKEN, TWILIO_API_SECRET, VOICE_API_KEY, WEBHOOK_SECRET, BRIDGE_API_TOKEN, ` +
	`BRIDGE_MEDIA_TOKEN; or from a file that NAME_FILE names.`
