"""What a file of a repository is, by its path alone: code, a test, or what steers the tests."""

import re
from pathlib import PurePosixPath

PYTHON = frozenset({".py"})
OTHER_CODE = frozenset(
    {
        *(".js", ".jsx", ".mjs", ".cjs", ".ts", ".tsx", ".rs", ".go", ".java", ".kt", ".scala"),
        *(".c", ".h", ".cc", ".cpp", ".cxx", ".hh", ".hpp", ".cs", ".rb", ".php", ".swift"),
    }
)

_TEST_FOLDERS = frozenset({"test", "tests", "__tests__", "spec", "specs", "testdata", "testing"})
_TEST_NAME = re.compile(
    r"(^test_.*|.*_tests?|^tests?|^conftest|.*[.-](test|spec)|.*_spec|.*Tests?|.*Spec)$"
)
_STEERING = frozenset(
    {
        *("pytest.ini", "pyproject.toml", "setup.cfg", "tox.ini", "noxfile.py", ".coveragerc"),
        *("package.json", ".mocharc.json", ".mocharc.yml", ".npmrc", "Makefile", "makefile"),
        *("GNUmakefile", "build.rs", ".cargo/config.toml", "go.work"),
        # the root is on Python's path when tests run: these would stand before the real ones
        *("pytest.py", "unittest.py", "sitecustomize.py", "usercustomize.py", "_pytest.py"),
    }
)
_STEERING_NAME = re.compile(r"^(jest|vitest|karma|ava|babel|vite|playwright)\.config\.\w+$")
_STEERING_FOLDERS = frozenset({"_pytest", "pytest", "unittest", ".cargo", ".github"})


def is_test(path: str) -> bool:
    """A test, or what belongs to tests."""
    it = PurePosixPath(path)
    stem = it.name.split(".")[0] if it.suffix in PYTHON else it.stem
    return bool(_TEST_FOLDERS & set(it.parts[:-1])) or bool(_TEST_NAME.match(stem))


def steers_tests(path: str) -> bool:
    """Something that decides which tests run, and what becomes of their result."""
    it = PurePosixPath(path)
    top = it.parts[1:] if it.parts[0] == "src" else it.parts  # both are on Python's path
    return (
        it.name in _STEERING
        or bool(_STEERING_NAME.match(it.name))
        or bool(_STEERING_FOLDERS & set(top[:1]))
        or it.suffix == ".pth"
    )


def is_code(path: str) -> bool:
    """Something that could be mended, and is no test."""
    suffix = PurePosixPath(path).suffix
    return suffix in PYTHON | OTHER_CODE and not is_test(path) and not steers_tests(path)


def is_protected(path: str) -> bool:
    """What an agent may not win by."""
    return is_test(path) or steers_tests(path)
