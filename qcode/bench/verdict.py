"""Whether tests have passed: by the code of the run, and by its last words where these are known.

Code under test can end the whole run with 0 (`os._exit`), and then no test was judged.
"""

import re

from qcode.bench.process import Ran

_WORDS = re.compile(
    r"\b[1-9]\d* pass(ed|ing)\b"  # pytest, jest, vitest; mocha
    r"|^OK( \(.*\))?$"  # unittest
    r"|^test result: ok\."  # cargo
    r"|^ok\s+\S+"  # go
    r"|^# pass [1-9]",  # node --test
    re.MULTILINE,
)


def says_so(ran: Ran) -> bool:
    """Whether it ended in words for "all passed" of a runner that is known."""
    return bool(_WORDS.search(ran.out) or _WORDS.search(ran.err))


def is_passed(ran: Ran, is_told: bool) -> bool:  # noqa: FBT001 - a field of the task, not a switch
    """Whether all tests have passed; `is_told`: they say so where they do."""
    return ran.code == 0 and (says_so(ran) or not is_told)
