"""Tests of `qcode.protocol`."""
