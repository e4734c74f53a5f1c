"""Commands, their environment and their output."""
