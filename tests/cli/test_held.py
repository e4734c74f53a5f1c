"""What the lists of the app know of the settings."""

from pathlib import Path

from qcode.cli.held import held
from qcode.config.load import Sources, load


def test_a_profile_stands_with_the_address_that_it_leads_to(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text(
        '[server]\nbase_url = "http://127.0.0.1:8080/v1"\n'
        '[profiles.big]\nbase_url = "http://127.0.0.1:9000/v1"\n'
        '[profiles.careful]\nthinking = "high"\n'
    )
    found = held(load(Sources(file, None, {}, {})), ())
    assert found.base_url == "http://127.0.0.1:8080/v1"
    assert found.addresses == {
        "big": "http://127.0.0.1:9000/v1",
        "careful": "http://127.0.0.1:8080/v1",
    }
