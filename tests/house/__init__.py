"""The house itself: layers, cold start, sizes, what the README says."""
