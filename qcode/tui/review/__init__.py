"""The review of changes, hunk by hunk: its state, its drawing, its widgets."""
