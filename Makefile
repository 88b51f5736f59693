# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c

PYTHON ?= python3
ARGS ?=
VENV := .venv
BIN := $(VENV)/bin

##@ Two commands

.PHONY: run
run: install  ## Install what is needed and serve everything on this machine
	@exec $(BIN)/socorro run

.PHONY: test
test: install-test  ## Install what is needed; lint, types and all tests (ARGS="tests/x.py -k y")
	@tools/run-tests $(ARGS)

##@ Using it

.PHONY: demo
demo: install  ## Send the sample crashes and show the page of each
	@exec $(BIN)/socorro demo

.PHONY: stop
stop: install  ## Stop the server that runs on the data folder
	@exec $(BIN)/socorro stop

.PHONY: reset
reset: install  ## Ask, then delete all crashes and begin anew
	@exec $(BIN)/socorro reset

.PHONY: install
install: $(VENV)/.installed  ## Make the virtual environment and nothing more

##@ Developing

.PHONY: dev
dev: install  ## As run, but code that changes is loaded again
	@exec $(BIN)/socorro run --dev

.PHONY: lint
lint: install-test  ## Lint, format check, types, import directions
	@tools/lint

.PHONY: format
format: install-test  ## Format the code and fix what lint can fix
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

.PHONY: soak
soak: install-test  ## The long forms of the tests: fuzzing, fault injection (ARGS as for test)
	@tools/run-tests --soak $(ARGS)

.PHONY: bench
bench: install-test  ## The benchmarks, as ratios against a baseline in the same run
	@tools/run-benchmarks $(ARGS)

.PHONY: docs
docs: $(VENV)/.installed-docs  ## Build the documentation into docs/_build/html
	$(BIN)/sphinx-build -W --keep-going -q -b html docs docs/_build/html
	@echo "docs/_build/html/index.html"

.PHONY: requirements
requirements: install  ## Compile requirements/*.in into *.txt with hashes
	@tools/compile-requirements

.PHONY: help
help:  ## Show this list
	@awk 'BEGIN {FS = ":.*##"} /^##@/ {printf "\n%s\n", substr($$0, 5)} \
		/^[a-z-]+:.*##/ {printf "  make %-14s%s\n", $$1, $$2}' $(MAKEFILE_LIST)

# The stamps: each set of packages is installed again when its requirements change.

$(VENV)/.installed: requirements/prod.txt pyproject.toml
	@PYTHON="$(PYTHON)" tools/install prod

.PHONY: install-test
install-test: $(VENV)/.installed-test
	@tools/install-system-packages

$(VENV)/.installed-test: requirements/test.txt requirements/docs.txt $(VENV)/.installed
	@tools/install test docs

$(VENV)/.installed-docs: requirements/docs.txt $(VENV)/.installed
	@tools/install docs
