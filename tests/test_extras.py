"""What `pip install 'hpsearch[...]'` adds: all of it by `all`, each by the name that docs and messages say."""

import tomllib
from pathlib import Path

import pytest

from hpsearch.upkeep.examination import _EXTRAS

ROOT = Path(__file__).parents[1]
EXTRAS = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
OTHERS = sorted(EXTRAS.keys() - {"all"})


def test_all_is_every_other():
    assert EXTRAS["all"] == [f"hpsearch[{','.join(OTHERS)}]"]


def test_doctor_looks_for_each():
    assert sorted(_EXTRAS) == OTHERS


@pytest.mark.parametrize("extra", OTHERS)
def test_docs_name_it(extra):
    """With the command that installs it."""
    pages = "".join(page.read_text(encoding="utf-8") for page in (ROOT / "docs").glob("*.md"))
    assert f"pip install 'hpsearch[{extra}]'" in pages
