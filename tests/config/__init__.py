"""Tests of settings, folders and secrets."""
