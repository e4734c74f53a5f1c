"""`--output-format json`: one `result` object, in the form that wrappers of Claude Code read."""

from typing import Any

import msgspec

from qcode.headless.exits import ExitCode
from qcode.headless.result import Result

SUBTYPES = {"end_turn": "success", "max_steps": "error_max_turns"}
"""`TurnFinished.reason` -> Claude's word; any other is `error_during_execution`."""


def encode(result: Result, code: ExitCode) -> str:
    """The object as one line of JSON."""
    return msgspec.json.encode(as_object(result, code)).decode()


def as_object(result: Result, code: ExitCode) -> dict[str, Any]:
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
        "session_id": result.session.session_id if result.session else "",
        "result": result.answer or result.last_text,
        "stop_reason": reason,
        "errors": [end.detail] if end and end.detail else [],
        "total_cost_usd": 0,
        "usage": {
            "input_tokens": sums.prompt - sums.cached,
            "cache_read_input_tokens": sums.cached,
            "output_tokens": sums.generated,
        },
        "permission_denials": [
            {
                "tool_name": denial.call.name,
                "tool_use_id": denial.call.id,
                "tool_input": msgspec.json.decode(denial.call.arguments),
                "because": denial.because,
            }
            for denial in result.denials
        ],
        "qcode": _own(result, code),
    }


def _own(result: Result, code: ExitCode) -> dict[str, Any]:
    last, verified, session = result.last_usage, result.verified, result.session
    return {
        "exit_code": int(code),
        "model": session.model if session else "",
        "server": session.server if session else "",
        "tool_calls": result.calls,
        "edited": list(result.edited),
        "reread_tokens": result.sums.reread,
        "reread_why": result.sums.reread_why,
        "prompt_per_second": last.prompt_per_second if last else None,
        "generated_per_second": last.generated_per_second if last else None,
        "first_token_seconds": last.first_token_seconds if last else None,
        "repairs": result.repairs,
        "retries": result.retries,
        "loops": result.loops,
        "verify": {"command": verified.command, "exit_code": verified.exit_code}
        if verified
        else None,
    }
