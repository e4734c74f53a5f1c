"""What the README quotes is what qcode prints. Renew it: python -m tests.house.readme"""

import sys

import pytest

from tests.house.readme import README, renewed


@pytest.mark.skipif(
    sys.version_info >= (3, 13), reason="argparse of 3.13 sets short and long flags differently"
)
def test_the_readme_quotes_what_qcode_prints() -> None:
    text = README.read_text(encoding="utf-8")
    assert renewed(text) == text, "python -m tests.house.readme renews it"
