"""The command line: reads flags, picks a front end, imports only that one."""
