"""From what stands on the ground to what is mounted, and in which order."""

import os
import tempfile
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from qcode.sandbox import placeholders
from qcode.sandbox.ground import Ground
from qcode.sandbox.guarded import workspace
from qcode.sandbox.names import NAMES
from qcode.sandbox.plan import Plan, plan
from qcode.sandbox.protecting import protection
from qcode.sandbox.sockets import named
from tests.sandbox.fences import outside_tmp

PARTS = st.sampled_from([".git", "hooks", "config", ".github", "workflows", ".vscode", "a"])
PATHS = st.lists(st.lists(PARTS, min_size=1, max_size=3).map("/".join), max_size=6)


def kinds(made: Plan, root: Path) -> dict[str, str]:
    """Those below `root`."""
    return {
        str(Path(place.path).relative_to(root)): place.kind
        for place in made.places
        if Path(place.path).is_relative_to(root)
    }


def test_what_is_there_is_read_only_and_its_parents_stay_where_they_are(tmp_path: Path) -> None:
    (tmp_path / ".git/hooks").mkdir(parents=True)
    (tmp_path / ".git/config").touch()
    made = plan(Ground((tmp_path,), Path("/nowhere")), tmp_path / "t", ())
    found = kinds(made, tmp_path)
    assert found["."] == "write"
    assert found[".git"] == "pin"
    assert found[".git/hooks"] == found[".git/config"] == found[".git/commondir"] == "read"
    assert found[".github"] == found[".mcp.json"] == "stand"
    ((_, missing),) = made.missing
    assert ".git/commondir" in missing
    assert ".github" in missing
    assert ".git/hooks" not in missing


def test_what_another_qcode_placed_is_a_stand_in_here_too(tmp_path: Path) -> None:
    """And what has its name, but not its marks, is shown as it is."""
    held = placeholders.hold(tmp_path)
    placeholders.place(held, (".mcp.json", ".git"))
    os.close(held)
    (tmp_path / ".vscode").mkdir()
    found = kinds(plan(Ground((tmp_path,), Path("/nowhere")), tmp_path / "t", ()), tmp_path)
    assert found[".mcp.json"] == found[".git"] == "stand"
    assert found[".vscode"] == "read"
    (tmp_path / ".git").chmod(0o755)
    (tmp_path / ".git/HEAD").touch()
    found = kinds(plan(Ground((tmp_path,), Path("/nowhere")), tmp_path / "t", ()), tmp_path)
    assert found[".git"] == "pin"


@given(paths=PATHS)
def test_every_name_is_read_only_or_hidden_or_lies_in_what_is(paths: list[str]) -> None:
    with tempfile.TemporaryDirectory() as name:
        root = Path(name).resolve()
        for path in paths:
            (root / path).mkdir(parents=True, exist_ok=True)
        found = protection(workspace(root, Path("/nowhere")))
        closed = {place.path for place in found.places if place.kind != "pin"}
        closed |= {f"{root}/{missing}" for missing in found.missing}
        pinned = {place.path for place in found.places if place.kind == "pin"}
        for it in map(root.joinpath, NAMES):
            around = [str(parent) for parent in (it, *it.parents) if parent.is_relative_to(root)]
            below = [path for path in around if path in closed]
            assert below
            first = around.index(below[0])
            assert all(path in pinned or path in closed for path in around[first:-1])


def test_parents_come_before_what_lies_in_them(tmp_path: Path) -> None:
    home = tmp_path / "home"
    workspace = home / "state" / "here"
    workspace.mkdir(parents=True)
    (home / ".ssh").mkdir()
    made = plan(Ground((workspace,), home, own=(home / "state",)), tmp_path, ())
    paths = [place.path.split("/") for place in made.places]
    assert paths == sorted(paths)


def test_a_workspace_in_what_is_hidden_is_there_all_the_same(tmp_path: Path) -> None:
    with outside_tmp() as base:
        state = base / "state"
        workspace = state / "here"
        workspace.mkdir(parents=True)
        made = plan(Ground((workspace,), Path("/nowhere"), own=(state,)), tmp_path, ())
        found = kinds(made, base)
    assert found["state"] == "hollow"
    assert found["state/here"] == "write"


def test_sockets_are_found_in_variables() -> None:
    assert named({"SSH_AUTH_SOCK": "/a/b", "TMUX": "/t/d,123,0"}) == (Path("/a/b"), Path("/t/d"))
    assert named({"DOCKER_HOST": "unix:///d.sock"}) == (Path("/d.sock"),)
    assert named({"DBUS_SESSION_BUS_ADDRESS": "unix:path=/x/bus,guid=1"}) == (Path("/x/bus"),)
    assert named({"DOCKER_HOST": "tcp://127.0.0.1:2375", "SSH_AUTH_SOCK": ""}) == ()
