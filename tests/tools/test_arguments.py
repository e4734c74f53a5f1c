"""Slips of the model are mended where their meaning is plain; all else goes back in words."""

import json
from typing import Annotated, Any, ClassVar, Literal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Meta

from qcode.protocol.access import Access
from qcode.protocol.messages import ToolCall
from qcode.tools.arguments import Misfit, Parsed, parse
from qcode.tools.ask import Ask
from qcode.tools.base import Context, Outcome
from qcode.tools.shell import Shell
from qcode.tools.todo import Todo


class Change(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A tool with a field of every kind."""

    name: ClassVar[str] = "change"
    effect: ClassVar[Literal["read", "write"]] = "write"

    path: Annotated[str, Meta(description="A file.")]
    old_string: str
    new_string: str
    count: Literal["one", "all"] = "one"
    line: int = 0

    def summary(self) -> str:
        """The path."""
        return self.path

    def accesses(self) -> tuple[Access, ...]:
        """None."""
        return ()

    async def run(self, context: Context) -> Outcome:
        """Nothing."""
        return Outcome(self.path)


class Search(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A tool where `file` is a field of its own."""

    name: ClassVar[str] = "grep"
    effect: ClassVar[Literal["read", "write"]] = "read"

    pattern: str
    path: str = "."
    file: str = ""

    def summary(self) -> str:
        """The pattern."""
        return self.pattern

    def accesses(self) -> tuple[Access, ...]:
        """None."""
        return ()

    async def run(self, context: Context) -> Outcome:
        """Nothing."""
        return Outcome(self.pattern)


class Show(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A tool with a range of lines."""

    name: ClassVar[str] = "show"
    effect: ClassVar[Literal["read", "write"]] = "read"

    path: str
    first_line: int = 1
    last_line: int = 0

    def summary(self) -> str:
        """The path."""
        return self.path

    def accesses(self) -> tuple[Access, ...]:
        """None."""
        return ()

    async def run(self, context: Context) -> Outcome:
        """Nothing."""
        return Outcome(self.path)


TOOLS = (Change, Search, Show, Shell, Todo, Ask)
GOOD: dict[str, Any] = {"path": "a.py", "old_string": "x", "new_string": "y"}


def call(arguments: str, name: str = "change") -> Parsed | Misfit:
    return parse(TOOLS, ToolCall("call-1", name, arguments))


def parsed(arguments: str | dict[str, Any], name: str = "change") -> Parsed:
    text = arguments if isinstance(arguments, str) else json.dumps(arguments)
    found = call(text, name)
    assert isinstance(found, Parsed), found
    assert json.loads(found.arguments).keys() <= set(found.tool.__struct_fields__)  # type: ignore[attr-defined]  # tools are structs
    return found


def misfit(arguments: str | dict[str, Any], name: str = "change") -> Misfit:
    found = call(arguments if isinstance(arguments, str) else json.dumps(arguments), name)
    assert isinstance(found, Misfit), found
    assert isinstance(json.loads(found.arguments), dict)
    return found


# What was right stays as it was.

texts = st.text()
arguments_of_change = st.fixed_dictionaries(
    {"path": texts, "old_string": texts, "new_string": texts},
    optional={"count": st.sampled_from(["one", "all"]), "line": st.integers(-(2**63), 2**63 - 1)},
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | texts,
    lambda inner: st.lists(inner) | st.dictionaries(texts, inner),
    max_leaves=8,
)


@given(arguments_of_change, st.sampled_from([None, 0, 2]), st.booleans())
def test_valid_arguments_pass_unchanged(fields: Any, indent: int | None, ascii_only: bool) -> None:  # noqa: FBT001  # hypothesis passes by name
    text = json.dumps(fields, indent=indent, ensure_ascii=ascii_only)
    found = call(text)
    assert isinstance(found, Parsed)
    assert (found.arguments, found.repairs) == (text, ())
    assert found.tool == Change(**fields)


@given(texts)
def test_a_string_is_never_decoded(content: str) -> None:
    for text in (content, json.dumps({"a": content}), f'"{content}"', "12", "null", "true", "[1]"):
        found = parsed(GOOD | {"new_string": text})
        assert found.tool == Change("a.py", "x", text)
        assert found.repairs == ()


@given(st.dictionaries(texts, json_values) | json_values)
def test_valid_json_is_stored_as_it_was_or_with_its_repairs_told(value: Any) -> None:
    text = json.dumps(value)
    found = call(text)
    if isinstance(found, Parsed):
        assert found.arguments == text or found.repairs
    assert isinstance(json.loads(found.arguments), dict)


# Nothing raises, and no cut call runs.


@given(arguments_of_change, st.data())
def test_a_cut_call_never_runs(fields: Any, data: st.DataObject) -> None:
    text = json.dumps(fields)
    cut = text[: data.draw(st.integers(1, len(text) - 1))]
    assert isinstance(call(cut), Misfit)


@given(arguments_of_change, st.data())
def test_a_cut_call_with_slips_never_runs(fields: Any, data: st.DataObject) -> None:
    text = repr(fields)
    cut = text[: data.draw(st.integers(1, len(text) - 1))]
    assert isinstance(call(cut), Misfit)


@given(st.text(alphabet="{}[]\"'\\:,ab1 \nTrueN.-e\x00ü\ud800") | texts, texts)
def test_no_text_raises(arguments: str, name: str) -> None:
    for found in (call(arguments), call(arguments, name)):
        json.loads(found.arguments)
        found.arguments.encode()


@pytest.mark.parametrize("text", ['{"a":' * 50_000, "[" * 50_000, '{"path": ' + "9" * 9000 + "}"])
def test_depth_and_length_are_bounded(text: str) -> None:
    misfit(text)


def test_a_great_many_objects_are_read_once() -> None:
    assert parsed(json.dumps(GOOD) * 3000).tool == Change(**GOOD)


# Syntax.


@given(arguments_of_change)
def test_python_literals_are_read(fields: Any) -> None:
    plain: dict[str, Any] = {
        key: value for key, value in fields.items() if str(value).isprintable()
    }
    if {"path", "old_string", "new_string"} <= plain.keys():
        assert parsed(repr(plain)).tool == Change(**plain)


@given(arguments_of_change)
def test_unescaped_control_characters_are_read(fields: dict[str, Any]) -> None:
    decoder = json.JSONDecoder(strict=False)
    text = json.dumps(fields)
    for escape, sign in (("\\n", "\n"), ("\\t", "\t")):
        if "\\\\" not in text:
            text = text.replace(escape, sign)
    assert parsed(text).tool == Change(**decoder.decode(text))


@pytest.mark.parametrize(
    ("text", "note"),
    [
        ('{"path": "a.py", "old_string": "x", "new_string": "y",}', "dropped a comma"),
        ('{path: "a.py", old_string: "x", new_string: "y"}', "put field names into quotes"),
        ('```json\n{"path": "a.py", "old_string": "x", "new_string": "y"}\n```', "text around"),
        ('I\'ll do:\n{"path": "a.py", "old_string": "x", "new_string": "y"}\nDone.', "text around"),
        (json.dumps(json.dumps(GOOD)), "encoded twice"),
        (json.dumps(json.dumps(json.dumps(GOOD))), "encoded twice"),
        (json.dumps(GOOD) * 2, "written twice"),
        (json.dumps({"name": "change", "arguments": GOOD}), "out of `arguments`"),
        (json.dumps(GOOD | {"line": None}), "left out `line`"),
        ("{'path': 'a.py', 'old_string': 'x', 'new_string': 'y'}", "into double quotes"),
        ('{"path": "a.py", "old_string": "x", "new_string": "y", "line": None}', "read None"),
        (json.dumps(GOOD) + "}", "text around"),
        ("{}" + json.dumps(GOOD), "an empty object"),
        (json.dumps(GOOD) + "\n{}", "an empty object"),
        (json.dumps({"parameters": GOOD}), "out of `parameters`"),
    ],
)
def test_slips_of_syntax_are_mended_and_told(text: str, note: str) -> None:
    found = parsed(text)
    assert found.tool == Change("a.py", "x", "y")
    assert any(note in repair for repair in found.repairs), found.repairs
    assert json.loads(found.arguments) == GOOD


def test_raw_line_breaks_and_stray_backslashes_keep_their_meaning() -> None:
    text = (
        '{"path": "a", "old_string": "one\n\ttwo", "new_string": "\\d+\\.py \\\' \\u00fc \\"q\\""}'
    )
    found = parsed(text)
    assert found.tool == Change("a", "one\n\ttwo", '\\d+\\.py \' ü "q"')


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("one\n\ttwo\r\n", "one\n\ttwo\r\n"),
        ('He said \\"no\\".', 'He said "no".'),
        ("C:\\\\temp", "C:\\temp"),
        ("it's {not} a [bracket], or: a comma", "it's {not} a [bracket], or: a comma"),
    ],
)
def test_a_string_in_arguments_with_slips_holds_what_was_written(written: str, meant: str) -> None:
    found = parsed(f'{{"path": "a", "old_string": "x", "new_string": "{written}",}}')
    assert found.tool == Change("a", "x", meant)


def test_single_quotes_may_hold_double_ones_and_escaped_ones() -> None:
    found = parsed("""{'path': 'a', 'old_string': 'say "x"', 'new_string': 'it\\'s'}""")
    assert found.tool == Change("a", 'say "x"', "it's")


FILES = ['{"name": "shop"}', "[1, 2]", '"text"', "12", "true", "null", '{"a": "{\\"b\\": 1}"}']


@pytest.mark.parametrize("content", FILES)
@pytest.mark.parametrize("slip", ["", ","])
@pytest.mark.parametrize("encodings", [1, 2])
def test_the_content_of_a_json_file_stays_text(content: str, slip: str, encodings: int) -> None:
    text = json.dumps(GOOD | {"new_string": content})[:-1] + slip + "}"
    for _ in range(encodings - 1):
        text = json.dumps(text)
    assert parsed(text).tool == Change("a.py", "x", content)


def test_half_characters_become_replacement_characters() -> None:
    found = parsed('{"path": "\\ud83d", "old_string": "\\ud83d\\ude00", "new_string": ""}')
    assert found.tool == Change("\ufffd", "😀", "")
    found.arguments.encode()
    assert found.repairs


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"path": "say "hi" now"}', "a comma or } was expected"),
        ('{"path": "a"}{"path": "b"}', "several different objects"),
        ('{"path": "a", "path": "b",}', "occurs twice"),
        ('["a.py"]', "one JSON object"),
        ("12", "one JSON object"),
        ("read a.py", "one JSON object"),
        ('"path": "{}"', "must begin with {"),
        ('{"path": "a"}, "old_string": "x"}', "the end was expected"),
        ('{"line": NaN}', "a value was expected"),
        ('{"path": "a', "end inside a string"),
        ('{"path": "a"', "a bracket is not closed"),
        ('{"path": "a"}{"path": "b', "end inside a string"),
        (json.dumps('{"path": "a'), "end inside a string"),
        ('[{"path": "a.py"}]', "one JSON object"),
    ],
)
def test_what_has_no_single_meaning_goes_back(text: str, said: str) -> None:
    found = misfit(text)
    assert said in found.text
    assert found.text.startswith("change: the arguments are not valid JSON: ")
    assert "`path` (a string)" in found.text
    assert found.arguments == "{}"


