"""What `/init` asks of the model."""

WRITE_AGENTS = """\
Write an AGENTS.md for this project: what a newcomer who edits code here must know and cannot see \
at once from the file they have open.

Look first: the list of files, the README, what builds and tests the project (package files, \
Makefile, CI), and two or three source files and tests. If there is an AGENTS.md or the like \
already, keep what still holds and mend the rest.

Then write AGENTS.md in the root of the project, at most 60 lines:
- one sentence: what the project is;
- the commands to build it, to run all tests, to run one test, to lint: each tried, or read in a \
file that runs it, never guessed;
- where things are: the folders that matter, a line each;
- how code is written here where it differs from what is usual: names, errors, tests, imports;
- what not to touch: generated files, vendored code, fixtures.

Leave out what any programmer knows and what changes every week. Say at the end what you could not \
find out.
"""
