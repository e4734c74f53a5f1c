"""Settings: what they are, and where each value came from."""
