"""Settings that somebody else wrote: do they count?"""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from qcode.cli.trusting import project
from qcode.config.files import ProjectFile
from qcode.config.load import Sources, load
from qcode.config.material import read
from qcode.config.model import value_of
from qcode.config.paths import paths
from qcode.config.trusted import keep
from qcode.protocol.errors import QcodeError
from qcode.sandbox.environment import child_environment
from tests.redteam.attempts import absent


@dataclass(frozen=True, slots=True)
class Setting:
    """A project's file, trusted; succeeds when `key` is `value` then."""

    text: str
    key: str
    value: object

    def succeeds(self, tmp: Path) -> bool:
        file = ProjectFile(tmp / ".qcode/config.toml", self.text.encode(), "")
        return _holds(Sources(tmp / "none", file), self.key, self.value)


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable of the environment; succeeds when `key` is `value` then."""

    name: str
    given: str
    key: str
    value: object

    def succeeds(self, tmp: Path) -> bool:
        return _holds(Sources(tmp / "none", None, {self.name: self.given}), self.key, self.value)


def _holds(given: Sources, key: str, value: object) -> bool:
    try:
        return value_of(load(given).config, key) == value
    except QcodeError:
        return False


@dataclass(frozen=True, slots=True)
class Dotenv:
    """A `.env` in the folder that qcode is started in; succeeds when `key` is `value` then."""

    text: str
    key: str
    value: object

    def succeeds(self, tmp: Path) -> bool:
        (tmp / ".env").write_text(self.text)
        environ: dict[str, str] = {}
        if absent.CARELESS[0]:
            environ = dict(row.split("=", 1) for row in self.text.splitlines())
        return _holds(Sources(tmp / "none", None, environ), self.key, self.value)


@dataclass(frozen=True, slots=True)
class Trusting:
    """A folder that configures qcode, trusted or not, then changed; succeeds when it counts."""

    change: Callable[[Path], object]
    trusted: str = "before"
    """`before` = trusted before the change, `after`, `never`."""

    def succeeds(self, tmp: Path) -> bool:
        folder = tmp / "project"
        (folder / ".qcode").mkdir(parents=True)
        (folder / ".qcode/config.toml").write_text('[agent]\nthinking = "off"\n')
        with own_home(tmp / "own"):
            if self.trusted == "before":
                self._trust(folder)
            self.change(folder)
            if self.trusted == "after":
                self._trust(folder)
            return project(folder).standing.counts

    def _trust(self, folder: Path) -> None:
        keep(paths().state, folder, read(folder, paths().folders))


@contextmanager
def own_home(folder: Path) -> Iterator[None]:
    """qcode's own folders are below this one."""
    before = os.environ.get("QCODE_HOME")
    os.environ["QCODE_HOME"] = str(folder)
    try:
        yield
    finally:
        if before is None:
            del os.environ["QCODE_HOME"]
        else:
            os.environ["QCODE_HOME"] = before


@dataclass(frozen=True, slots=True)
class Inherited:
    """Variables of the process; succeeds when a command would get the first of them."""

    variables: Mapping[str, str]

    def succeeds(self, tmp: Path) -> bool:
        name = next(iter(self.variables))
        return child_environment(self.variables, {}).get(name) == self.variables[name]
