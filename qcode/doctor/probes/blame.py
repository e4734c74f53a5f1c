"""Whose fault it is that something is read again: the cache, its checkpoints, or the template."""

from qcode.doctor.base import Finding, Measure
from qcode.doctor.probes import advice
from qcode.doctor.probes.keeping import Kept
from qcode.doctor.probes.rereading import Reread, cost
from qcode.doctor.probes.walking import Steps
from qcode.server.base import ServerFacts
from qcode.server.quirks import QUIRKS

_SOURCE = "measured; llama.cpp b11549, tools/server/server-context.cpp"


def findings(
    facts: ServerFacts, steps: Steps, engine: Kept | None, healed: Steps | None
) -> tuple[Finding, ...]:
    """What the steps show. `engine` None: it could not be asked without a template."""
    if engine is None:
        return _by_chat_alone(facts, steps, healed)
    if engine.keeps == "nothing" or (engine.only_asked and not _asks(facts)):
        return (_off(facts, steps),)
    default = (_unless_asked(facts),) if engine.only_asked else ()
    if engine.keeps == "ends":
        history = (_history(steps, healed),) if healed else ()
        return (_checkpoints(facts, steps), *history, *default)
    if steps.question.how == "reread" and not steps.is_cut:
        return (_history(steps, healed), *default)
    return (*_step(facts, steps), *default)


def _asks(facts: ServerFacts) -> bool:
    """Whether a run asks this kind of server for its cache with each request."""
    return "cache_prompt" in QUIRKS[facts.kind].extra


def _step(facts: ServerFacts, steps: Steps) -> tuple[Finding, ...]:
    """A step within a turn that is read again, where a question and a way back are not."""
    turn = steps.turn
    is_alone = steps.question.how == steps.branch.how == "reused"
    return (_within(facts, steps, turn),) if turn and turn.how == "reread" and is_alone else ()


def _by_chat_alone(facts: ServerFacts, steps: Steps, healed: Steps | None) -> tuple[Finding, ...]:
    match steps.question.how, steps.branch.how:
        case "reread", _ if steps.is_cut:
            return ()
        case "reread", "reread" if healed is None:
            return (_off(facts, steps),)
        case "reread", _:
            return (_history(steps, healed),)
        case "reused", "reread":
            return (_no_way_back(facts, steps),)
    return _step(facts, steps)


def _off(facts: ServerFacts, steps: Steps) -> Finding:
    return Finding(
        id="reuse.off",
        weight="slow",
        title="The server keeps nothing of what it has read.",
        cost=cost(_told(steps, steps.question), "Each step of a turn", _known(steps)),
        change=advice.cache(facts),
        evidence=_evidence(steps),
        source=_SOURCE if facts.kind in advice.LLAMACPP else "measured",
    )


def _unless_asked(facts: ServerFacts) -> Finding:
    return Finding(
        id="reuse.default",
        weight="note",
        title="The server's prompt cache is off unless a request asks for it.",
        cost="qcode asks with each request; a program that does not reads its whole prompt each "
        "time.",
        change=advice.cache(facts),
        source=_SOURCE,
    )


def _checkpoints(facts: ServerFacts, steps: Steps) -> Finding:
    """A hybrid or sliding-window model: its state cannot be cut back, only fetched."""
    step = _told(steps, steps.branch)
    return Finding(
        id="reuse.checkpoints",
        weight="slow",
        title="The server cannot go back inside what it has read: it keeps no checkpoints.",
        cost=cost(step, "Each rewind, steer or answer that is broken off", _known(steps)),
        change=advice.checkpoints(facts),
        evidence=_evidence(steps),
        source=_SOURCE,
    )


def _no_way_back(facts: ServerFacts, steps: Steps) -> Finding:
    step = _told(steps, steps.branch)
    return Finding(
        id="reuse.branch",
        weight="note",
        title="A conversation that goes on is reused, one that goes back is not.",
        cost=cost(step, "Each rewind or answer that is broken off", _known(steps)),
        change=advice.cache(facts),
        evidence=_evidence(steps),
        source="measured",
    )


def _within(facts: ServerFacts, steps: Steps, turn: Reread) -> Finding:
    """Some do not find again what has a call in it."""
    return Finding(
        id="reuse.turn",
        weight="slow",
        title="Behind a call and its result the conversation is read again.",
        cost=cost(turn, "Each step of a turn", turn.prompt_tokens),
        change=advice.cache(facts),
        evidence=_evidence(steps),
        source="measured",
    )


def _history(steps: Steps, healed: Steps | None) -> Finding:
    """The template prints an earlier turn otherwise than it was generated."""
    change = (
        f"Nothing: sent as `{healed.strategy}` it is reused, and so qcode sends it from now on."
        if healed
        else "Take a model file or template that can keep reasoning (`preserve_thinking`, as Qwen "
        "3.6 has), given by `--chat-template-file`; with llama.cpp from b10068 on start it with "
        "`--reasoning-preserve`."
    )
    return Finding(
        id="reuse.history",
        weight="note" if healed else "slow",
        title="A new question changes how the turn before it is printed.",
        cost=cost(_told(steps, steps.question), "Each new question", _known(steps)),
        change=change,
        evidence={**_evidence(steps), "healed_by": healed.strategy if healed else None},
        source="measured; chat templates of Qwen 3.5 and 3.6",
    )


def after_image(facts: ServerFacts, step: Reread) -> Finding:
    """Words alone are reused, and a conversation with a picture is not."""
    change = "Send pictures in a session of their own, or update the server."
    if facts.kind in advice.LLAMACPP:
        change = (
            f"Update llama-server{advice.at_build(facts)}; until then send pictures in a session "
            "of their own, or start it with `--no-mmproj` where none are needed."
        )
    return Finding(
        id="reuse.image",
        weight="slow",
        title="Behind a picture the conversation is read again.",
        cost=cost(step, "Each step behind a picture", step.prompt_tokens),
        change=change,
        evidence={"image_reread_tokens": step.tokens, "image_seconds": step.seconds},
        source="measured; llama.cpp makes no checkpoint right behind a picture (b11549)",
    )


def _told(steps: Steps, step: Reread) -> Reread:
    """The step; where it did not show the fault itself, what the cold prompt took."""
    if step.how == "reread":
        return step
    cold = steps.cold
    return Reread("reread", cold.prompt_tokens or 0, cold.prompt_tokens, cold.first_seconds or 0.0)


def _known(steps: Steps) -> int:
    return steps.cold.prompt_tokens or 0


def _evidence(steps: Steps) -> dict[str, Measure]:
    return {
        "cold_tokens": steps.cold.prompt_tokens,
        "cold_seconds": steps.cold.first_seconds,
        "question_reread_tokens": steps.question.tokens,
        "question_seconds": steps.question.seconds,
        "branch_reread_tokens": steps.branch.tokens,
        "branch_seconds": steps.branch.seconds,
        "turn_reread_tokens": steps.turn.tokens if steps.turn else None,
        "turn_seconds": steps.turn.seconds if steps.turn else None,
        "strategy": steps.strategy,
    }
