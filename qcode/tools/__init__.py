"""What the model may ask for, one file a tool."""
