"""Pictures of every block and every screen, compared with those that were looked at and stored."""
