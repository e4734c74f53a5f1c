"""The client of another agent drives qcode."""
