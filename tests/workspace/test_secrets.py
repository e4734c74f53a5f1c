"""Keys, and what qcode keeps of its own: known wherever a path leads, left out of searches."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qcode.workspace.files import Workspace
from qcode.workspace.ignore import Bounds
from qcode.workspace.search import Sieve, find, nearest
from qcode.workspace.secrets import Secrets


@pytest.fixture
def space(tmp_path: Path) -> Workspace:
    for folder in ("root/src", "home/.ssh", "home/notes"):
        (tmp_path / folder).mkdir(parents=True)
    real = os.path.realpath(tmp_path)
    secrets = Secrets.of([f"{real}/home/.ssh", f"{real}/home/.netrc", f"{real}/root/state"])
    return Workspace(tmp_path / "root", secrets=secrets)


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ("../home/.ssh", "secret"),
        ("../home/.ssh/id", "secret"),
        ("../home/notes/../.ssh/config", "secret"),
        ("../home/.SSH/id", "secret"),
        ("../home/.netrc", "secret"),
        ("state/x", "secret"),
        ("../home/.netrc2", "outside"),
        ("../home/.ssh-notes/a", "outside"),
        ("../home", "outside"),
        ("states/x", "workspace"),
        ("src/.ssh/id", "protected"),
    ],
)
def test_a_place_is_known_by_its_components(space: Workspace, path: str, place: str) -> None:
    assert space.resolve(path).place == place


def test_a_link_is_what_it_leads_to_and_what_it_is_called(space: Workspace) -> None:
    home = space.root.parent / "home"
    (space.root / "harmless").symlink_to(home / ".ssh")
    (home / ".netrc").symlink_to(home / "notes")
    assert space.resolve("harmless/id").place == "secret"
    assert space.resolve("../home/.netrc").place == "secret"


def test_who_works_in_such_a_place_sees_what_is_there(tmp_path: Path) -> None:
    real = Path(os.path.realpath(tmp_path))
    space = Workspace(real / "own/work", (real / "own/spill",), secrets=Secrets.of([f"{real}/own"]))
    assert space.resolve("a.py").place == "workspace"
    assert space.resolve("../spill/long").place == "workspace"
    assert space.resolve("../sessions/s").place == "secret"


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="no /proc here")
def test_what_a_process_was_told_is_a_secret_and_the_system_is_none(space: Workspace) -> None:
    for path in ("/proc/self/environ", f"/proc/{os.getpid()}/mem", "/proc/thread-self/environ"):
        assert space.resolve(path).place == "secret", path
    for path in (f"/proc/{os.getpid()}/network", f"/proc/{os.getpid()}/net/../environ"):
        assert space.resolve(path).place == "secret", path
    for path in ("/proc/version", "/proc/cpuinfo", "/proc/sys/kernel/ostype", "/proc/mounts"):
        assert space.resolve(path).place == "outside", path
    for path in ("/proc/net", "/proc/net/tcp"):
        assert space.resolve(path).place == "outside", path


def test_searches_pass_over_them_and_find_their_neighbours(space: Workspace) -> None:
    home = space.root.parent / "home"
    for name in (".ssh/id", ".netrc", ".netrc2", "notes/a"):
        (home / name).write_text("x")
    base = Path(os.path.realpath(home))
    found = find(base, space.bounds, "**/*", 100)
    assert found == [f"{base}/.netrc2", f"{base}/notes/a"]
    sieve = Sieve(base, space.bounds)
    assert [
        name for name in (".ssh/id", ".netrc", ".netrc2") if sieve.passes(f"{base}/{name}")
    ] == [".netrc2"]


@pytest.mark.parametrize(
    ("bounds", "hidden"),
    [
        (Bounds(Path("/"), ("keys",)), ("keys/*", "keys/old/*", "k*/*", "**/a")),
        (Bounds(Path("/"), ("**/keys/**",)), ("keys/*", "keys/old/*")),
        (Bounds(Path("/"), closed=("**/keys/**",)), ("keys/*", "keys/old/*", "**/a")),
        (Bounds(Path("/"), closed=("keys",)), ("keys/*", "keys/old/*")),
    ],
)
def test_a_pattern_that_begins_within_is_no_way_in(
    tmp_path: Path, bounds: Bounds, hidden: tuple[str, ...]
) -> None:
    base = Path(os.path.realpath(tmp_path))
    (base / "keys/old").mkdir(parents=True)
    for name in ("keys/a", "keys/old/a", "b"):
        (base / name).write_text("x")
    secret = Bounds(base, secrets=Secrets.of([f"{base}/keys"]))
    for pattern in hidden:
        assert find(base, bounds, pattern, 10) == [], pattern
        assert find(base, secret, pattern, 10) == [], pattern
    assert find(base, bounds, "*", 10) == [f"{base}/b"]
    assert find(base / "keys", secret, "*", 10) == [f"{base}/keys/a", f"{base}/keys/old/a"]


PART = st.sampled_from([".ssh", ".SSH", "a", "own", ".", "", "x.y"])


@given(st.lists(PART, max_size=6), st.lists(PART, max_size=3))
def test_what_lies_below_a_place_lies_in_it(parts: list[str], more: list[str]) -> None:
    folder = "/" + "/".join(part for part in parts if part not in ("", "."))
    secrets = Secrets.of(["/a/.ssh", "/own"])
    place = secrets.around(folder, ())
    below = "/".join([folder.rstrip("/"), *(part for part in more if part not in ("", "."))])
    assert not place or secrets.around(below, ()) == place
    assert bool(place) == any(
        f"{folder}/".casefold().startswith(f"{one}/") for one in ("/a/.ssh", "/own")
    )


@pytest.mark.parametrize(
    ("worked", "added"),
    [("own", ""), ("own/work", ""), ("other", "own"), ("other", "own/work")],
)
def test_own_settings_stay_protected_where_they_are_worked_in(
    tmp_path: Path, worked: str, added: str
) -> None:
    real = Path(os.path.realpath(tmp_path))
    (real / "own/work").mkdir(parents=True)
    (real / "called").symlink_to("own")
    secrets = Secrets.of([f"{real}/own", f"{real}/keys"], [real / "called"])
    extra = (real / added,) if added else ()
    space = Workspace(real / worked, extra, secrets=secrets)
    file = real / (added or worked) / "config.toml"
    assert space.resolve(str(file)).place == "protected"
    assert Workspace(real / "keys", secrets=secrets).resolve("a").place == "workspace"


def test_a_missing_file_brings_no_name_that_searches_hide(tmp_path: Path) -> None:
    base = Path(os.path.realpath(tmp_path))
    for name in ("closed/plan.txt", "keys/plan.txt", "plans.txt", "plan1.txt"):
        (base / name).parent.mkdir(exist_ok=True)
        (base / name).write_text("x")
    secrets = Secrets.of([f"{base}/keys", f"{base}/plan1.txt"])
    bounds = Bounds(base, secrets=secrets, closed=(f"{base}/closed/**",))
    assert nearest(bounds, base / "plan.txt") == ["plans.txt"]
    assert nearest(bounds, base / "keys/plan2.txt") == []
    assert nearest(Bounds(base / "work", secrets=secrets), base / "plan2.txt") == [
        f"{base}/plans.txt"
    ]
