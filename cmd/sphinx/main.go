package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
)

// Exit statuses. 2 is the flag package's.
const (
	exitFailed  = 1
	exitMissing = 3
)

// errMissing means that a library or a model is not installed.
var errMissing = errors.New("not installed")

// install says how to mend errMissing.
const install = "install the Debian packages libpocketsphinx3 and pocketsphinx-en-us (apt-get install libpocketsphinx3 pocketsphinx-en-us)"

func main() {
	os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// run is the program. It returns the exit status.
func run(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("sphinx", flag.ContinueOnError)
	flags.SetOutput(stderr)
	check := flags.Bool("check", false, "say what is installed and what is missing")
	model := flags.String("model", "", "folder with the model: en-us/, en-us.lm.bin, cmudict-en-us.dict")
	verbose := flags.Bool("verbose", false, "let the library write its log to standard error")
	if err := flags.Parse(args); err != nil {
		return 2
	}
	var err error
	switch {
	case *check:
		err = checkInstalled(stdout, *model)
	case flags.NArg() > 0:
		err = transcribe(stdout, flags.Args(), *model, *verbose)
	default:
		err = serve(stdin, stdout, *model, *verbose)
	}
	switch {
	case err == nil:
		return 0
	case errors.Is(err, errMissing):
		fmt.Fprintf(stderr, "sphinx: %v; %s\n", err, install)
		if *check {
			return exitFailed
		}
		return exitMissing
	}
	fmt.Fprintf(stderr, "sphinx: %v\n", err)
	return exitFailed
}

// checkInstalled opens the libraries and looks for the model.
func checkInstalled(stdout io.Writer, model string) error {
	files, modelErr := findModel(model)
	if modelErr == nil {
		fmt.Fprintf(stdout, "model: %s\n", files.folder)
	} else {
		fmt.Fprintf(stdout, "model: %v\n", modelErr)
	}
	libraryErr := checkLibraries(stdout)
	return errors.Join(libraryErr, modelErr)
}
