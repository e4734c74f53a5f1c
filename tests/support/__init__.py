"""Test doubles that are real servers, a chat template, a tiny model for llama.cpp."""
