"""What the papers show is run."""