# Names and types.


@pytest.mark.parametrize(
    "given",
    [
        {"file_path": "a.py", "oldString": "x", "newString": "y"},
        {"filePath": "a.py", "old_str": "x", "new_str": "y"},
        {"filename": "a.py", "oldText": "x", "newText": "y"},
        {"file": "a.py", "search": "x", "replace": "y"},
        {"PATH": "a.py", "old-string": "x", "new_string": "y"},
        {"path": "a.py", "old_string": "x", "new_string": "y", "description": "I change it"},
        {"path": "a.py", "old_string": "x", "new_string": "y", "replace_all": False},
        {"absolute_path": "a.py", "old_content": "x", "replacement": "y"},
        {"target_file": "a.py", "find": "x", "replace_with": "y"},
        {"file-path": "a.py", "Old_String": "x", "new_text": "y", "explanation": "I change it"},
    ],
)
def test_names_of_other_agents_are_understood(given: dict[str, Any]) -> None:
    found = parsed(given)
    assert found.tool == Change("a.py", "x", "y")
    assert found.repairs
    assert list(json.loads(found.arguments))[:3] == ["path", "old_string", "new_string"]


@pytest.mark.parametrize(
    ("given", "lines"),
    [
        ({"start_line": 3, "end_line": 9}, (3, 9)),
        ({"offset": 11, "limit": 5}, (11, 15)),
        ({"offset": 0, "limit": "20"}, (0, 20)),
        ({"limit": 7}, (1, 7)),
    ],
)
def test_a_range_of_lines_is_understood_in_other_words(
    given: dict[str, Any], lines: tuple[int, int]
) -> None:
    found = parsed({"file_path": "a.py"} | given, "show")
    assert found.tool == Show("a.py", *lines)


