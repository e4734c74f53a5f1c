"""Tests of qcode.server."""
