"""Each one question."""
