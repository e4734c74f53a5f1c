"""Code of ours for a Python outside of qcode: compiled here, handed over through a descriptor, so
that it is read from no place that a command can write."""

import functools
import marshal
import sys
from pathlib import Path

_BEGIN = "import marshal;f=open({},'rb');s={{'__name__':'handed'}}"
_NEXT = "exec(marshal.load(f),s)"


def words(told: int, files: tuple[str, ...], call: str) -> tuple[str, ...]:
    """What runs `call` of the code of `files` (`compiled`), which comes through `told`.

    `f` is what follows the code; `call` may use it.
    """
    code = ";".join((_BEGIN.format(told), *(_NEXT for _ in files), f"s{call}"))
    return (sys.executable, "-I", "-S", "-c", code)


@functools.cache
def compiled(files: tuple[str, ...]) -> bytes:
    """Once: compiling costs as much as half a start of Python. They share one namespace of names,
    in which each finds what the ones before it made."""
    here = Path(__file__)
    sources = ((name, here.with_name(name).read_bytes()) for name in files)
    codes = (compile(source, name, "exec", dont_inherit=True) for name, source in sources)
    return b"".join(map(marshal.dumps, codes))
