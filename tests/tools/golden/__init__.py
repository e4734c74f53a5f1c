"""What others rely on, as it was when it was last meant to change."""
