"""What lies beyond chat completions, one small class a server."""
