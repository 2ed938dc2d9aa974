# bridge: the verbs of this project. `make demo` and `make test` work on a bare Debian or Ubuntu machine.
SHELL       := /bin/bash
GO          ?= go
FUZZTIME    ?= 1m
SEED        ?= 1
SEEDS       ?= 10000
REAL        ?= 200
CALLS       ?= 1 10 100 500 1000 2000
SECONDS     ?= 30
ROUNDS      ?= 3
OUT         ?= bin/bench
# Go's experiment with vector instructions: the way from µ-law to linear16 is 2.6 times as fast with it. Empty: without.
EXPERIMENT  ?= simd
# Tests at once within a package. Most of the slow ones wait for calls that last as long as real ones, so more than there are cores.
PARALLEL    ?= 4
BURST       ?= 2000
STAY        ?= 4s
GOLANGCI    := v2.13.0
GOVULNCHECK := v1.2.0
ACTIONLINT  := v1.7.7
GORELEASER  := v2.13.3
CYCLONEDX   := v1.9.0
# The version that a program reports. Outside a git repository it is empty, and the program asks its build information.
VERSION     ?= $(shell git describe --tags --match='v*' --always --dirty 2>/dev/null)
LDFLAGS     := -s -w $(if $(VERSION),-X aldeabridge/internal/version.release=$(VERSION))

# The tools that targets use, each in a folder of its version.
TOOL_DIR     := bin/tools
LINTER       := $(TOOL_DIR)/golangci-lint-$(GOLANGCI)/golangci-lint
RELEASE_PATH := $(CURDIR)/$(TOOL_DIR)/goreleaser-$(GORELEASER):$(CURDIR)/$(TOOL_DIR)/cyclonedx-gomod-$(CYCLONEDX):$(PATH)

.PHONY: build demo test test-peers check compat lint fmt bench fuzz golden soak chaos crash outage stuck attack powercut bench-journal bench-calls burst latency release release-check release-tools clean

build: ## bin/bridge (static) and bin/bridge-sphinx (the offline recognizer's host)
	GOEXPERIMENT=$(EXPERIMENT) CGO_ENABLED=0 $(GO) build -trimpath -ldflags='$(LDFLAGS)' -o bin/bridge ./cmd/bridge
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags='$(LDFLAGS)' -o bin/bridge-sphinx ./cmd/sphinx

demo: ## one phone call from carrier to webhook, all on this machine
	@scripts/deps.sh demo
	@$(MAKE) --no-print-directory build
	@bin/bridge demo $(ARGS)

test: ## every test, with the race detector
	@scripts/deps.sh test
	$(GO) test -race -shuffle=on -parallel=$(PARALLEL) -timeout=30m ./...
	GOEXPERIMENT=$(EXPERIMENT) $(GO) test -race ./codec
	$(GO) test ./cmd/bridge -run='^(TestChaos|TestAFrameAllocatesNothing)$$'
	@[ "$$(uname)" != Linux ] || { cd test/attack && echo 'small attacks on a bridge in a process of its own' && $(GO) test -parallel=4 .; }

test-peers: build ## independent clients from npm and Debian against bridge and its sandbox
	@scripts/deps.sh peers
	cd test/peers && npm ci --no-audit --no-fund --loglevel=error
	cd test/peers && BRIDGE=$(CURDIR)/bin/bridge node --test --test-concurrency=1

check: $(LINTER) ## for the inner loop: gofmt, vet, lint, and every test with fewer cases; under a minute once built
	@scripts/deps.sh test
	@test -z "$$(gofmt -l .)" || { gofmt -l .; echo 'gofmt: run make fmt'; exit 1; }
	$(GO) vet ./...
	$(LINTER) run --allow-parallel-runners ./...
	$(GO) test -short -parallel=12 ./...

compat: ## the API, events, actions and bridge.yaml have all that the last release had: docs/compatibility.md
	$(GO) test -count=1 ./test/compat

