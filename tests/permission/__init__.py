"""Tests of rules, modes and command lines."""
