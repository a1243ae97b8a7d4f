"""Every example of docs/data.md is a study that prepares, from files made here."""

import re
from pathlib import Path

import pytest

from hpsearch.fit import prepare_study
from hpsearch.spec import load_study
from tests.support.documents import make

PAGE = Path(__file__).parents[2] / "docs" / "data.md"
EXAMPLES = re.findall(
    r"<!-- example: (\S+) -->\n```yaml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL
)
SHAPES = {
    "houses": (20,),
    "pets": (32, 32, 3),
    "labelled": (8, 8, 3),
    "waves": (12, 1),
    "rides": (6, 2),
    "reviews": (4,),
    "sales": (7, 1),
}


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    made = tmp_path_factory.mktemp("examples")
    make(made)
    return made


@pytest.mark.parametrize("example", EXAMPLES, ids=[source for source, _ in EXAMPLES])
def test_every_example_prepares(base, example):
    source, text = example
    assert source in text
    (base / "study.yaml").write_text(text, encoding="utf-8")
    spec = load_study(base / "study.yaml", ())
    data = prepare_study(spec)
    assert data.training.train.shape == SHAPES[spec.study]


def test_every_kind_has_its_example():
    assert {re.search(r"study: (\w+)", text)[1] for _, text in EXAMPLES} == SHAPES.keys()
