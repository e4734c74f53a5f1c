"""The phase in words. Pure; the clock comes in."""

from qcode.protocol.events import PromptProgress
from qcode.protocol.text import one_line
from qcode.tui.drawing.words import short
from qcode.tui.status import Status

MOST_CHARACTERS = 32
"""Of what runs, or why something is tried again."""
SILENT_SECONDS, ASKED_SECONDS = 5.0, 15.0
"""In the midst of an answer; at the second it is asked whether it lives (`endpoint.Patience`)."""


def phase_words(status: Status, now: float) -> str:
    """`reading prompt 41 % · 2,610 tok/s · 7 s left`; empty = nothing goes on."""
    return " · ".join(phase_parts(status, now))


def phase_parts(status: Status, now: float) -> tuple[str, ...]:
    """The same in parts, what matters most first."""
    time = clock(now - status.since)
    detail = one_line(status.detail, MOST_CHARACTERS)
    match status.phase:
        case "idle":
            return ()
        case "starting":
            return (f"starting {time}",)
        case "loading":
            return (f"loading model {time}",)
        case "busy":
            return (f"server busy with others {time}",)
        case "waiting":
            return (f"waiting for the model {time}",)
        case "gone":
            return (f"server gone {time}",)
        case "retrying":
            return (f"retrying {time}", detail)
        case "compacting":
            return (f"compacting {time}", *_reading(status.progress, "")[:1])
        case "reading":
            return _reading(status.progress, "reading prompt ")
        case "rereading":
            return _rereading(status, detail)
        case "asking":
            return (f"waiting for you {time}",)
        case "running":
            more = f" +{len(status.calls) - 1}" if len(status.calls) > 1 else ""
            return (f"running {detail}{more} {time}",)
    return _streaming(status, now, time)


def _streaming(status: Status, now: float, time: str) -> tuple[str, ...]:
    """An answer comes, or has ceased to."""
    silent = status.pace.silent(now)
    if silent > SILENT_SECONDS:
        asks = ("asking whether it lives",) if silent >= ASKED_SECONDS else ()
        return (f"nothing for {clock(silent)}", *asks)
    rate = status.pace.rate(now)
    speed = (f"{rate:,.0f} tok/s",) if rate else ()
    if status.phase == "thinking":
        of = f"/{short(status.thinking_budget)}" if status.thinking_budget else ""
        return (f"thinking {short(status.thought_tokens)}{of}", time, *speed)
    if status.phase == "calling":
        return (f"writing a call of {status.detail}" if status.detail else "writing a call", *speed)
    return (f"writing {time}", *speed)


def _reading(progress: PromptProgress | None, head: str) -> tuple[str, ...]:
    if progress is None:
        return (head.strip(),) if head else ()
    share = f"{head}{100 * progress.processed // max(progress.total, 1)} %"
    rate = _rate(progress)
    if not rate:
        return (share,)
    left = (progress.total - progress.processed) / rate
    return (share, f"{clock(left)} left", f"{rate:,.0f} tok/s")


def _rereading(status: Status, why: str) -> tuple[str, ...]:
    progress = status.progress
    if progress is None:
        return ("re-reading", why)
    tokens = f"re-reading {progress.total - progress.cached:,} tokens"
    rate = _rate(progress)
    left = (f"{clock((progress.total - progress.processed) / rate)} left",) if rate else ()
    return (tokens, why, *left)


def _rate(progress: PromptProgress) -> float:
    read = progress.processed - progress.cached
    return read / progress.seconds if progress.seconds > 0 and read > 0 else 0.0


def clock(seconds: float) -> str:
    """`7 s`, `1:04`, `1:02:03`."""
    whole = max(0, int(seconds))
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
