"""Where paths lead, and what cannot be read."""

import os
import socket
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qcode.workspace.files import WHOLE_BYTES, Workspace, digest_now, load
from qcode.workspace.places import PROTECTED
from qcode.workspace.trouble import FileTrouble, IsFolder, Missing


@pytest.fixture
def space(tmp_path: Path) -> Workspace:
    for folder in ("root/src", "rootless", "extra", "out"):
        (tmp_path / folder).mkdir(parents=True)
    return Workspace(tmp_path / "root", (tmp_path / "extra",))


@pytest.mark.parametrize(
    ("path", "shown", "place"),
    [
        ("src/a.py", "src/a.py", "workspace"),
        ("./src//../b.py", "b.py", "workspace"),
        ("", ".", "workspace"),
        (".", ".", "workspace"),
        (".git/config", ".git/config", "protected"),
        (".GIT/hooks/pre-commit", ".GIT/hooks/pre-commit", "protected"),
        (".g\u200cit/config", ".g\u200cit/config", "protected"),
        ("src/.vscode/tasks.json", "src/.vscode/tasks.json", "protected"),
        (".github/workflows/ci.yml", ".github/workflows/ci.yml", "protected"),
        (".local/state/qcode/projects/a", ".local/state/qcode/projects/a", "protected"),
        (".config/qcode/config.toml", ".config/qcode/config.toml", "protected"),
        (".github/CODEOWNERS", ".github/CODEOWNERS", "workspace"),
        (".gitignore", ".gitignore", "workspace"),
        ("AGENTS.md", "AGENTS.md", "workspace"),
    ],
)
def test_a_path_inside_is_shown_from_the_root(
    space: Workspace, path: str, shown: str, place: str
) -> None:
    located = space.resolve(path)
    assert (located.shown, located.place) == (shown, place)
    assert located.path == space.root / shown


def test_every_protected_name_is_protected_at_any_depth(space: Workspace) -> None:
    for name in PROTECTED:
        for path in (name, f"src/{name}", f"{name}/inside", f"{name.upper()}. "):
            assert space.resolve(path).place == "protected", path
        assert space.resolve(f"{name}-like").place == "workspace"


def test_paths_outside_are_outside(space: Workspace, home: Path) -> None:
    for path in ("..", "../rootless/a", "/etc/passwd", "src/../../out/a", "~/a", "~"):
        located = space.resolve(path)
        assert located.place == "outside", path
        assert located.shown == str(located.path)
    assert space.resolve("~/a").path == Path(os.path.realpath(home)) / "a"
    assert space.resolve("../extra/a").place == "workspace"


def test_links_count_where_they_lead(space: Workspace, tmp_path: Path) -> None:
    (space.root / "away").symlink_to(tmp_path / "out")
    (space.root / "near").symlink_to("src")
    (space.root / "plain").mkdir()
    (space.root / ".git").symlink_to("plain")
    (space.root / "innocent").symlink_to(".claude")
    (space.root / "loop").symlink_to("loop")
    assert space.resolve("away/a").place == "outside"
    assert space.resolve("near/a").shown == "src/a"
    assert space.resolve("near/../b").shown == "b"
    assert space.resolve("away/../b").place == "outside"  # `..` of the folder that it leads to
    assert space.resolve(".git/config").place == "protected"
    assert space.resolve("innocent/settings.json").place == "protected"
    space.resolve("loop/a")


@given(st.lists(st.sampled_from(["..", ".", "src", "away", "near", "~", "", "a b"]), max_size=6))
def test_what_is_called_workspace_lies_in_it(
    tmp_path_factory: pytest.TempPathFactory, parts: list[str]
) -> None:
    base = tmp_path_factory.getbasetemp() / "law"
    (base / "root/src").mkdir(parents=True, exist_ok=True)
    (base / "root/x").mkdir(exist_ok=True)
    for name, to in (("away", base), ("near", base / "root/src")):
        if not (base / "root" / name).is_symlink():
            (base / "root" / name).symlink_to(to)
    space = Workspace(base / "root")
    located = space.resolve("/".join(parts))
    inside = Path(os.path.realpath(located.path)).is_relative_to(space.root)
    assert inside == (located.place == "workspace")


@given(st.text(max_size=30))
def test_no_path_makes_resolving_fail(text: str) -> None:
    located = Workspace(Path("/tmp")).resolve(text)
    located.shown.encode()


def test_a_name_that_cannot_be_is_a_sentence(space: Workspace) -> None:
    located = space.resolve("a\x00b")
    assert located.place == "outside"
    with pytest.raises(FileTrouble, match="no file name can have"):
        load(located)


def test_what_is_no_file_is_said_so(space: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    os.mkfifo(space.root / "pipe")
    with pytest.raises(IsFolder, match="src is a folder"):
        load(space.resolve("src"))
    with pytest.raises(Missing, match="nope does not exist"):
        load(space.resolve("nope"))
    with pytest.raises(FileTrouble, match="no ordinary file"):
        load(space.resolve("pipe"))  # and does not wait for a writer
    with pytest.raises(FileTrouble, match="no ordinary file"):
        load(space.resolve("/dev/zero"))
    (space.root / "file").write_text("")
    with pytest.raises(FileTrouble, match="part of this path is a file"):
        load(space.resolve("file/a"))
    with socket.socket(socket.AF_UNIX) as door:
        monkeypatch.chdir(space.root)  # the path of a socket must be short
        door.bind("door")
        with pytest.raises(FileTrouble):
            load(space.resolve("door"))


def test_a_file_too_large_is_not_loaded(space: Workspace) -> None:
    with (space.root / "huge").open("wb") as file:
        file.truncate(2 * 1024**3)
    with pytest.raises(FileTrouble, match="2,147,483,648 bytes"):
        load(space.resolve("huge"))
    assert digest_now(space.resolve("huge")).startswith("large:")


def test_a_file_of_unknown_size_is_read_to_its_end(space: Workspace) -> None:
    assert load(space.resolve("/proc/self/status")).data.startswith(b"Name:")


def test_a_link_put_in_the_way_is_not_followed(space: Workspace, tmp_path: Path) -> None:
    (space.root / "a").write_text("mine")
    (tmp_path / "out/secret").write_text("secret")
    located = space.resolve("a")
    (space.root / "a").unlink()
    (space.root / "a").symlink_to(tmp_path / "out/secret")
    with pytest.raises(FileTrouble, match="symbolic link"):
        load(located)


def test_the_digest_follows_the_bytes(space: Workspace) -> None:
    file = space.root / "a"
    file.write_bytes(b"x" * 100)
    first = load(space.resolve("a")).digest
    assert digest_now(space.resolve("a")) == first
    file.write_bytes(b"x" * 99 + b"y")
    assert digest_now(space.resolve("a")) != first
    assert WHOLE_BYTES > 100
