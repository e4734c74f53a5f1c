"""The log of a session and what is folded from it."""
