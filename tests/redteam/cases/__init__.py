"""The cases, by what they attack."""
