# Everything runs in .venv, which `make setup` builds from requirements-dev.txt.
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/installed
# One thread a test process: two processes on two cores are faster than threads that wait for each other.
TEST_PROCESSES ?= 2
# Threads that wait sleep soon instead of taking a core from the other process.
export GOMP_SPINCOUNT ?= 5000
export OPENBLAS_THREAD_TIMEOUT ?= 14
export STREAMLIT_BROWSER_GATHER_USAGE_STATS = false

.PHONY: help setup app test browser lint bench clean

help:
	@echo "make setup   install into .venv"
	@echo "make app     start the dashboard on the bundled sample"
	@echo "make test    check style and types and run every test"
	@echo "make bench   measure speed and memory"

setup: $(STAMP)

$(STAMP): requirements.txt requirements-distributed.txt requirements-dev.txt pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet -r requirements-dev.txt
	$(BIN)/python -m pip install --quiet --no-deps --editable .
	touch $@

app: $(STAMP)
	$(BIN)/python -m realign_core app

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# Finds or installs Chromium and axe-core; says so where the browser tests must be skipped.
browser: $(STAMP)
	$(BIN)/python tests/browser/ensure_browser.py

# A test process that dies ends the run: one in its place may die of the same test, or wait for ever.
test: lint browser
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n $(TEST_PROCESSES) --dist loadfile --max-worker-restart 0

bench: $(STAMP)
	$(BIN)/python -m benchmarks

clean:
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis build dist *.egg-info tests/browser/node_modules
