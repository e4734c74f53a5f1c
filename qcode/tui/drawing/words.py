"""Numbers as people read them."""


def seconds(value: float) -> str:
    """`2.1 s`, `48 s`, `3 min 20 s`."""
    if value < 9.95:
        return f"{value:.1f} s"
    whole = round(value)
    return f"{whole} s" if whole < 120 else f"{whole // 60} min {whole % 60} s"


def short(tokens: int) -> str:
    """`412`, `1.2k`, `131k`, `1.0M`."""
    if tokens < 1_000:
        return str(tokens)
    if tokens < 9_950:
        return f"{tokens / 1_000:.1f}k".replace(".0k", "k")
    return f"{round(tokens / 1_000)}k" if tokens < 999_500 else f"{tokens / 1_000_000:.1f}M"


def count(number: int, noun: str) -> str:
    """`1 match`, `2 matches`, `1,204 tokens`."""
    ending = "es" if noun.endswith(("ch", "s", "x")) else "s"
    return f"{number:,} {noun}{'' if number == 1 else ending}"
