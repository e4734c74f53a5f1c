"""Blocks -> lines."""
