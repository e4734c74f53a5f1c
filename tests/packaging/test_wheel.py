"""The wheel holds everything that runs, and nothing that does not."""

import zipfile

import pytest

from tests.packaging.wheels import ROOT, build_wheel


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    return zipfile.ZipFile(build_wheel(tmp_path_factory.mktemp("wheel")))


@pytest.mark.parametrize(
    "name",
    [
        *(f"qcode/themes/{path.name}" for path in (ROOT / "themes").glob("*.toml")),
        "qcode/server/data/qwen.tiktoken",
        "qcode/py.typed",
        "qcode/cli/main.py",
        "qcode/demo/playback.py",
    ],
)
def test_the_wheel_holds_what_the_checkout_has(wheel: zipfile.ZipFile, name: str) -> None:
    source = ROOT / (name.removeprefix("qcode/") if "/themes/" in name else name)
    assert wheel.read(name) == source.read_bytes()


def test_licence_and_notice_are_in_the_wheel(wheel: zipfile.ZipFile) -> None:
    for name in ("LICENSE", "NOTICE"):
        (inside,) = [each for each in wheel.namelist() if each.endswith(f"/licenses/{name}")]
        assert wheel.read(inside) == (ROOT / name).read_bytes()


def test_every_module_of_the_package_is_in_the_wheel(wheel: zipfile.ZipFile) -> None:
    # Markdown too: a tool's longer description lies beside its module.
    found = [path for kind in ("*.py", "*.md") for path in (ROOT / "qcode").rglob(kind)]
    assert len(found) > 20
    assert {path.relative_to(ROOT).as_posix() for path in found} <= set(wheel.namelist())


def test_nothing_else_is_in_the_wheel(wheel: zipfile.ZipFile) -> None:
    tops = {name.split("/")[0] for name in wheel.namelist()}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"qcode"}
    assert not [name for name in wheel.namelist() if name.endswith((".pyc", "/.DS_Store"))]


def test_the_command_is_declared(wheel: zipfile.ZipFile) -> None:
    (entry_points,) = [name for name in wheel.namelist() if name.endswith("entry_points.txt")]
    assert "qcode = qcode.cli.main:main" in wheel.read(entry_points).decode()
