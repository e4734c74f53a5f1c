"""Inputs in, events out: the loop, one call, the prompt, the history."""
