"""Vim's keys do what they do in vim."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qcode.tui.prompt.operating import Buffer
from qcode.tui.prompt.vim import Vim

KEYS = 'hjklwbe0$^xXdDcCiaIAoOpPyYusSr~JgGfFtT123 qvV.RU"_'


def pressed(keys: str, text: str, cursor: int = 0) -> tuple[Buffer, Vim]:
    """`<` is Esc; in insert mode the keys are typed."""
    vim = Vim()
    now = Buffer(text, cursor)
    vim.press("escape", None, now)
    for key in keys:
        if vim.mode == "insert" and key != "<":
            now = Buffer(now.text[: now.cursor] + key + now.text[now.cursor :], now.cursor + 1)
            continue
        answer = vim.press("escape" if key == "<" else key, key, now)
        if isinstance(answer, Buffer):
            now = answer
    return now, vim


@pytest.mark.parametrize(
    ("keys", "before", "after"),
    [
        ("w", "one |two", None),
        ("x", "|abc", "|bc"),
        ("2x", "|abc", "|c"),
        ("$x", "|abc", "a|b"),
        ("dw", "|one two", "|two"),
        ("d2w", "|one two three", "|three"),
        ("2dw", "|one two three", "|three"),
        ("2d2w", "|1 2 3 4 5", "|5"),
        ("d0", "one |two", "|two"),
        ("de", "|one two", "| two"),
        ("db", "one |two", "|two"),
        ("wD", "|one two", "one| "),
        ("dd", "a|a\nbb\ncc", "|bb\ncc"),
        ("2dd", "a|a\nbb\ncc", "|cc"),
        ("jdd", "|aa\nbb", "|aa"),
        ("dj", "|aa\nbb\ncc", "|cc"),
        ("dG", "aa\n|bb\ncc", "|aa"),
        ("dgg", "aa\n|bb\ncc", "|cc"),
        ('"ayyjyy"ap', "o|ne\ntwo", "one\ntwo\n|one"),
        ('"ayyjyyp', "o|ne\ntwo", "one\ntwo\n|two"),
        ('"addp', "|one\ntwo", "two\n|one"),
        ('"a2dd"aP', "|one\ntwo\nthree", "|one\ntwo\nthree"),
        ('yyj"_ddp', "|one\ntwo", "one\n|one"),
        ('"bp', "|one", "|one"),
        ('wve"byb"bP', "|one two", "tw|oone two"),
        ('"Zdwx', "|one two", "|wo"),
        ('f"x', '|on"e', "on|e"),
        ('"<x', "|one", "|ne"),
        ("ccnew<", "o|ld\nrest", "ne|w\nrest"),
        ("cwnew<", "|old rest", "ne|w rest"),
        ("ciwnew<", "o|ld rest", "ne|w rest"),
        ("daw", "o|ne two", "|two"),
        ("wCxy<", "|one two", "one x|y"),
        ("A!<", "|one", "one|!"),
        ("I-<", "  o|ne", "  |-one"),
        ("ax<", "|ab", "a|xb"),
        ("onew<", "o|ne\ntwo", "one\nne|w\ntwo"),
        ("Onew<", "one\nt|wo", "one\nne|w\ntwo"),
        ("yyp", "o|ne\ntwo", "one\n|one\ntwo"),
        ("ddp", "|one\ntwo", "two\n|one"),
        ("ywP", "|one two", "one| one two"),
        ("xp", "|ab", "b|a"),
        ("rz", "|ab", "|zb"),
        ("~~", "|ab", "A|B"),
        ("J", "o|ne\ntwo", "one| two"),
        ("2fo", "f|rom here to", "from here t|o"),
        ("dfo", "|from here", "|m here"),
        ("dto", "|from here", "|om here"),
        ("^", "  o|ne", "  |one"),
        ("0", "  o|ne", "|  one"),
        ("G", "|a\nb\nc", "a\nb\n|c"),
        ("ddu", "o|ne\ntwo", "o|ne\ntwo"),
        ("cwnew<u", "|old rest", "|old rest"),
        ("xxu", "|abc", "|bc"),
        ("2j", "o|ne\ntwo\nsix", "one\ntwo\ns|ix"),
        ("dq", "o|ne", "o|ne"),
        ("x.", "|abcd", "|cd"),
        ("x3.", "|abcdef", "|ef"),
        ("dw.", "|one two three", "|three"),
        ("ddj.", "|1\n2\n3\n4", "2\n|4"),
        ("cwnew<w.", "|old old rest", "new ne|w rest"),
        ("A!<j.", "o|ne\ntwo", "one!\ntwo|!"),
        ("ix<.", "|ab", "|xxab"),
        ("rzl.", "|ab", "z|z"),
        ("xpu.", "|ab", "b|a"),
        ("onew<.", "|one", "one\nnew\nne|w"),
        (".", "|one", "|one"),
        ("vd", "|abc", "|bc"),
        ("vld", "|abc", "|c"),
        ("wvbd", "|one two", "|wo"),
        ("vey", "|one two", "|one two"),
        ("veyP", "|one two", "on|eone two"),
        ("ved", "|one two", "| two"),
        ("v$d", "a|bc\nd", "|a\nd"),
        ("vjd", "a|bc\nxyz", "a|z"),
        ("Vd", "a\n|b\nc", "a\n|c"),
        ("Vjd", "|a\nb\nc", "|c"),
        ("Vyp", "|a\nb", "a\n|a\nb"),
        ("Vcnew<", "a\n|b\nc", "a\nne|w\nc"),
        ("vecnew<", "|old rest", "ne|w rest"),
        ("viwd", "one t|wo six", "one | six"),
        ("vawd", "one t|wo six", "one |six"),
        ("vlohd", "a|bcd", "|d"),
        ("v<x", "|abc", "|bc"),
        ("vvx", "|abc", "|bc"),
        ("vVd", "a|b\nc", "|c"),
        ("ve~", "|one two", "|ONE two"),
        ("veU", "|one two", "|ONE two"),
        ("VU", "o|ne\ntwo", "|ONE\ntwo"),
        ("verz", "|one two", "|zzz two"),
        ("VjJ", "|a\nb\nc", "|a b\nc"),
        ("v2ld", "|abcd", "|d"),
        ("vfcd", "|abcd", "|d"),
        ("veywvep", "|one two", "one on|e"),
        ("vld.", "|abcdef", "|ef"),
        ("Vdj.", "|a\nb\nc\nd", "b\n|d"),
        ("vldu", "|abcd", "|abcd"),
        ("vggd", "a\nb\n|c", "|"),
    ],
)
def test_a_command_gives_what_vim_gives(keys: str, before: str, after: str | None) -> None:
    if after is None:
        before, after = before.replace("|", ""), before
        before = f"|{before}"
    now, _ = pressed(keys, before.replace("|", ""), before.index("|"))
    shown = f"{now.text[: now.cursor]}|{now.text[now.cursor :]}"
    assert shown == after


def test_insert_mode_leaves_every_key_but_escape_to_the_prompt() -> None:
    vim = Vim()
    assert vim.press("a", "a", Buffer("", 0)) is None
    assert vim.press("enter", "\r", Buffer("", 0)) is None
    assert vim.press("escape", None, Buffer("ab", 2)) == Buffer("ab", 1)


def test_what_is_marked_is_shown_with_the_sign_under_the_cursor() -> None:
    vim, modes = Vim(), list[str]()
    vim.press("escape", None, Buffer("abcd\nef", 1))
    assert vim.press("v", "v", Buffer("abcd\nef", 1)) == Buffer("abcd\nef", 1, (1, 1))
    modes.append(vim.mode)
    assert vim.press("l", "l", Buffer("abcd\nef", 1)) == Buffer("abcd\nef", 2, (1, 2))
    assert vim.press("0", "0", Buffer("abcd\nef", 2)) == Buffer("abcd\nef", 0, (2, 0))
    assert vim.press("V", "V", Buffer("abcd\nef", 0)) == Buffer("abcd\nef", 0, (0, 4))
    modes.append(vim.mode)
    assert vim.press("escape", None, Buffer("abcd\nef", 4)) == Buffer("abcd\nef", 0)
    assert [*modes, vim.mode] == ["visual", "lines", "normal"]


def test_normal_mode_leaves_enter_and_control_keys_to_the_prompt() -> None:
    _, vim = pressed("", "text")
    assert vim.press("enter", "\r", Buffer("text", 0)) is None
    assert vim.press("ctrl+g", None, Buffer("text", 0)) is None


def test_up_from_the_first_line_and_down_from_the_last_lead_to_other_prompts() -> None:
    _, vim = pressed("", "a\nb")
    assert vim.press("k", "k", Buffer("a\nb", 0)) == "older"
    assert vim.press("j", "j", Buffer("a\nb", 2)) == "newer"


@given(
    st.text(st.sampled_from("ab \n_.é\t"), max_size=30),
    st.lists(st.sampled_from([*KEYS, "escape", "enter", "²"]), max_size=25),
    st.integers(0, 30),
)
def test_no_keys_make_it_fail_or_put_the_cursor_outside(
    text: str, keys: list[str], cursor: int
) -> None:
    vim = Vim()
    now = Buffer(text, min(cursor, len(text)))
    for key in ["escape", *keys]:
        answer = vim.press(key, None if len(key) > 1 else key, now)
        if isinstance(answer, Buffer):
            now = answer
        assert 0 <= now.cursor <= len(now.text)


@given(st.text(st.sampled_from("ab \n."), max_size=30), st.text(KEYS, max_size=12))
def test_undoing_all_gives_the_first_text_back(text: str, keys: str) -> None:
    now, vim = pressed(keys, text)
    vim.press("escape", None, now)
    vim.press("escape", None, now)
    for _ in range(len(keys) + 1):
        answer = vim.press("u", "u", now)
        assert isinstance(answer, Buffer)
        now = answer
    assert now.text == text
