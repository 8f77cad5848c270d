SHELL := /bin/bash
PYTHON ?= python3
UV_VERSION := 0.13.9
VENV := .venv
BIN := $(VENV)/bin
SETUP := $(VENV)/.complete

.DEFAULT_GOAL := help
.PHONY: help dev demo test lint bench lock clean

help: ## Show this help
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

dev: $(SETUP) ## Run the product locally on Google's emulators, with demo data
	@$(BIN)/python -m infra.local.dev

demo: $(SETUP) ## Play the main job once on a stack of its own, and say whether it worked
	@$(BIN)/python -m infra.local.demo

test: $(SETUP) ## Run every test
	@$(BIN)/python -m pytest

lint: $(SETUP) ## Check style (ruff) and types (mypy strict)
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy

bench: $(SETUP) ## Measure speed and memory against the approach that this replaces
	@$(BIN)/python -m tests.benchmarks

lock: $(SETUP) ## Compile the pinned requirements anew from pyproject.toml
	@compile() { $(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes \
	    --no-emit-index-url --custom-compile-command 'make lock' "$$@"; }; \
	compile pyproject.toml -o requirements.txt && \
	compile pyproject.toml --group dev -c requirements.txt -o infra/local/requirements-dev.txt && \
	compile --group jre -o infra/local/requirements-jre.txt

clean: ## Remove everything that set-up made
	rm -rf $(VENV) build .local infra/local/auth/node_modules

# One stamp for all set-up: it is made anew when a lock or the set-up program changes.
$(SETUP): requirements.txt infra/local/requirements-dev.txt infra/local/requirements-jre.txt \
          infra/local/auth/package-lock.json infra/local/setup.sh Makefile
	@PYTHON=$(PYTHON) VENV=$(VENV) UV_VERSION=$(UV_VERSION) infra/local/setup.sh
	@touch $@
