"""Trust is about one content, to the byte: nothing else is ever trusted."""

from hypothesis import given
from hypothesis import strategies as st

from qcode.permission.trust import BECAUSE, Change, Material, Standing, patch, standing

HASHES = st.sampled_from(["a" * 64, "b" * 64, "c" * 64])
PATHS = st.sampled_from([".qcode/config.toml", ".qcode/hooks/a", ".qcode/b", ".qcode"])
MATERIALS = st.dictionaries(PATHS, HASHES, max_size=4).map(Material)
ONE = Material({".qcode/config.toml": "a" * 64})


@given(MATERIALS, st.none() | MATERIALS, st.none() | MATERIALS)
def test_only_what_was_trusted_as_it_is_counts(
    now: Material, trusted: Material | None, declined: Material | None
) -> None:
    found = standing(now, trusted, declined.digest if declined else "")
    assert found.counts == (trusted == now and bool(now.files))
    assert (found.state == "nothing") == (not now.files)
    assert found.counts or found.state == "nothing" or BECAUSE[found.state]


@given(MATERIALS, MATERIALS)
def test_two_contents_hash_alike_only_if_they_are_the_same(one: Material, two: Material) -> None:
    assert (one.digest == two.digest) == (dict(one.files) == dict(two.files))


@given(st.text(min_size=1), st.text(min_size=1))
def test_a_name_cannot_pass_for_two(one: str, two: str) -> None:
    """Whatever stands in it, line ends and digits among it."""
    both = Material({one: "a" * 64, two: "a" * 64})
    joined = Material({f"{one}{'a' * 64}{two}": "a" * 64, f"{one} {'a' * 64}\n": "a" * 64})
    assert both.digest != joined.digest


def test_a_change_names_each_file() -> None:
    now = Material({".qcode/config.toml": "b" * 64, ".qcode/new": "a" * 64})
    was = Material({".qcode/config.toml": "a" * 64, ".qcode/old": "a" * 64})
    assert standing(now, was) == Standing(
        "changed",
        (
            Change(".qcode/config.toml", "changed"),
            Change(".qcode/new", "added"),
            Change(".qcode/old", "removed"),
        ),
    )


def test_a_no_is_about_that_content_alone() -> None:
    assert standing(ONE, None, ONE.digest).state == "declined"
    other = Material({".qcode/config.toml": "b" * 64})
    assert standing(other, None, ONE.digest).state == "untrusted"
    assert standing(other, ONE, other.digest).state == "declined"


def test_a_yes_beats_a_no_that_was_said_of_the_same() -> None:
    assert standing(ONE, ONE, ONE.digest).counts


def test_a_patch_shows_what_came_and_went() -> None:
    assert patch("a", "x\ny\n", "x\nz\n") == (
        *("--- a/a", "+++ b/a", "@@ -1,2 +1,2 @@", " x", "-y", "+z"),
    )
    assert patch("a", None, "x\n") == ("--- /dev/null", "+++ b/a", "@@ -0,0 +1 @@", "+x")
    assert patch("a", "x\n", None) == ("--- a/a", "+++ /dev/null", "@@ -1 +0,0 @@", "-x")


@given(st.text("ab\n"), st.text("ab\n"))
def test_no_change_of_a_text_is_left_out_of_its_patch(was: str, now: str) -> None:
    assert bool(patch("a", was, now)) == (was != now)
