# Meterkey. `make` alone says what there is. Works with the GNU make 3.81 of macOS.

SHELL := bash
ENV := . ./.tools/env &&
ALIVE := tools/alive.sh
LINT := .tools/bin

# Browsers and servers are shared between tests of one package, not between packages: two packages at a time are plenty.
TEST_FLAGS := -count=1 -timeout 60m -p 2

.PHONY: help setup setup-check build demo run histories test bench check bare fmt clean

help:
	@echo 'Meterkey connects utility accounts. Start with: make demo'
	@echo
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile
	@echo
	@echo 'Everything that is installed goes into .tools/, everything that is built into bin/.'

setup: ## install what is missing; the other targets do it by themselves
	@tools/setup.sh

setup-check:
	@tools/setup.sh check

build: setup ## build the programs into bin/
	@$(ALIVE) build go build -o bin/ ./worker ./portal ./starter ./sandbox ./examples/demo

demo: build ## watch data requests for all utilities go through, then end everything
	@$(ENV) bin/demo

run: build ## the same stack, kept up until Ctrl-C, with its addresses
	@$(ENV) bin/demo --keep

histories: build ## store a Temporal history of every route for the replay tests, from a real run; frozen ones stay
	@$(ENV) bin/demo --histories workflows/testdata/histories

test: setup ## run every test, with real browsers and a real Temporal server
	@$(ENV) $(ALIVE) tests go test $(TEST_FLAGS) ./...

bench: setup ## what a request costs, beside a bare Playwright program: latency and Temporal events
	@$(ENV) $(ALIVE) benchmarks go test ./internal/e2e -run '^$$' -bench 'CONED|Pages|History' -benchtime 20x -timeout 30m

check: setup-check ## formatting, linters, known vulnerabilities, tests with the race detector
	@$(ALIVE) formatting $(LINT)/golangci-lint fmt --diff
	@$(ALIVE) 'go.mod and go.sum' go mod tidy -diff
	@$(ALIVE) golangci-lint $(LINT)/golangci-lint run
	@$(ALIVE) workflowcheck $(LINT)/workflowcheck -config tools/lint/workflowcheck.config.yaml ./workflows/...
	@$(ALIVE) govulncheck tools/vulncheck.sh
	@$(ENV) $(ALIVE) 'tests with the race detector' go test -race $(TEST_FLAGS) ./...

bare: ## the commands demo and test on a bare Debian, made here by debootstrap; needs root
	@tools/bare.sh

fmt: setup-check ## format the code as `make check` wants it
	@$(LINT)/golangci-lint fmt

clean: ## remove what was built and what was installed
	rm -rf bin .tools examples/*/node_modules
