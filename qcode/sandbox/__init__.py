"""How a command is run, and the fence around it."""
