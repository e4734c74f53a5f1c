"""What a run took in a few words; what events say stands in `engine.telling`. Pure."""

from qcode.headless.result import Result

TOKENS = " · tokens: "
"""What is told behind it, in a summary, may have a line of its own."""


def summary(result: Result) -> str:
    """The last line of the progress: what the run took."""
    sums = result.sums
    parts = [_count(result.steps, "step"), f"{result.seconds:.0f} s"]
    if result.calls:
        parts.insert(1, _count(result.calls, "call"))
    if result.repairs:
        parts.append(_count(len(result.repairs), "repair"))
    if sums.prompt:
        cached = f", {sums.cached:,} cached" if sums.cached else ""
        new = sums.prompt - sums.cached
        return f"{' · '.join(parts)}{TOKENS}{new:,} read{cached}, {sums.generated:,} written"
    return " · ".join(parts)


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"
