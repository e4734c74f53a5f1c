"""Figures of servers and of models, to be compared."""
