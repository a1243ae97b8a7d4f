"""A newcomer's first mistakes, made for real: what docs/mistakes.md says of each is what is said."""

import pytest

from tests.support.mistakes import MISTAKES, PAGE, row


@pytest.mark.parametrize(
    "mistake",
    [pytest.param(each, id=each.name, marks=[pytest.mark.slow] if each.slow else []) for each in MISTAKES],
)
def test_the_page_of_mistakes_tells_what_is_said(mistake, tmp_path):
    """Message and exit code; `python -m tests.support.mistakes > docs/mistakes.md` renews them."""
    said = mistake.make(tmp_path)
    assert said.code in (1, 2, 130)
    assert "Traceback" not in said.words
    assert row(mistake, said) in PAGE.read_text(encoding="utf-8")
