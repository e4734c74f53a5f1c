"""Conversation -> request. It only grows: what was sent once is sent again, byte for byte.

How a message is shaped so that the server's template renders it as it was generated stands in
`server.shape`; which shape a server needs was chosen by rendering (`ServerFacts.strategy`).
"""

from collections.abc import Mapping

import msgspec
from msgspec.structs import replace

from qcode.engine.settings import ANSWER_TOKENS, Settings
from qcode.protocol.events import SettingsChanged
from qcode.server.base import Request, ServerFacts
from qcode.server.families import family_of, mode
from qcode.server.family import LEVEL_TOKENS
from qcode.server.fields import is_another, unsaid
from qcode.server.quirks import of
from qcode.server.shape import wire_messages, wire_tools
from qcode.session.conversation import Conversation

MARGIN_TOKENS = 2_048
"""Kept free in the context beside the prompt and the answer: our count of new text is rough."""

LEAST_TOKENS = 1_024
"""An answer may always be this long; a prompt that leaves less is the server's to refuse."""


class Tweak(msgspec.Struct, frozen=True):
    """What one request does differently from the settings; the prompt's bytes stay the same."""

    presence_penalty: float | None = None
    """None = as the settings and the model's family have it."""
    penalty_window: int | None = None
    """Tokens that penalties look back over, where the server lets one say; None = as usual."""
    thinking_budget: int | None = None
    """Tokens; 0 = thinking off for this request, None = as the settings have it."""
    closed: str = ""
    """As in `Request.closed`: reasoning that the answer has had already."""


class History:
    """Makes the requests of a session. Where a model's template writes the effort in front of the
    prompt, that of the session's beginning stays in it (`Family.frozen`), over a resume too."""

    def __init__(self, conversation: Conversation, facts: ServerFacts, settings: Settings) -> None:
        self.conversation = conversation
        self.settings = settings
        self._tools = wire_tools(conversation.tools)
        self.turn_to(facts)

    def turn_to(self, facts: ServerFacts) -> None:
        """From here on the requests are for this server."""
        self.facts = facts
        self._family = family_of(facts)

    def request(self, left: int | None = None, tweak: Tweak | None = None) -> Request:
        """The next request. Thinking and sampling change; what stands in the prompt does not.

        `left`: tokens that the answer may have by the turn's limit, None = any number.
        """
        tweak = tweak or Tweak()
        max_tokens = self._max_tokens(left)
        budget = min(self._budget(tweak), _for_thinking(max_tokens))
        talk, facts = self.conversation, self.facts
        messages = wire_messages(talk.system, talk.messages, facts.strategy, facts.reasoning_field)
        return Request(
            facts.model,
            messages,
            self._tools,
            thinking_budget=budget,
            first_budget=self._first_budget() if self._family.frozen else None,
            sampling=self._sampling(budget, tweak),
            max_tokens=max_tokens,
            closed=tweak.closed,
            strategy=facts.strategy,
        )

    def asks(self) -> SettingsChanged:
        """What the next request asks for, as far as it is no matter of room."""
        budget = self._budget(Tweak())
        sampling = self._sampling(budget, Tweak())
        return SettingsChanged(budget, self.settings.max_tokens, dict(sampling))

    def unsaid(self) -> str:
        """A sentence on what the server ignores of the settings; empty = nothing."""
        wished = replace(
            self.request(), thinking_budget=self.settings.thinking_budget, first_budget=None
        )
        return unsaid(self.facts, wished)

    def not_kept(self) -> str:
        """The server took a thinking budget and went beyond it: from here on it is counted here.
        A sentence on that; empty = it was told before."""
        if "budget" in self.facts.unheeded:
            return ""
        self.facts = replace(self.facts, unheeded=self.facts.unheeded | {"budget"})
        row = of(self.facts.kind, "")
        flag = f" Started with {row.budget_flag} it keeps it itself." if row.budget_flag else ""
        return f"{row.name} takes a thinking budget and does not keep it: qcode counts now.{flag}"

    def held(self) -> str:
        """A sentence on an effort that does not follow the settings; empty = it does."""
        first, now = self._first_budget(), self._budget(Tweak())
        if not self._family.frozen or not is_another(self.facts, first, now):
            return ""
        stays = f"that stays; the budget of {now:,} tokens holds" if first else "it stays off"
        return (
            f"{self._family.name} has thinking and effort written in front of the prompt: so that "
            f"not all is read again, {stays} until a new session."
        )

    def _first_budget(self) -> int:
        told = self.conversation.efforts.get(self.facts.model)
        return self._budget(Tweak(thinking_budget=told))

    def _budget(self, tweak: Tweak) -> int:
        """Tokens. A model that cannot be kept from thinking gets what its lowest level stands for,
        or each of its answers would be cut."""
        wanted = tweak.thinking_budget
        budget = self.settings.thinking_budget if wanted is None else wanted
        return max(budget, LEVEL_TOKENS[0]) if self._family.thinks == "levels" else budget

    def _sampling(self, budget: int, tweak: Tweak) -> Mapping[str, float | int]:
        """The family's values, over them what a person said, over both this step's."""
        model = self.facts.model
        values = {
            **self._family.modes.of(mode(self.settings.preset, budget)),
            **self.settings.said(model),
        }
        if tweak.presence_penalty is not None:
            values["presence_penalty"] = tweak.presence_penalty
        if tweak.penalty_window is not None:
            values["penalty_window"] = tweak.penalty_window
        return values

    def _max_tokens(self, left_in_turn: int | None) -> int:
        """The answer's upper bound, lowered to what the turn and the loaded context have left."""
        wanted = min(self.settings.max_tokens, left_in_turn or self.settings.max_tokens)
        if self.facts.context_tokens is None:
            return wanted
        last = self.conversation.last_usage
        held = (last.prompt_tokens or 0) + (last.generated_tokens or 0) if last else 0
        left = self.facts.context_tokens - held - MARGIN_TOKENS
        return max(min(wanted, left), min(wanted, LEAST_TOKENS))


def _for_thinking(max_tokens: int) -> int:
    """How much of an answer may be thinking: it must not end in the midst of it."""
    return max(max_tokens - ANSWER_TOKENS, max_tokens // 2)
