"""Tests: one folder a room of `qcode/`, and support, house, live, bench."""
