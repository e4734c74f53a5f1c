"""What is said between the floors: messages, events, inputs."""
