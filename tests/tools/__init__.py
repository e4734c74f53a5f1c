"""The tools, on real files and real processes."""
