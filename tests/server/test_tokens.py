"""Counts by the shipped table."""

import subprocess
import sys
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from qcode.server import tokens


def test_text_is_cut_as_qwen_cuts_it() -> None:
    assert tokens.count("Hello, world") == 3
    assert tokens.count("12345") == 5  # each digit by itself
    assert tokens.count("") == 0


def test_the_marks_of_the_template_are_one_token_each() -> None:
    assert tokens.count("<|im_start|><think></think><|im_end|>") == 4


@given(st.text(st.characters(codec="utf-8"), max_size=200))
def test_every_text_can_be_counted_and_a_token_holds_a_byte_at_least(text: str) -> None:
    assert tokens.count(text) <= len(text.encode())


def test_an_estimate_by_looks_is_near_the_table_for_code_and_prose() -> None:
    root = Path(__file__).parents[2]
    texts = [
        file.read_text(encoding="utf-8")[:8_000]
        for pattern in ("*.md", "qcode/*/*.py")
        for file in root.glob(pattern)
    ]
    off = sorted(
        abs(tokens.about(text) / tokens.count(text) - 1) for text in texts if len(text) > 3_000
    )
    assert len(off) > 30
    assert off[round(0.8 * len(off))] < 0.1
    assert off[-1] < 0.2


def test_other_scripts_are_estimated_too() -> None:
    for text in (
        "如何在本地服务器上运行大型语言模型。首先需要下载模型文件然后启动服务器。",
        "Как запустить большую языковую модель на локальном сервере? Сначала загрузите файл.",
        "ローカルサーバーで大規模言語モデルを実行する方法は何ですか。",
    ):
        assert abs(tokens.about(text) / tokens.count(text) - 1) < 0.3


@given(st.text(st.characters(codec="utf-8"), max_size=200), st.text(max_size=50))
def test_every_text_can_be_estimated(one: str, two: str) -> None:
    assert tokens.about(one) >= 0
    assert tokens.about(f"{one} word {two}") > 0


def test_an_estimate_reads_no_table_and_the_table_is_read_once() -> None:
    script = """
import sys, threading
from qcode.server import tokens
tokens.about("some words of it, 123")
before = "tiktoken" in sys.modules, tokens.is_ready()
told = tokens.prepare()
counts = []
threads = [threading.Thread(target=lambda: counts.append(tokens.count("a b"))) for _ in range(4)]
for one in threads: one.start()
for one in threads: one.join()
print(before, counts, told.wait(30), tokens.prepare() is told, tokens._read.cache_info().misses)
"""
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "(False, False) [2, 2, 2, 2] True True 1"
