"""A model served by qcode itself: the machine, the flags, the child process."""
