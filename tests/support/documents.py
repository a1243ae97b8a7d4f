"""The files that the studies in the documents name, made small, and what the documents show of studies."""

import re
from contextlib import chdir

import numpy as np
import pandas as pd
import yaml
from PIL import Image

RANDOM = np.random.default_rng(0)


def blocks(page, language):
    """The blocks of one language on a page."""
    return re.findall(rf"```{language}\n(.*?)```", page.read_text(encoding="utf-8"), flags=re.DOTALL)


def studies(page):
    """Every study of a page; a piece of one is put into a study that has the rest."""
    found = []
    for block in blocks(page, "yaml"):
        piece = yaml.safe_load(block)
        head = "" if "data" in piece else "data: {source: sklearn/digits}\n"
        found.append(block if "study" in piece else f"study: x\n{head}{block}")
    return found


def table(path, **columns):
    """Write a CSV file."""
    pd.DataFrame(columns).to_csv(path, index=False)


def make(base):
    """Write all of them into a directory."""
    count = 40
    y = np.arange(count) % 2
    table(
        base / "houses.csv",
        area=RANDOM.uniform(50, 200, count),
        rooms=RANDOM.integers(1, 6, count),
        street=[f"street {i % 9}" for i in range(count)],
        town=[f"town {i % 4}" for i in range(count)],
        built=pd.date_range("1990-01-01", periods=count, freq="300D").strftime("%Y-%m-%d"),
        price=1.5 * y + 1,
    )
    mixes = pd.DataFrame(RANDOM.normal(size=(1030, 8)), columns=[f"part_{i}" for i in range(8)])
    mixes.assign(compressive_strength=mixes.sum(axis=1)).to_csv(base / "concrete.csv", index=False)
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


def run_python_of(page, base):
    """Run the Python examples of a page in a directory."""
    with chdir(base):
        for block in blocks(page, "python"):
            exec(compile(block, str(page), "exec"), {})
