# `make demo` and `make test` need Python ≥3.11 and nothing else.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: setup demo test lint
setup: .venv/run
demo: setup
	$(BIN)/sidecar demo $(ARGS)
test: .venv/dev
	$(BIN)/pytest $(ARGS)
lint: .venv/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

.venv/run: pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --editable .
	touch $@
.venv/dev: .venv/run pyproject.toml
	$(BIN)/pip install --quiet --editable '.[dev,train]'
	touch $@
