"""Every example of docs/data.md is a study that prepares, from files made here."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from hpsearch.fit import prepare_study
from hpsearch.spec import load_study

PAGE = Path(__file__).parents[2] / "docs" / "data.md"
EXAMPLES = re.findall(
    r"<!-- example: (\S+) -->\n```yaml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL
)
RANDOM = np.random.default_rng(0)
SHAPES = {
    "houses": (2,),
    "pets": (32, 32, 3),
    "labelled": (8, 8, 3),
    "waves": (12, 1),
    "rides": (6, 2),
    "reviews": (4,),
    "sales": (7, 1),
}


def table(path, **columns):
    pd.DataFrame(columns).to_csv(path, index=False)


def make(base):
    count = 40
    y = np.arange(count) % 2
    table(base / "houses.csv", area=RANDOM.normal(size=count), rooms=RANDOM.normal(size=count), price=1.5 * y)
    for i, label in enumerate(np.array(["cat", "dog"])[y]):
        (base / "pets" / label).mkdir(parents=True, exist_ok=True)
        picture = Image.fromarray(RANDOM.integers(0, 256, (8, 8, 3), dtype=np.uint8))
        picture.save(base / "pets" / label / f"{i}.png")
    files = sorted(str(f.relative_to(base)) for f in base.rglob("*.png"))
    table(base / "pets.csv", file=files, label=[file.split("/")[1] for file in files])
    lines = [",".join(f"{v:.3f}" for v in RANDOM.normal(size=12)) + f":{label}\n" for label in y]
    for part in ("TRAIN", "TEST"):
        head = "@problemName Waves\n@univariate true\n@classLabel true 0 1\n@data\n"
        (base / f"Waves_{part}.ts").write_text(head + "".join(lines))
    rides = [
        (r, s, RANDOM.normal(), RANDOM.normal(), "calm" if r % 2 else "wild")
        for r in range(count)
        for s in range(2 + r % 5)
    ]
    pd.DataFrame(rides, columns=["ride", "second", "speed", "slope", "mood"]).to_csv(
        base / "rides.csv", index=False
    )
    table(base / "reviews.csv", review=[f"it was {'good' if i else 'bad'}!" for i in y], stars=y * 4 + 1)
    days = pd.date_range("2024-01-01", periods=120).strftime("%Y-%m-%d")
    table(base / "sales.csv", day=days, sold=np.sin(np.arange(120)))


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
