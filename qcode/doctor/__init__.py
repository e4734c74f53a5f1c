"""What is wrong with a set-up, measured: the flag that is missing."""
