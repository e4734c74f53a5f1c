"""`--output-format json`: one `result` object, in the form that wrappers of Claude Code read."""

import io
import sys
from collections import Counter
from typing import Any, Literal

import msgspec

from qcode.headless import names
from qcode.headless.encoded import encoded
from qcode.headless.exits import ExitCode
from qcode.headless.result import Result
from qcode.headless.text import give_out
from qcode.protocol.events import BudgetReached, Compacted, Elided, LoopSeen, TurnFinished
from qcode.protocol.text import well_formed

SUBTYPES = {
    "end_turn": "success",
    "max_steps": "error_max_turns",
    "structured": "error_max_structured_output_retries",
}
"""`TurnFinished.reason` -> Claude's word; any other is `error_during_execution`."""


def answer(result: Result, code: ExitCode, trouble: str = "") -> None:
    """Print the object on stdout. Raises as `give_out`."""
    put(encode(result, code, trouble))


def put(text: str) -> None:
    """Print JSON in UTF-8, whatever the locale says. Raises as `give_out`."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8")
    give_out(text)


def failure(sentence: str, code: ExitCode, form: Literal["object", "array"] = "object") -> None:
    """Print the object of a run that ended before its turn began; alone, or in a list."""
    found = encode(Result(end=TurnFinished("error", well_formed(sentence))), code)
    put(f"[{found}]" if form == "array" else found)


def encode(result: Result, code: ExitCode, trouble: str = "") -> str:
    """The object as one line of JSON. `trouble`: what went wrong after the turn."""
    return encoded(as_object(result, code, trouble))


def as_object(result: Result, code: ExitCode, trouble: str = "") -> dict[str, Any]:
    """The object; what Claude's schema does not know stands under `qcode`."""
    end = result.end
    reason = end.reason if end else "error"
    failed = code is not ExitCode.OK
    subtype = SUBTYPES.get(reason, "error_during_execution")
    if failed and subtype == "success":
        subtype = "error_during_execution"
    sums = result.sums
    return {
        "type": "result",
        "subtype": subtype,
        "is_error": failed,
        "duration_ms": round(result.seconds * 1000),
        "duration_api_ms": round(sums.answering_seconds * 1000),
        "num_turns": result.steps,
        "session_id": result.session_id,
        "result": result.answer or result.last_text,
        **({"structured_output": result.structured} if result.is_structured else {}),
        "stop_reason": reason,
        "errors": [text for text in (result.why(code), trouble) if text],
        "total_cost_usd": 0,
        "usage": {
            "input_tokens": sums.prompt - sums.cached,
            "cache_read_input_tokens": sums.cached,
            "cache_creation_input_tokens": 0,
            "output_tokens": sums.generated,
        },
        "modelUsage": {},
        "permission_denials": _denials(result),
        "qcode": _own(result, code),
    }


def _denials(result: Result) -> list[dict[str, Any]]:
    folder = result.session.folder if result.session else ""
    found = []
    for denial in result.denials:
        arguments = msgspec.json.decode(denial.call.arguments)
        name, given = names.outward(denial.call.name, arguments, folder)
        found.append(
            {
                "tool_name": name,
                "tool_use_id": denial.call.id,
                "tool_input": given,
                "because": denial.because,
                "allowed_by": denial.allowing,
            }
        )
    return found


def _own(result: Result, code: ExitCode) -> dict[str, Any]:
    last, verified, session = result.last_usage, result.verified, result.session
    return {
        "exit_code": int(code),
        "model": session.model if session else "",
        "server": session.server if session else "",
        "context_tokens": session.context_tokens if session else None,
        "tool_calls": result.calls,
        "edited": list(result.edited),
        "prompt_tokens": result.sums.prompt,
        "cached_tokens": result.sums.cached,
        "generated_tokens": result.sums.generated,
        "reread_tokens": result.sums.reread,
        "reread_why": result.sums.reread_why,
        "read_ahead_tokens": result.sums.ahead,
        "read_ahead_seconds": _rounded(result.sums.ahead_seconds, 3),
        "restored_tokens": result.sums.restored,
        "prompt_per_second": _rounded(last.prompt_per_second, 1) if last else None,
        "generated_per_second": _rounded(last.generated_per_second, 1) if last else None,
        "first_token_seconds": _rounded(last.first_token_seconds, 3) if last else None,
        **_mended(result),
        "verify": {"command": verified.command, "exit_code": verified.exit_code}
        if verified
        else None,
    }


def _mended(result: Result) -> dict[str, Any]:
    """What went wrong on the way and was set right: sums, and a list of each."""
    kinds = Counter(repair.kind for repair in result.repairs)
    return {
        "repairs": dict(sorted(kinds.items())),
        "repaired": [repair.what for repair in result.repairs],
        "retries": result.retries,
        "loops": [_fields(loop) for loop in result.loops],
        "budget": [_fields(reached) for reached in result.budgets],
        "compactions": [_compaction(event) for event in result.compactions],
    }


def _compaction(event: Elided | Compacted) -> dict[str, Any]:
    return {
        "kind": "summary" if isinstance(event, Compacted) else "elision",
        "tokens_before": event.tokens_before,
        "tokens_after": event.tokens_after,
    }


def _fields(event: LoopSeen | BudgetReached) -> dict[str, Any]:
    return msgspec.structs.asdict(event)


def _rounded(number: float | None, digits: int) -> float | None:
    return None if number is None else round(number, digits)
