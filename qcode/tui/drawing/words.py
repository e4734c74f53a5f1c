"""Numbers as people read them."""


def seconds(value: float) -> str:
    """`2.1 s`, `48 s`, `3 min 20 s`."""
    if value < 9.95:
        return f"{value:.1f} s"
    whole = round(value)
    return f"{whole} s" if whole < 120 else f"{whole // 60} min {whole % 60} s"


def short(tokens: int) -> str:
    """`412`, `1.2k`, `131k`."""
    if tokens < 1000:
        return str(tokens)
    return (
        f"{tokens / 1000:.1f}".removesuffix(".0") + "k" if tokens < 99_950 else f"{tokens // 1000}k"
    )


def count(number: int, noun: str) -> str:
    """`1 match`, `2 matches`, `1,204 tokens`."""
    ending = "es" if noun.endswith(("ch", "s", "x")) else "s"
    return f"{number:,} {noun}{'' if number == 1 else ending}"
