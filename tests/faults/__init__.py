"""What must hold whatever goes wrong: bounded, nothing lost, no process left."""
