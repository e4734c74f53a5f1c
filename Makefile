# The same checks as .ci/run, in the environment that is active.
PYTHON ?= python

.PHONY: check lint test live bench

check: lint test

lint:
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m mypy
	lint-imports

test:
	$(PYTHON) -m pytest

live:
	$(PYTHON) -m pytest -m llamacpp

bench:
	$(PYTHON) -m tests.bench
