"""Texts that repeat honestly, and texts that loop: data for the repetition watch."""