def test_a_limit_beside_a_last_line_is_unknown() -> None:
    assert "`limit` is unknown" in misfit({"path": "a", "last_line": 4, "limit": 2}, "show").text


def test_an_alias_never_displaces_a_field_that_is_there_or_declared() -> None:
    assert "`file_path` is unknown" in misfit(GOOD | {"file_path": "b.py"}).text
    assert parsed({"pattern": "x", "file": "b"}, "grep").tool == Search("x", ".", "b")
    assert parsed({"query": "x", "filename": "b"}, "grep").tool == Search("x", "b")


@pytest.mark.parametrize(
    ("field", "written", "read"),
    [
        ("line", "200", 200),
        ("line", " 7 ", 7),
        ("line", "100.0", 100),
        ("line", 12.0, 12),
        ("line", "+5", 5),
        ("line", "-3", -3),
        ("count", " one ", "one"),
        ("count", "ALL", "all"),
        ("count", True, "all"),
        ("path", 12, "12"),
        ("new_string", {"a": ["ü"]}, '{\n  "a": [\n    "ü"\n  ]\n}'),
    ],
)
def test_values_take_the_declared_type(field: str, written: Any, read: Any) -> None:
    found = parsed(GOOD | {field: written})
    assert getattr(found.tool, field) == read
    assert any(repair.startswith(f"`{field}`: read ") for repair in found.repairs)
    assert json.loads(found.arguments)[field] == read


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"line": "ten"}, '`line` must be an integer, not "ten"'),
        ({"line": 1.5}, "`line` must be an integer, not 1.5"),
        ({"line": True}, "`line` must be an integer, not true"),
        ({"count": "two"}, '`count` must be one of "all", "one", not "two"'),
        ({"path": None}, "`path` must be a string, not null"),
        ({"colour": "red"}, "the field `colour` is unknown"),
        ({"colour": "red", "size": 1}, "the fields `colour`, `size` are unknown"),
    ],
)
def test_what_does_not_fit_is_named_with_what_would(change: dict[str, Any], said: str) -> None:
    found = misfit(GOOD | change)
    assert found.text.startswith(f"change: {said}")
    assert "Nothing was done." in found.text
    assert '`count` (one of "all", "one", may be left out)' in found.text
    assert json.loads(found.arguments) == GOOD | change


