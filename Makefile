# Everything runs in .venv, which any target sets up by itself. Needs Python 3.11 or newer and make.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
READY := .venv/.ready
BENCH := .venv-bench/bin
BENCH_READY := .venv-bench/.ready
OLDEST := .venv-oldest
CALLS := tests/runtime tests/cluster tests/faults \
  $(addprefix tests/patterns/test_, connect_retries.py connect_settings.py connect_tls.py connect_url.py plans.py pops.py)
# Tests wait for half of their time, so four of them keep two processors busy.
WORKERS ?= 4

.DEFAULT_GOAL := help

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

$(READY): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; set PYTHON=/path/to/it")'
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

setup: $(READY) ## Make .venv with everything in it

demo: $(READY) ## Run the main job on the embedded server: read, generate, call under load
	@$(BIN)/redislua demo

test: $(READY) ## Run the tests on every server that is here
	$(BIN)/python -m pytest -n $(WORKERS) --server all

test-everywhere: $(READY) ## The same, with faults and clusters on every server, too
	$(BIN)/python -m pytest -n $(WORKERS) --server all --everywhere

# The oldest redis-py that the package admits, as pyproject.toml says it.
FLOOR = $(shell sed -n 's/^ *"redis>=\([0-9.]*\),.*/\1/p' pyproject.toml)

$(OLDEST)/.ready: pyproject.toml
	@test -x $(OLDEST)/bin/python || $(PYTHON) -m venv $(OLDEST)
	@$(OLDEST)/bin/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]' 'redis==$(FLOOR)'
	@touch $@

oldest: $(OLDEST)/.ready ## Run the tests of calls on the oldest redis-py that is admitted
	$(OLDEST)/bin/python -m pytest -n $(WORKERS) -p no:cacheprovider $(CALLS) \
	  --ignore tests/faults/test_operations.py  # what scripts do is the server's affair

soak: $(READY) ## Run the long tests in full, on the embedded server
	$(BIN)/python -m pytest -m soak --soak

check: $(READY) ## Format, lint, types, floors, generated files, scripts, tests
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/redislua check
	$(BIN)/python -m tools.update_commands --check
	$(BIN)/redislua generate --check
	$(BIN)/python tools/goldens.py --check
	$(BIN)/python tools/readme.py --check
	$(MAKE) test

format: $(READY) ## Format and fix what can be fixed
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

generate: $(READY) ## Write everything that is made from something else
	$(BIN)/redislua generate
	$(BIN)/python tools/goldens.py
	$(BIN)/python tools/readme.py

$(BENCH_READY): pyproject.toml tools/bench/requirements.txt
	@test -x $(BENCH)/python || $(PYTHON) -m venv .venv-bench
	@$(BENCH)/python -m pip install --quiet --disable-pip-version-check --editable '.[tools,server]'
	@sed '/^#/d;/^$$/d' tools/bench/requirements.txt | while read -r one; do \
	  $(BENCH)/python -m pip install --quiet --disable-pip-version-check "$$one" || \
	  echo "cannot be installed here: $$one"; done
	@touch $@

bench-lint: $(READY) ## Put defects into the catalogue's scripts, and count those that lint reports
	$(BIN)/python -m tools.bench.mutations

bench: $(READY) $(BENCH_READY) ## Measure beside the peers, and write tools/bench/RESULTS.md
	$(BENCH)/python -m tools.bench
	$(BIN)/python -m tools.bench.hold --write
	$(BIN)/python tools/bench/calls.py
	$(BIN)/python tools/bench/imports.py
	$(BIN)/python tools/bench/noscript.py

clean: ## Remove .venv and caches
	rm -rf .venv .venv-bench .venv-oldest .mypy_cache .ruff_cache .pytest_cache .hypothesis build dist *.egg-info

.PHONY: help setup demo test test-everywhere oldest soak check format generate bench bench-lint clean
