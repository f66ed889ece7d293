# What people do here, and CI does the same. `make help` lists it.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.NOTPARALLEL:

# The first Python that is new enough; or name one: make setup PYTHON=/path/to/python3
PYTHON ?= $(shell for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	"$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo "$$python" && break; done)

BIN := .venv/bin
# Tests and the demo find rbspy, and Ruby where setup unpacked one, before anything else.
WITH_BIN := PATH="$(CURDIR)/$(BIN):$$PATH"

# Tests that run at once: what takes long mostly waits for windows to pass. More would disturb each other's samples.
JOBS ?= 2

.PHONY: help
help: ## List the targets
	@sed -n 's/^\([a-z-]*\):.*## /  \1\t/p' $(MAKEFILE_LIST) | expand -t 14

.PHONY: setup
setup: ## Install all that the other targets need, into .venv and .tools
	@test -n "$(PYTHON)" || { echo "setup needs Python 3.11 or newer on PATH; or: make setup PYTHON=/path/to/python3" >&2; exit 1; }
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11) and "setup needs Python 3.11 or newer; this is " + sys.version)'
	@"$(PYTHON)" -m deploy.setup

.PHONY: demo
demo: setup ## Walk the whole path on two real services; writes demo-out/
	@$(WITH_BIN) $(BIN)/pivotscope demo $(DEMO)

.PHONY: test
test: setup checks ## Set up, check and test everything
	@$(WITH_BIN) $(BIN)/python -m pytest --numprocesses $(JOBS) --dist worksteal $(TESTS)

.PHONY: lint
lint: setup checks ## Check style, types, the rooms' imports and the contract

.PHONY: checks
checks:
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	cd proto && ../$(BIN)/buf lint
	cd proto && ../$(BIN)/buf breaking --against baseline.binpb

.PHONY: fmt
fmt: setup ## Format the code and repair what can be repaired
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

.PHONY: proto
proto: setup ## Generate the wire contract's code anew
	@$(BIN)/python -m deploy.setup.generate proto

.PHONY: baseline
baseline: setup ## Make the contract as it stands the one that `buf breaking` compares with
	$(BIN)/buf build proto --exclude-source-info --output proto/baseline.binpb

.PHONY: bench
bench: setup ## Measure ingest, storage and what the agent costs
	@$(WITH_BIN) $(BIN)/python -m tests.bench $(BENCH)

.PHONY: lock
lock: ## Pin every package with hashes; to choose versions anew: make lock LOCK=--upgrade
	@"$(PYTHON)" -m deploy.setup.lock $(LOCK)

.PHONY: clean
clean: ## Remove all that these targets made (the rbspy built for the user stays in the user's cache)
	rm -rf .venv .tools demo-out .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
