"""The policy of a session: mode, fence and rules, as they stand at each call."""

import os
from collections.abc import Sequence

from qcode.engine.settings import Settings
from qcode.permission.judge import Policy, judge
from qcode.permission.modes import Fence
from qcode.permission.patterns import Ground
from qcode.permission.rules import Rule, parse_rules
from qcode.permission.suggest import lasting
from qcode.protocol.access import Access, Verdict
from qcode.protocol.errors import ConfigError

SOURCE = "this session"


class Rulebook:
    """Judges calls; grows with each approval that a person gives for more than once."""

    def __init__(
        self, settings: Settings, fence: Fence, rules: Sequence[Rule], ground: Ground
    ) -> None:
        self._settings = settings
        self._fence = fence
        self._rules = list(rules)
        self._ground = ground

    def judge(self, accesses: Sequence[Access]) -> Verdict:
        """May it be?"""
        return self._with(accesses, ())

    def offers(self, accesses: Sequence[Access]) -> tuple[str, ...]:
        """Rules by which the call would pass the next time; empty = there are none, or another
        rule would have it asked about all the same.

        A rule about a folder lets every file below it be read: who was asked whether its names
        may be listed, or its lines searched, is offered none.
        """
        if not all(access.kind != "read" or self._is_file(access) for access in accesses):
            return ()
        texts = lasting(accesses)
        try:
            more = parse_rules(texts, "allow", SOURCE, self._ground)
        except ConfigError:  # a name that no rule can hold
            return ()
        return texts if self._with(accesses, more).answer == "allow" else ()

    def grant(self, texts: Sequence[str]) -> None:
        """These hold for the rest of the session."""
        self._rules += parse_rules(texts, "allow", SOURCE, self._ground)

    def _is_file(self, access: Access) -> bool:
        return os.path.isfile(os.path.join(self._ground.root, access.target))  # noqa: PTH113, PTH118 - a Path would raise for a name that cannot be

    def _with(self, accesses: Sequence[Access], more: Sequence[Rule]) -> Verdict:
        policy = Policy(self._settings.mode, self._fence, (*self._rules, *more))
        return judge(accesses, policy)
