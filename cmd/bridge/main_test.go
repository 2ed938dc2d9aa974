package main

import (
	"flag"
	"os"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	flag.Parse()
	if testing.Short() {
		if err := useShorter(); err != nil {
			panic(err)
		}
	}
	// What parallel tests need in the environment, which t.Setenv refuses them.
	for name, value := range map[string]string{"TZ": "UTC", "SHOP_SECRET": secretB, "STUCK_SECRET": secretA} {
		if err := os.Setenv(name, value); err != nil {
			panic(err)
		}
	}
	// fasthttp leaves these behind: the clock of the Date header for ever, the sweeper of a stopped server until
	// it wakes up.
	goleak.VerifyTestMain(m,
		goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.updateServerDate.func1"),
		goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.(*workerPool).Start.func2"),
	)
}
