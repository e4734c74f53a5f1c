"""Starts one program, waits for its end, and writes down what it took.

    python -I -S launch.py RESULT PROGRAM ARGUMENT…

A process of its own, because a child's peak memory counts what its parent held when it was started:
behind this one it is 10 MB, not those of a bench with a tokenizer. It imports almost nothing for
the same reason. RESULT gets one line: start and end (`time.monotonic()`, the same clock in every
process of a machine), CPU seconds, `ru_maxrss` as the system counts it, the wait status.
"""

import os
import sys
import time


def main(result: str, *command: str) -> None:
    """Run `command` and write RESULT."""
    began = time.monotonic()
    child = os.posix_spawn(command[0], command, os.environ)
    _, status, used = os.wait4(child, 0)
    ended = time.monotonic()
    cpu_seconds = used.ru_utime + used.ru_stime
    with open(result, "w", encoding="ascii") as out:  # noqa: PTH123 - pathlib would be 2 MB more
        out.write(f"{began} {ended} {cpu_seconds} {used.ru_maxrss} {status}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