def test_missing_and_unknown_fields_are_named_together() -> None:
    said = "change: the fields `old_string`, `new_string` are missing; the field `x` is unknown."
    assert misfit({"path": "a", "x": 1}).text.startswith(said)
    assert misfit("").text.startswith("change: the fields `path`, `old_string`, `new_string` are")


def test_empty_arguments_suit_a_tool_that_needs_none() -> None:
    assert parsed("", "shell").tool == Shell()
    assert parsed("{}", "shell").repairs == ()


# Tools.


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("Shell", "shell"),
        ("functions.shell", "shell"),
        ("tool:shell", "shell"),
        (" bash ", "shell"),
        ("Bash", "shell"),
        ("run_shell_command", "shell"),
        ("execute_command", "shell"),
        ("TodoWrite", "todo"),
        ("todo_write", "todo"),
        ("search", "grep"),
        ("AskUserQuestion", "ask"),
        ("SHELL", "shell"),
        ("functions.Bash", "shell"),
        ("Functions/shell", "shell"),
        ("tools::shell", "shell"),
        ("default_api.run_command", "shell"),
        ("function:todo-write", "todo"),
        ("functions.functions.grep", "grep"),
    ],
)
def test_names_of_other_agents_tools_are_understood(written: str, name: str) -> None:
    fields = {"shell": {"cmd": "ls"}, "todo": {"todos": "a"}, "ask": {"question": "?"}}
    found = parsed(fields.get(name, {"query": "x"}), written)
    assert found.name == found.tool.name == name
    assert f"took `{written}` as `{name}`" in found.repairs


def test_an_alias_for_a_tool_that_is_not_offered_is_unknown() -> None:
    assert "There is no tool `read_file`" in misfit("{}", "read_file").text


@pytest.mark.parametrize(
    ("written", "nearest"),
    [
        ("grepp", "grep"),
        ("changes_file", "change"),
        ("shel", "shell"),
        ("execute_shell", "shell"),
        ("toolbox.web.change", "change"),
    ],
)
def test_an_unknown_tool_is_answered_with_the_names_nearest_first(
    written: str, nearest: str
) -> None:
    found = misfit('{"a": 1}', written)
    assert f"There is no tool `{written}`. The tools are: {nearest}, " in found.text
    for tool in TOOLS:
        assert tool.name in found.text
    assert (found.name, found.arguments) == (written, '{"a": 1}')


def test_a_list_where_a_string_is_declared_becomes_text_that_the_tool_reads() -> None:
    rows = [{"content": "find it", "status": "completed"}]
    tool = parsed({"todos": rows}, "TodoWrite").tool
    assert isinstance(tool, Todo)
    assert json.loads(tool.items) == rows
