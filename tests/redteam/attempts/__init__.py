"""What can be tried: each kind says whether it got through."""
