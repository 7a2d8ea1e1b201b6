# Every target is plain commands, to be read and run by hand as well.
PYTHON ?= python3
BIN ?= .venv/bin

.PHONY: dev link fix check lint types test test-nojit wheel base docs bench soak snapshots clean

dev: link
	$(PYTHON) -m venv .venv
	.venv/bin/pip install -c constraints.txt -e ".[dev]"

# The root is the package, and mypy needs to see it under its name.
link:
	mkdir -p .link
	ln -sfn .. .link/tfimpute_tracks

fix:
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

check: lint types test test-nojit

lint:
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/hadolint Dockerfile

types: link
	$(BIN)/mypy
	$(BIN)/mypy benchmarks/*.py

test:
	$(BIN)/python -m pytest -q -n auto

# The kernels once more as plain Python, where an index past the end is an error.
test-nojit:
	NUMBA_DISABLE_JIT=1 $(BIN)/python -m pytest -q tests/kernels

# The source distribution, the wheel built from it, and the tests against that wheel:
# a file missing from either shows here and nowhere else.
wheel:
	rm -rf build dist
	$(BIN)/python -m build
	$(PYTHON) -m venv build/venv
	build/venv/bin/pip install -c constraints.txt "$$(ls dist/*.whl)[test]"
	build/venv/bin/pytest -q -n auto

# The wheel with what everyone gets and no extra: its size, and that it works.
base:
	$(PYTHON) -m venv build/base
	build/base/bin/pip install -q -c constraints.txt dist/*.whl
	build/base/bin/python tests/base_install.py

# The documentation as a site, from the pages under docs and the docstrings.
docs:
	$(BIN)/sphinx-build -q -W --keep-going -b html docs build/docs

bench:
	$(BIN)/python benchmarks/run.py

# Kills runs and damages inputs at random for half an hour; `make soak SOAK="--seed 7"`.
soak:
	$(BIN)/python tests/soak/soak.py $(SOAK)

# The pictures of viewers in docs/img; needs IGV, xvfb and Chromium.
snapshots:
	$(BIN)/python tests/views/hubs/snapshots.py

clean:
	rm -rf build dist *.egg-info .link .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -not -path "./.venv/*" -prune -exec rm -rf {} +
