# Every way of working with this house, one target each. `make help` lists them.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
UV     := $(BIN)/uv
STAMP  := $(VENV)/installed.stamp

LOCK_FLAGS := --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --quiet
PYTEST     ?= $(BIN)/pytest
PYTEST_ARGS ?=

# Databases and files of the tests live in memory where there is plenty of it: they are thrown away.
in_memory = $(shell [ "$$(df --output=avail -k /dev/shm 2>/dev/null | tail -n 1)" -gt 6000000 ] 2>/dev/null && echo TMPDIR=/dev/shm)

# One more than there are cores: some tests wait for servers to start.
PROCESSES ?= $(shell expr $$(nproc) + 1)

# uv does not read pip's configuration. A place that names its own index or certificate for pip
# (variable or pip.conf) means uv as well; with neither, both use the same default index.
# `pip config get` reads one file only, `list` all of them together.
define as_pip_does
said="$$($(BIN)/pip config list 2>/dev/null || true)"; \
named() { sed -n "s/^global\.$$1='\(.*\)'\$$/\1/p" <<< "$$said"; }; \
index="$${UV_DEFAULT_INDEX:-$${PIP_INDEX_URL:-$$(named index-url)}}"; \
if [ -n "$$index" ]; then export UV_DEFAULT_INDEX="$$index"; fi; \
cert="$${SSL_CERT_FILE:-$${PIP_CERT:-$$(named cert)}}"; \
if [ -n "$$cert" ]; then export SSL_CERT_FILE="$$cert"; fi; \
export VIRTUAL_ENV="$(CURDIR)/$(VENV)" UV_PYTHON_DOWNLOADS=never;
endef

# As many at a time as there are cores; FAULTS_AT_ONCE= tries one after the other.
FAULTS_AT_ONCE ?= -n $(shell nproc) --dist loadfile --no-loadscope-reorder

.PHONY: help setup production rehearsal run check audit test faults simulate bench bench-large screenshots guidance lock format clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 14

setup: $(STAMP) ## make .venv with the locked packages and the project itself (instant when nothing changed)

$(UV):
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed; say which with: make PYTHON=python3.12 setup" if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv

$(STAMP): pyproject.toml requirements-dev.lock | $(UV)
	@$(as_pip_does) set -x; \
	$(UV) pip install --quiet --require-hashes --compile-bytecode -r requirements-dev.lock; \
	$(UV) pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

production: | $(UV) ## make .venv with what a server needs, and no more (docs/van-hanh.md)
	@$(as_pip_does) set -x; \
	$(UV) pip install --quiet --require-hashes --compile-bytecode -r requirements-production.lock; \
	$(UV) pip install --quiet --no-deps --no-build-isolation --compile-bytecode --reinstall .

rehearsal: setup ## docs/van-hanh.md typed into a throwaway machine with systemd (root, Debian)
	$(BIN)/python -m tests.production

run: setup ## start everything on this machine (portal, flows, clock)
	$(BIN)/tiendo up

check: setup ## lint, format, types, the layers of the house, secrets, known advisories
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/python -m tests.secret_scan
	$(BIN)/python -m tests.audit

audit: setup ## ask the advisory service about every locked package
	$(BIN)/python -m tests.audit --online

test: setup ## everything but the long fault tests
	tests/prerequisites.sh
	@$(MAKE) --no-print-directory check
	$(in_memory) $(PYTEST) -m "not faults" -n $(PROCESSES) --dist loadfile --no-loadscope-reorder $(PYTEST_ARGS)

faults: setup ## the long tests: processes killed, disks filled, networks cut; writes docs/reliability.md
	tests/prerequisites.sh
	FAULTS_DOCUMENT=docs/reliability.md $(PYTEST) tests/faults -v --timeout 600 --no-header --tb=short --show-capture=no $(FAULTS_AT_ONCE) $(PYTEST_ARGS)
	$(PYTEST) -m faults --ignore=tests/faults $(PYTEST_ARGS) || [ $$? = 5 ]

simulate: setup ## a thousand lives of the whole engine under drawn troubles; what came of them
	$(BIN)/python -m simulator
	$(BIN)/python -m tests.postgres_lives

bench: setup ## measure what the documents claim
	$(BIN)/python -m benchmarks
	$(BIN)/python -m benchmarks.opening
	$(BIN)/python -m benchmarks.sweep 10000 1000000
	$(BIN)/python -m benchmarks.portal
	$(BIN)/python -m benchmarks.marking
	$(BIN)/python -m benchmarks.mail
	$(BIN)/python -m benchmarks.reminders
	$(BIN)/python -m benchmarks.nation
	$(BIN)/python -m benchmarks.plans
	$(BIN)/python -m benchmarks.serving

bench-large: setup ## the same for sizes that want much time and tens of GB of disk
	$(BIN)/python -m benchmarks.sweep 10000 10000000
	$(BIN)/python -m benchmarks.verifying 1000000 10000000 --turns 1
	$(BIN)/python -m benchmarks.nation_year --provinces 2

screenshots: setup ## pictures of every page, as a person sees them
	tests/prerequisites.sh
	$(BIN)/python -m tests.screenshots

guidance: setup ## the pictures of docs/huong-dan again, after pages have changed
	tests/prerequisites.sh
	$(BIN)/python -m tests.guidance_pictures

lock: $(UV) ## choose the newest allowed versions again
	@$(as_pip_does) set -x; \
	$(UV) pip compile $(LOCK_FLAGS) --upgrade pyproject.toml -o requirements.lock; \
	$(UV) pip compile $(LOCK_FLAGS) --upgrade --extra dev -c requirements.lock pyproject.toml -o requirements-dev.lock; \
	$(UV) pip compile $(LOCK_FLAGS) --upgrade --extra production -c requirements.lock pyproject.toml -o requirements-production.lock
	@! grep -nE 'https?://|file://|--index' requirements*.lock

format: setup ## put the code in order
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean: ## remove what a machine made, and only that
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis .cache build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
