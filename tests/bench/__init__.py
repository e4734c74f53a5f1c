"""What qcode costs: time, memory, tokens. `python -m tests.bench` prints it."""
