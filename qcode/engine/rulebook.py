"""The policy of a session: mode, fence and rules, as they stand at each call."""

from collections.abc import Sequence

from qcode.engine.settings import Settings
from qcode.permission.judge import Policy, judge
from qcode.permission.modes import Fence
from qcode.permission.patterns import Ground
from qcode.permission.rules import Rule, parse_rules
from qcode.permission.suggest import narrowest
from qcode.protocol.access import Access, Verdict


class Rulebook:
    """Judges calls; grows with each approval that a person gives for the session."""

    def __init__(
        self, settings: Settings, fence: Fence, rules: Sequence[Rule], ground: Ground
    ) -> None:
        self._settings = settings
        self._fence = fence
        self._rules = list(rules)
        self._ground = ground

    def judge(self, accesses: Sequence[Access]) -> Verdict:
        """May it be?"""
        return judge(accesses, Policy(self._settings.mode, self._fence, tuple(self._rules)))

    def grant(self, accesses: Sequence[Access]) -> None:
        """An approval for the session: the narrowest rules that would have allowed the call."""
        texts = [text for access in accesses if (text := narrowest(access))]
        self._rules += parse_rules(texts, "allow", "this session", self._ground)
