"""A list to choose from, with a search line: state, drawing, and the widget that shows it."""
