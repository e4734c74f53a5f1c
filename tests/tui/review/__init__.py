"""The review of changes: state, drawing, screen."""
