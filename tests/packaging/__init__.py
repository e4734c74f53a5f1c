"""What is installed: the wheel, install.sh, the themes."""
