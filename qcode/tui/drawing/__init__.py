"""Blocks -> lines. Pure: no Textual, no clock, no disk."""
