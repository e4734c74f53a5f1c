"""Readers of foreign text against whatever bytes there are: by hypothesis, and by atheris."""
