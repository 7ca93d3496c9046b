# Everything a newcomer needs: `make dev` and `make test`. `make` alone lists the rest.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
CODEGEN_READY := .venv-codegen/.ready
ARGS ?=

.PHONY: help dev test test-fast explore check lint types contracts schema schema-check kafka graphiql bench lock clean

help: ## List the commands
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

dev: $(READY) ## Run the whole system with demo data on http://localhost:4000/graphql  (ARGS="--port 4001 --reset …")
	@$(BIN)/socialnet dev $(ARGS)

test: $(READY) kafka ## Run all tests  (ARGS="-k users -x …")
	@$(BIN)/python -m pytest -n 2 --dist loadgroup $(ARGS)

test-fast: $(READY) ## Run the tests that need no database, browser or Node
	@$(BIN)/python -m pytest tests/unit $(ARGS)

explore: $(READY) ## Run the tests of random examples on new ones  (ARGS="-k random_supergraphs …")
	@HYPOTHESIS_PROFILE=explore $(BIN)/python -m pytest -n 2 -m hypothesis tests/unit tests/federation $(ARGS)

check: lint types contracts schema-check test ## Everything CI checks

lint: $(READY) ## ruff: style and formatting
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

types: $(READY) ## mypy, strict
	@$(BIN)/mypy

contracts: $(READY) ## import-linter: who may import whom
	@$(BIN)/lint-imports

schema: $(READY) $(CODEGEN_READY) ## Regenerate schema/ and the typed client
	@$(BIN)/socialnet schema export
	@PATH="$(CURDIR)/.venv-codegen/bin:$$PATH" .venv-codegen/bin/ariadne-codegen client

schema-check: $(READY) $(CODEGEN_READY) ## Fail when schema/ or the typed client is stale
	@$(BIN)/socialnet schema export --check
	@rm -rf .cache/client && mkdir -p .cache && cp -r socialnet/client .cache/client
	@PATH="$(CURDIR)/.venv-codegen/bin:$$PATH" .venv-codegen/bin/ariadne-codegen client >/dev/null
	@diff -r -x __pycache__ .cache/client socialnet/client || { echo "The typed client was stale: commit what 'make schema' wrote."; exit 1; }
	@echo "The typed client is up to date."

kafka: ## Fetch the Kafka broker of the tests (needs Java and Maven; `make test` does it)
	@tests/kafka/install.sh

graphiql: ## Rebuild the GraphiQL bundle (needs Node.js)
	@cd router/server/graphiql/ui && npm ci --no-audit --no-fund && npm run build

bench: $(READY) ## Measure the system and print a table  (ARGS="--quick")
	@$(BIN)/python -m benchmarks.system $(ARGS)

lock: $(READY) ## Resolve the dependencies anew into the lock files
	@$(BIN)/python -m pip install --quiet uv
	@$(BIN)/uv pip compile --quiet --universal --upgrade --python-version 3.11 --generate-hashes --group dev pyproject.toml --output-file requirements-dev.lock
	@$(BIN)/uv pip compile --quiet --universal --upgrade --python-version 3.11 --generate-hashes --group codegen --output-file requirements-codegen.lock

clean: ## Remove the environments, caches and the development data
	@rm -rf .venv .venv-codegen .cache .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	@if [ -d .socialnet ]; then echo "Left in place: .socialnet (your development data; remove it by hand or use 'make dev ARGS=--reset')"; fi

# The environments. uv when it is there, else venv and pip.
$(READY): requirements-dev.lock pyproject.toml
	@$(call make-env,.venv)
	@$(call install,.venv,--require-hashes -r requirements-dev.lock)
	@$(call install,.venv,--no-deps --no-build-isolation -e .)
	@touch $@

$(CODEGEN_READY): requirements-codegen.lock
	@$(call make-env,.venv-codegen)
	@$(call install,.venv-codegen,--require-hashes -r requirements-codegen.lock)
	@touch $@

define make-env
$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "socialnet needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) --version). Try: make PYTHON=python3.12 …"; exit 1; }; \
echo "Setting up $(1) …"; \
if command -v uv >/dev/null; then uv venv --quiet --clear --seed --python "$$(command -v $(PYTHON))" $(1); \
else $(PYTHON) -m venv --clear $(1) || { echo "On Debian and Ubuntu, venv is a package of its own: apt-get install python3-venv"; exit 1; }; fi
endef

define install
if command -v uv >/dev/null; then VIRTUAL_ENV=$(1) uv pip install --quiet $(2); \
else $(1)/bin/python -m pip install --quiet --disable-pip-version-check $(2); fi
endef
