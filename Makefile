# The whole developer interface: `make help` lists it.

.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c

VENV := .venv
BIN := $(VENV)/bin
# A shim named python3.12 may stand on PATH without a Python behind it: take the first that runs and is new enough.
NEW_ENOUGH := import sys; sys.exit(sys.version_info < (3, 11))
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3.14 python3; do \
	$$p -c '$(NEW_ENOUGH)' >/dev/null 2>&1 && { command -v $$p; break; }; done)
# Flags of every pytest run of the project's own tests; ARGS adds to them: make test ARGS="-k toolchain"
TEST_FLAGS := --color=auto
SELECT ?= not long and not extra
ARGS ?=

.PHONY: help bench report test test-long test-extra lint format benchmarks tools doctor lock clean

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):[^#]*## /\1\t/p' Makefile | expand -t 14

bench: $(VENV)/.stamp ## build the tools once and run the local scenario that suits this machine
	$(BIN)/telescope bench $(ARGS)

report: $(VENV)/.stamp ## make the HTML report of the newest run; it opens offline
	$(BIN)/telescope report $(ARGS)

test: $(VENV)/.stamp ## run the test suite, which starts the real programs
	-$(BIN)/telescope tools build
	$(BIN)/python -m pytest tests $(TEST_FLAGS) $(if $(SELECT),-m "$(SELECT)") $(ARGS)

test-long: SELECT := long and not extra
test-long: test ## run only the tests that take minutes each

test-extra: SELECT := extra
test-extra: test ## run what CI has no time for: more of what it tries a part of

lint: $(VENV)/.stamp ## check style, types, Terraform modules and scenarios
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	"$$($(BIN)/python -m pytest_telescope.toolchain terraform)" fmt -check -recursive modules/terraform
	tflint="$$($(BIN)/python -m pytest_telescope.toolchain tflint)"; \
	for module in modules/terraform/*/; do "$$tflint" --chdir "$$module" --config ../.tflint.hcl; done
	$(BIN)/telescope validate

format: $(VENV)/.stamp ## rewrite files in the house style
	$(BIN)/ruff check --fix-only
	$(BIN)/ruff format

benchmarks: $(VENV)/.stamp tools ## measure the harness against the same steps by hand
	$(BIN)/python -m benchmarks $(ARGS) $(if $(SCALE),scale)

tools: $(VENV)/.stamp ## build the pinned tools that are missing
	$(BIN)/telescope tools build

doctor: $(VENV)/.stamp ## check this machine
	$(BIN)/telescope doctor

# Hashes for every platform, and no registry's address in the files.
UV := $(CURDIR)/$(VENV)/uv/bin/uv
LOCK := $(UV) pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header --python-version 3.11
lock: $(VENV)/.stamp ## resolve the Python requirements anew
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade --target $(VENV)/uv uv
	$(LOCK) --upgrade pyproject.toml --output-file requirements/run.txt >/dev/null
	$(LOCK) --upgrade pyproject.toml --group dev --output-file requirements/dev.txt >/dev/null
	$(LOCK) requirements/go.in --output-file requirements/go.txt >/dev/null
	$(LOCK) requirements/node.in --output-file requirements/node.txt >/dev/null
	$(LOCK) requirements/peers.in --output-file requirements/peers.txt >/dev/null

clean: ## remove what was made here (built tools stay in the user's cache)
	rm -rf $(VENV) .telescope .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/.stamp: requirements/dev.txt pyproject.toml
	@if [ -z "$(PYTHON)" ]; then \
		echo "Python 3.11 or newer is missing: none of python3.11 ... python3.14, python3 on PATH is one that runs." >&2; \
		echo "Install it (Debian: apt-get install python3 python3-venv), or name it: make $(MAKECMDGOALS) PYTHON=/path/to/python" >&2; \
		exit 2; \
	fi
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@