lint: $(LINTER) $(TOOL_DIR)/actionlint-$(ACTIONLINT)/actionlint ## gofmt, vet, golangci-lint with staticcheck, the workflows, known vulnerabilities
	@test -z "$$(gofmt -l .)" || { gofmt -l .; echo 'gofmt: run make fmt'; exit 1; }
	$(GO) vet ./...
	GOEXPERIMENT=$(EXPERIMENT) $(GO) vet ./codec
	cd test/bench && $(GO) vet ./...
	cd test/powercut && $(GO) vet ./...
	cd test/attack && $(GO) vet ./...
	$(LINTER) run --allow-parallel-runners ./...
	$(TOOL_DIR)/actionlint-$(ACTIONLINT)/actionlint .github/workflows/*.yml
	@GO=$(GO) scripts/vulncheck.sh $(GOVULNCHECK)

fmt: ## gofmt everything
	gofmt -w .

bench: ## our benchmarks, and others' code in the same run
	$(GO) test -run=- -bench=. -benchmem ./codec ./media ./aldea
	GOEXPERIMENT=$(EXPERIMENT) $(GO) test -run=- -bench=Expander ./codec
	cd test/bench && $(GO) test -run=- -bench=. -benchmem .
	cd test/bench && GOEXPERIMENT=jsonv2 $(GO) test -run=- -bench=Message -benchmem .

fuzz: ## each fuzz target for FUZZTIME (1m)
	@FUZZTIME=$(FUZZTIME) GO=$(GO) scripts/fuzz.sh

golden: ## make the golden audio files again, with sox and ffmpeg
	codec/testdata/make.sh

release: release-tools ## publishes what .goreleaser.yaml says, for the tag of this commit; the release workflow runs it
	PATH="$(RELEASE_PATH)" goreleaser release --clean

release-check: release-tools ## checks .goreleaser.yaml and builds everything of a release but the container image
	PATH="$(RELEASE_PATH)" GO=$(GO) scripts/release-check.sh

release-tools: $(TOOL_DIR)/goreleaser-$(GORELEASER)/goreleaser $(TOOL_DIR)/cyclonedx-gomod-$(CYCLONEDX)/cyclonedx-gomod

$(TOOL_DIR)/golangci-lint-%/golangci-lint:
	GOBIN=$(CURDIR)/$(@D) $(GO) install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$*
$(TOOL_DIR)/actionlint-%/actionlint:
	GOBIN=$(CURDIR)/$(@D) $(GO) install github.com/rhysd/actionlint/cmd/actionlint@$*
$(TOOL_DIR)/goreleaser-%/goreleaser:
	GOBIN=$(CURDIR)/$(@D) $(GO) install github.com/goreleaser/goreleaser/v2@$*
$(TOOL_DIR)/cyclonedx-gomod-%/cyclonedx-gomod:
	GOBIN=$(CURDIR)/$(@D) $(GO) install github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod@$*

clean:
	rm -rf bin dist test/peers/node_modules

soak: ## 50 calls of a minute, every utterance checked
	$(GO) test ./cmd/bridge -run='^$$' -bench=Soak -benchtime=1x

chaos: ## SEEDS (10000) worlds in simulated time, REAL (200) over real sockets, 100 calls at once; the recognizer fails in all
	@set -o pipefail; $(GO) test -count=1 -v -timeout=3h ./cmd/bridge -run='^(TestChaos$$|TestNothingIsL|TestManyCallsCatchUp|TestAHalfOpen)' -chaos.seed=$(SEED) -chaos.seeds=$(SEEDS) -chaos.bars=100 | grep -v '^ *\(===\|--- PASS\)'
	@set -o pipefail; $(GO) test -count=1 -v -timeout=3h ./cmd/bridge -run='^(TestChaosOverRealSockets|TestNoSocketIsLeft)' -chaos.seed=$(SEED) -chaos.real=$(REAL) -chaos.bars=100 | grep -v '^ *\(===\|--- PASS\)'

crash: ## the bridge is killed 20 times during 200 calls, and at its start, and with a backlog, with a webhook that fails one request in five; then 20 times under its event streams
	$(GO) test ./cmd/bridge -count=1 -v -run='Killed|Resumed' -crash.kills=20 -crash.calls=10 -resume.kills=20 -resume.calls=10

outage: ## the webhook refuses connections for a minute, while calls begin, end and go on
	$(GO) test ./cmd/bridge -count=1 -v -timeout=20m -run=GoneForAWhile -outage.down=60s -outage.before=200 -outage.live=20

stuck: ## 1,000 calls of 20 utterances, one of two webhooks fails for ever: the others do not feel it, and nothing is lost
	$(GO) test ./webhooks -count=1 -v -timeout=10m -run=FailsForEver -stuck.calls=1000
	$(GO) test ./cmd/bridge -count=1 -v -timeout=30m -run=FailsForEver -stuck.calls=1000 -stuck.utterances=20 -stuck.every=2s -stuck.ratio=2

attack: ## each attack of docs/security.md at full size, while a call of ten utterances runs: prints a table; some 20 minutes
	cd test/attack && $(GO) test -count=1 -v -timeout=60m . -attack.full $(ARGS)

powercut: ## power cuts and a full disk, on a disk that forgets what was not synced (root and /dev/fuse)
	cd test/powercut && $(GO) test -count=1 -v .

bench-journal: ## append rates, a slow disk (root and /dev/fuse), an event's way to the webhook
	$(GO) test -run='^$$' -bench=Append -benchtime=20000x ./internal/journal
	cd test/powercut && $(GO) test -run='^$$' -bench=SlowDisk -benchtime=1x .
	$(GO) test -run='^$$' -bench=UtteranceToRequest -benchtime=1x ./webhooks

latency: ## how much later than the carrier's frames their audio arrives at the recognizer; from its final to the webhook's request; from its answer to the first frame; from the caller's voice to the clear
	$(GO) test ./cmd/bridge -run='^$$' -bench='AddedLatency|UtteranceLatency|TalkingBack' -benchtime=1x -timeout=20m

bench-calls: ## what a call costs, beside a raw relay: CALLS, SECONDS measured, ROUNDS; table, JSON and plot in OUT (bin/bench)
	@scripts/deps.sh bench
	GOEXPERIMENT=$(EXPERIMENT) CGO_ENABLED=0 $(GO) build -trimpath -o bin/bench-bridge ./cmd/bridge
	cd test/bench && CGO_ENABLED=0 $(GO) build -trimpath -o ../../bin/bench-relay ./relay && CGO_ENABLED=0 $(GO) build -trimpath -o ../../bin/bench-calls ./calls
	@ulimit -n $$(ulimit -Hn); bin/bench-calls -bridge bin/bench-bridge -relay bin/bench-relay -calls '$(CALLS)' -window $(SECONDS)s -rounds $(ROUNDS) -out $(OUT) $(ARGS)

burst: ## BURST (2000) new calls, 200 a second, each of STAY (4s; 0 for up to the end), no relay: fails when one is refused or breaks, or an utterance is lost
	GOEXPERIMENT=$(EXPERIMENT) CGO_ENABLED=0 $(GO) build -trimpath -o bin/bench-bridge ./cmd/bridge
	cd test/bench && CGO_ENABLED=0 $(GO) build -trimpath -o ../../bin/bench-calls ./calls
	@ulimit -n $$(ulimit -Hn); bin/bench-calls -bridge bin/bench-bridge -only bridge -strict -calls $(BURST) -rate 200 -stay $(STAY) -settle 0 -window 5s -rounds 1 -out bin/burst $(ARGS)
