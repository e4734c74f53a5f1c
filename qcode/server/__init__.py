"""One local endpoint: requests out, streams in, and how servers differ."""
