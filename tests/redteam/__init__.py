"""Attacks that were published against coding agents, tried on qcode: each with its benign twin."""
