"""A thinking budget is held within 5 % + 16 tokens, whatever the server tells."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qcode.protocol.events import ReasoningDelta
from qcode.server import tokens
from qcode.server.budget import Budget, Calibration, ReasoningCount
from qcode.server.reader import Reader
from tests.server.loops.honest import HONEST

ROOT = Path(__file__).parents[2]

PROSE = (ROOT / "README.md").read_text(encoding="utf-8")
CODE = "".join(file.read_text(encoding="utf-8") for file in sorted(ROOT.glob("qcode/server/*.py")))
NUMBERS = HONEST["table of numbers"] + HONEST["csv"] + HONEST["hex dump"]
CHINESE = HONEST["chinese steps"]
MIXED = "".join(
    CODE[at : at + 600] + PROSE[at % 9_000 : at % 9_000 + 400] for at in range(0, 60_000, 600)
)
TEXTS = {"prose": PROSE, "code": CODE, "numbers": NUMBERS, "chinese": CHINESE, "mixed": MIXED}


@pytest.fixture(autouse=True, scope="module")
def table() -> None:
    """Read before the time of a test counts."""
    assert tokens.prepare().wait(30)


def in_tokens(text: str, size: int, most: int) -> list[str]:
    """`text` as a server sends it, `size` tokens a chunk, at most `most` tokens."""
    decode = tokens._table().decode
    ids = tokens.encode(text)[:most]
    return [decode(ids[at : at + size]) for at in range(0, len(ids), size)]


def used(budget: Budget, pieces: list[str], size: int) -> int:
    """Tokens that were generated when the budget said stop."""
    for number, piece in enumerate(pieces, 1):
        if budget.feed(piece):
            return number * size
    raise AssertionError(f"not reached after {len(pieces) * size} tokens: {budget.tokens}")


@pytest.mark.parametrize("name", TEXTS)
@pytest.mark.parametrize("size", [1, 8, 40])
@pytest.mark.parametrize("limit", [200, 1_000, 2_000, 8_000])
def test_the_budget_holds_without_any_count(name: str, size: int, limit: int) -> None:
    text = TEXTS[name] * (1 + limit // 2_000)
    spent = used(Budget(limit), in_tokens(text, size, 2 * limit), size)
    assert abs(spent - limit) <= 0.05 * limit + 16 + (size if size > 8 else 0)


def test_what_the_server_counts_is_believed() -> None:
    budget = Budget(1_000)
    for told in range(8, 992, 8):  # many signs in a token: no estimate would say so
        assert not budget.feed("x", told)
    assert budget.tokens == 984
    assert budget.feed("x", 1_000)


def test_a_count_that_does_not_grow_is_not_believed() -> None:
    pieces = in_tokens(PROSE, 8, 4_000)
    budget = Budget(1_000)
    spent = next(n * 8 for n, piece in enumerate(pieces, 1) if budget.feed(piece, 1))
    assert abs(spent - 1_000) <= 66


def test_a_server_with_a_smaller_vocabulary_is_counted_by_its_fragments() -> None:
    # A fragment a token, three signs each: the table would count fewer.
    count = ReasoningCount()
    for _ in range(1_000):
        count.feed("abc")
    assert count.tokens == 1_000


def test_joined_fragments_count_one_by_one() -> None:
    count = ReasoningCount()
    count.feed("abcd", None, 4)
    assert count.tokens == 4


def test_earlier_answers_correct_the_count() -> None:
    # A model whose tokens are a fifth larger than ours.
    calibration = Calibration()
    calibration.learn(CODE[:20_000], round(tokens.count(CODE[:20_000]) / 1.2))
    limit = 2_000
    pieces = in_tokens(CODE[20_000:], 8, 6_000)
    spent = used(Budget(limit, calibration=calibration), pieces, 8) / 1.2
    assert abs(spent - limit) <= 0.05 * limit + 16


def test_short_answers_and_silent_servers_teach_nothing() -> None:
    calibration = Calibration()
    calibration.learn("done", 40)
    calibration.learn(CODE, None)
    calibration.learn(CODE, 0)
    assert calibration == Calibration()


def test_a_server_that_keeps_the_budget_itself_gets_a_margin() -> None:
    budget = Budget(1_000, native=True)
    assert not budget.feed("x", 1_050)
    assert budget.feed("x", 1_066)


def test_an_unused_budget_is_not_reached() -> None:
    budget = Budget(100)
    assert budget.tokens == 0
    assert not budget.feed("")


@given(st.sampled_from(sorted(TEXTS)), st.lists(st.integers(1, 900), min_size=1, max_size=60))
def test_however_the_text_is_cut_it_counts_the_same(name: str, sizes: list[int]) -> None:
    count, at = ReasoningCount(near=0), 0
    for size in sizes:
        count.feed(TEXTS[name][at : at + size])
        at += size
    truth = tokens.count(TEXTS[name][:at])
    assert abs(count.tokens - truth) <= max(0.05 * truth + 16, len(sizes))


def test_the_reader_passes_on_what_a_chunk_counts() -> None:
    reader = Reader()
    chunk = {"choices": [{"index": 0, "delta": {"reasoning_content": "hm"}}]}
    timed = chunk | {"timings": {"predicted_n": 7}}
    counted = chunk | {"usage": {"prompt_tokens": 9, "completion_tokens": 8}}
    data = [b"data: " + json.dumps(one).encode() + b"\n\n" for one in (chunk, timed, counted)]
    assert reader.feed(data[0]) == [ReasoningDelta("hm")]
    assert reader.feed(data[1]) == [ReasoningDelta("hm", 7)]
    assert reader.feed(data[0] + data[2]) == [ReasoningDelta("hmhm", 8, 2)]


def test_the_table_is_read_near_the_end_of_the_budget_and_not_before() -> None:
    script = """
import sys
from qcode.server import tokens
from qcode.server.budget import Budget
text = sys.stdin.read()
budget = Budget(3_000)
at = 0
while budget.tokens < 1_900:
    budget.feed(text[at:at + 20]); at += 20
before = [tokens.is_ready(), "tiktoken" in sys.modules]
while budget.tokens < 2_200:
    budget.feed(text[at:at + 20]); at += 20
near = "token table" if not tokens.prepare().wait(60) else "read"
while not budget.feed(text[at:at + 20]):
    at += 20
print(before, near, tokens.count(text[:at + 20]))
"""
    ran = subprocess.run(
        [sys.executable, "-c", script], input=MIXED, capture_output=True, text=True, check=True
    )
    words, _, truth = ran.stdout.strip().rpartition(" ")
    assert words == "[False, False] read"
    assert abs(int(truth) - 3_000) <= 166


def test_a_server_that_counts_spares_the_table() -> None:
    script = """
import sys
from qcode.server import tokens
from qcode.server.budget import Budget
budget = Budget(3_000)
for told in range(8, 3_000, 8):
    assert not budget.feed("some words of it, ", told)
assert budget.tokens == 2_992
print("tiktoken" in sys.modules)
"""
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "False"
