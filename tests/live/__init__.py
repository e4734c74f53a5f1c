"""Tests against a real llama.cpp server with a tiny model: protocol, never wording."""
