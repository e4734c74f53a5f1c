"""A bug, a failing test, and a scripted endpoint that knows the way."""
