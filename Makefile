SHELL := /bin/bash
PYTHON ?= python3
UV_VERSION := 0.13.9
VENV := .venv
BIN := $(VENV)/bin
SETUP := $(VENV)/.complete
LIGHTHOUSE := tests/lighthouse/node_modules/.package-lock.json
# Docker images often set this. Each of many starts of Python would then compile the whole program again.
unexport PYTHONDONTWRITEBYTECODE
# The files in the order that tests/order.py gives them; each goes to one worker.
# AT_ONCE says how many at once. Else it is one more than two cores: many tests wait for something most of their time.
WORKERS := 3
PYTEST = $(BIN)/python -m pytest -n $(or $(AT_ONCE),$(WORKERS)) --dist loadfile --no-loadscope-reorder

.DEFAULT_GOAL := help
.PHONY: help dev page demo test quick check-deploy pictures soak lint bench lighthouse lock clean

help: ## Show this help
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

dev: page ## Run the product locally, with demo data; a saved file is live, KEEP=1 keeps the data
	@$(BIN)/python -m infra.local.dev

page: $(SETUP) ## Build the page, if it has changed; dev and test do so too
	@SETUP=$(SETUP) infra/local/page.sh

demo: $(SETUP) ## Play the main user journey once, on a stack of its own, and say whether it worked
	@$(BIN)/python -m infra.local.demo

test: page ## Run every test, the page's in a browser; or some: make test T=tests/contract/test_shares.py
	@SETUP=$(SETUP) infra/local/page.sh apart
	@$(BIN)/python -m infra.local.browser
	@page=0; $(if $(T),,npm test --silent --prefix frontend || page=$$?;) $(PYTEST) $(T) || exit; \
	[ $$page = 0 ] || { echo "test: the page's own tests failed, see above pytest's" >&2; exit $$page; }

# Fewer examples of what is generated; without the many deployments of the deployment's tests, and without
# Schemathesis's plugin, which the others do not use.
QUICK := --hypothesis-profile=quick -p no:schemathesis -m 'not stack and not slow' --ignore=tests/unit/infra/deploy
quick: $(SETUP) ## Run the fast tests that need neither the local cloud nor a browser: under half a minute
	@said=$$(mktemp); npm test --silent --prefix frontend -- --exclude 'tests/page-*' >$$said 2>&1 & \
	$(PYTEST) $(QUICK) tests/unit tests/contract; failed=$$?; \
	wait $$! || { cat $$said; echo "quick: the page's own tests failed, see above" >&2; failed=1; }; rm $$said; exit $$failed

check-deploy: $(SETUP) ## Check every command of deploy.sh with gcloud's own parser; part of test
	@command -v gcloud >/dev/null || { echo "check-deploy: gcloud is not installed, so no command was checked" >&2; exit 1; }
	@$(BIN)/python -m pytest -q -n 0 tests/unit/infra/test_gcloud_lint.py

pictures: page ## Renew the pictures of the page in docs/
	@RENEW_PICTURES=1 $(BIN)/python -m pytest -q -n 0 tests/e2e/test_pictures.py

soak: $(SETUP) ## Play 500 histories and delete 2,000 jobs under faults and crashes: some twenty minutes
	@FAULTS_BATCHES=5 FAULTS_SEED=$${FAULTS_SEED:-$$RANDOM} $(BIN)/python -m pytest -n 0 tests/integration/faults/test_histories.py
	@$(BIN)/python -m tests.integration.faults.soak

lint: $(SETUP) ## Check style (ruff, biome) and types (mypy strict, tsc)
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy && $(BIN)/lint-imports
	@npm run --silent lint --prefix frontend

bench: $(SETUP) ## Measure speed, cold starts and memory beside plain peers: under ten minutes; needs wrk
	@$(BIN)/python -m tests.benchmarks

lighthouse: page $(LIGHTHOUSE) ## Measure pages with Lighthouse, and the memory of saving: five minutes; needs a quiet machine
	@$(BIN)/python -m infra.local.browser
	@$(BIN)/python -m tests.lighthouse

lock: $(SETUP) ## Renew the pinned requirements from pyproject.toml
	@compile() { $(BIN)/uv pip compile -q --upgrade --universal --python-version 3.11 --generate-hashes \
	    --no-emit-index-url --custom-compile-command 'make lock' "$$@"; }; \
	compile pyproject.toml -o requirements.txt && \
	compile pyproject.toml --group dev -c requirements.txt -o infra/local/requirements-dev.txt && \
	compile --group jre -o infra/local/requirements-jre.txt

clean: ## Remove everything that set-up, builds and tests made in this folder
	find . -name __pycache__ -prune -exec rm -rf {} +
	rm -rf $(VENV) build .local artifacts .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache infra/local/auth/node_modules tests/lighthouse/node_modules \
	    frontend/node_modules frontend/.next frontend/out frontend/out-* frontend/next-env.d.ts frontend/*.tsbuildinfo

# One stamp for all set-up: it is made anew when a lock or the set-up program changes.
$(SETUP): requirements.txt infra/local/requirements-dev.txt infra/local/requirements-jre.txt \
          infra/local/auth/package-lock.json frontend/package-lock.json infra/local/setup.sh Makefile
	@PYTHON=$(PYTHON) VENV=$(VENV) UV_VERSION=$(UV_VERSION) infra/local/setup.sh
	@touch $@

# Only for make lighthouse.
$(LIGHTHOUSE): tests/lighthouse/package-lock.json
	@npm ci --prefix tests/lighthouse --no-audit --no-fund --loglevel=error
	@touch $@
