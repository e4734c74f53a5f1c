"""The bench that users run: figures, curves, tasks. `tests/bench` is the project's own."""
