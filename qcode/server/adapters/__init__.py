"""What lies beyond chat completions, a file a server; `sighting` and `rendering` serve them all."""
