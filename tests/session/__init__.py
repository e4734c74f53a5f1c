"""Sessions: the log, what is folded from it, and the store."""
