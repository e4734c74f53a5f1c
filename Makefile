# The same checks as .ci/run, in the environment that is active.
PYTHON ?= python

.PHONY: check lint test live engines bench redteam redteam-proof faults fuzz

check: lint test

lint:
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m mypy
	lint-imports

test:
	$(PYTHON) -m pytest

live:
	$(PYTHON) -m pytest -m "llamacpp or engines"

# Large: PyTorch, MLX, a llama.cpp that is compiled. Under .engines/, or where QCODE_ENGINES says.
engines:
	$(PYTHON) -m tests.support.engines

bench:
	$(PYTHON) -m tests.bench

# Published attacks on coding agents, tried on this one.
redteam:
	$(PYTHON) -m pytest tests/redteam

# The same, and each once more without the guard that holds it: then it must succeed.
redteam-proof:
	$(PYTHON) -m tests.redteam.proof

# Readers of foreign text against a fuzzer; takes atheris, five minutes a target.
fuzz:
	$(PYTHON) -m tests.fuzz

# qcode killed at 260 random points, a folder of 100,000 files, and all other faults.
faults:
	QCODE_KILLS=260 $(PYTHON) -m pytest tests/faults -o timeout=1800
