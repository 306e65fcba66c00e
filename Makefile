# Every command of a developer. Needs nothing beforehand but python3 (3.11 or newer), make and, on Debian, apt.
.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON ?= python3
BIN := .venv/bin
ARGS ?=
# Releases in the end-to-end tests mostly wait: more of them than there are cores.
SIDE_BY_SIDE ?= 6

.PHONY: help setup demo test tools e2e e2e-full check format lint types contracts unit bench bench-scale lock clean

help: ## list the commands
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: .venv/.ready ## install everything into .venv

.venv/.ready: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "expected Python 3.11 or newer, found $$($(PYTHON) --version); name another with: make $(MAKECMDGOALS) PYTHON=python3.12"; exit 1; }
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || .ci/venv $(PYTHON)
	@echo "installing the locked libraries into .venv (once, about a minute) ..." >&2
	@# The lock is complete. Resolving it again fails in older pips (23.2) where "coverage[toml]" has a newer release.
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements.lock >&2
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable . >&2
	@touch $@

demo: .venv/.ready ## a good release is promoted, a bad one aborted with an alert; options: ARGS="--json"
	@$(BIN)/canary-analyzer demo $(ARGS)

test: .venv/.ready ## every test: unit, properties, scenarios, and integration with a real Prometheus
	$(BIN)/pytest -n auto --dist loadgroup --cov --cov-report=term $(ARGS)

tools: .venv/.ready ## find or build the programs of a Kubernetes of processes (once, some ten minutes with Go)
	@$(BIN)/python -m tests.e2e.lab.tools

e2e: tools ## whole releases, kills and outages on a real Kubernetes of processes; needs Go the first time, to build it
	$(BIN)/pytest -n $(SIDE_BY_SIDE) --dist loadgroup -m 'not full' tests/e2e $(ARGS)

e2e-full: tools ## the same, with a kill before and after every single write of a release
	$(BIN)/pytest -n $(SIDE_BY_SIDE) --dist loadgroup tests/e2e $(ARGS)

check: .venv/.ready lint types contracts unit ## format, lint, types, import contracts, unit tests; under a minute

lint: .venv/.ready
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: .venv/.ready
	$(BIN)/mypy

contracts: .venv/.ready
	$(BIN)/lint-imports

unit: .venv/.ready
	$(BIN)/pytest -q -n auto tests/unit

format: .venv/.ready ## let the tools format and mend
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: .venv/.ready ## measure the judge's error rates, speed and cost, and compare it with other tools' rules; ARGS="noise --runs 500", ARGS="--long --out docs/measured.md"
	@$(BIN)/python -c 'import matplotlib' 2>/dev/null || $(BIN)/python -m pip install --quiet --upgrade 'pip>=25.1'
	@$(BIN)/python -c 'import matplotlib' 2>/dev/null || $(BIN)/python -m pip install --quiet --group bench
	$(BIN)/python -m benchmarks $(ARGS)

bench-scale: .venv/.ready ## thousands of targets on a real API server and Prometheus; ARGS="--targets 50 --sweeps 5", ARGS="--flat 2000 --out docs/scale.md"
	@$(BIN)/python -m benchmarks.scale $(ARGS)

lock: .venv/.ready ## resolve the libraries anew into requirements.lock, and those of the image into requirements-run.lock
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile pyproject.toml --group dev --universal --python-version 3.11 --generate-hashes --no-header --quiet --upgrade --output-file requirements.lock
	$(BIN)/uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-header --quiet --constraint requirements.lock --output-file requirements-run.lock

clean: ## remove everything that was made here
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage* dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
