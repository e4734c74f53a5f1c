"""Parts of the chat screen that are no widgets: its keys, what waits for a person, its frames."""
