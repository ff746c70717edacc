# Everything from a bare checkout: `make demo` and `make test` need Python 3.11-3.13 and make.
# ARGS goes to the command behind a target: make demo ARGS="--port 9000 --no-browser".

PYTHON ?= $(shell for python in python3 python3.13 python3.12 python3.11 python; do \
	$$python -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null \
	&& echo $$python && break; done)
VENV := .venv
PIP := $(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt
PINS := pyproject.toml constraints.txt

.DEFAULT_GOAL := help
.PHONY: help setup demo serve test fuzz soak lint models bench dist stickers train recognition clean

help: ## list the targets
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 10

setup: $(VENV)/.run ## make .venv with what running needs

demo: $(VENV)/.run ## a meeting of mannequins, in the browser
	$(VENV)/bin/python -m sidecar demo $(ARGS)

serve: $(VENV)/.run ## rooms by API on this machine; prints the address and a token
	$(VENV)/bin/python -m sidecar serve $(ARGS)

# Tests start hundreds of processes of ours: each would compile what it imports where the first is set.
# OpenBLAS would wait for its threads by spinning, and each core has a worker of its own.
test: $(VENV)/.dev ## all tests
	$(VENV)/bin/python -m sidecar models fetch all
	env -u PYTHONDONTWRITEBYTECODE OPENBLAS_NUM_THREADS=1 $(VENV)/bin/python -m pytest --numprocesses=auto --maxprocesses=4 --dist=loadfile --no-loadscope-reorder $(ARGS)

fuzz: $(VENV)/.dev ## hostile inputs for two minutes; ARGS="--seconds 3600 container-"
	$(VENV)/bin/python -m tests.fuzz $(ARGS)

soak: $(VENV)/.dev ## servers die 50 times, meetings are joined 200 times, rooms come and go (an hour)
	$(VENV)/bin/python -m sidecar models fetch all
	SIDECAR_SOAK_RESTARTS=50 SIDECAR_SOAK_JOINS=200 SIDECAR_SOAK_GUESTS=60 SIDECAR_SOAK_ROOMS=50 SIDECAR_SOAK_CHURN=30 \
		SIDECAR_SOAK_MEETINGS=4 $(VENV)/bin/python -m pytest -m soak $(ARGS)
	SIDECAR_TEST_KILLS=20 $(VENV)/bin/python -m pytest tests/reactions/training/test_checkpoints.py \
		tests/reactions/training/test_detector_run.py

lint: $(VENV)/.dev ## ruff and mypy, without writing anything
	$(VENV)/bin/python -m ruff check .
	$(VENV)/bin/python -m ruff format --check .
	$(VENV)/bin/python -m mypy

models: $(VENV)/.run ## fetch the models that the enabled labels need
	$(VENV)/bin/python -m sidecar models fetch

bench: $(VENV)/.dev models ## measure on this machine and write the table
	$(VENV)/bin/python -m bench $(ARGS)

dist: $(VENV)/.dev ## build wheel and source package, check them, run them elsewhere
	rm -rf dist
	$(VENV)/bin/python -m hatchling build -d dist
	$(VENV)/bin/python -m check_wheel_contents dist/*.whl
	$(VENV)/bin/python .ci/dist.py dist

stickers: $(VENV)/.dev ## render the checked-in GIFs from their drawings
	$(VENV)/bin/python -m gifs.art.render $(ARGS)

train: $(VENV)/.dev ## train the hand classifier and write its .tflite
	OPENBLAS_NUM_THREADS=1 $(VENV)/bin/python -m reactions.training.train_hand_classifier $(ARGS)

DATA ?= ../shared/data/dev

recognition: $(VENV)/.dev models ## measure recognition on the photos and clips in DATA, as a meeting sees them
	OMP_NUM_THREADS=1 $(VENV)/bin/python -m reactions.training.report $(DATA) --stream --cache out/landmarks \
		--out out/recognition $(ARGS)
	cp out/recognition/recognition.md docs/recognition-measured.md
	cp out/recognition/recognition.webp docs/images/recognition.webp

clean: ## remove .venv and every cache in the checkout
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis build dist out
	find . -name __pycache__ -prune -exec rm -rf {} +

$(VENV)/bin/python:
	@test -n "$(PYTHON)" || { echo "make: Python 3.11, 3.12 or 3.13 is needed and none was found;" \
		"install one, or name it: make PYTHON=/path/to/python3" >&2; exit 2; }
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' || { \
		echo "make: $(PYTHON) is not Python 3.11, 3.12 or 3.13" >&2; exit 2; }
	@$(PYTHON) -m venv --clear $(VENV) || { rm -rf $(VENV); \
		echo "make: $(PYTHON) can't make a virtual environment (Debian: apt install python3-venv)" \
		>&2; exit 2; }

$(VENV)/.run: $(PINS) | $(VENV)/bin/python
	@echo "Installing into $(VENV) (a minute or two, once)"
	$(PIP) --editable .
	@touch $@

$(VENV)/.dev: $(VENV)/.run
	@echo "Installing what tests and training need (once)"
	$(PIP) --editable '.[dev,train]'
	@touch $@
