"""Examples in Python run as they stand, with fewer trials: docs/python.md, api.md, faq.md; and types are strict."""

import subprocess
import sys
from contextlib import chdir
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.support.documents import blocks
from tests.support.studies import run_quick

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
FEWER = {'"trials": 30': '"trials": 2', "trials=50": "trials=2", "epochs=50": "epochs=2"}
DIGITS = """
study: digits
data: {source: sklearn/digits}
space: {epochs: 1, batch_size: 64, learning_rate: 0.01, optimizer: [sgd, adam], l2: [0, 1e-4],
  dropout: {min: 0.0, max: 0.5}}
budget: {trials: 20}
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A directory whose store has the study that the pages speak of."""
    directory = tmp_path_factory.mktemp("page")
    run_quick(directory / "mlruns", DIGITS)
    return directory


def names():
    """What the pages take as given."""
    random = np.random.default_rng(0)
    features = random.normal(size=(60, 4))
    rows = random.integers(0, 17, size=(5, 64)).astype(float)
    return {"X": features, "y": features @ [1.0, 2.0, 0.0, -1.0], "rows": rows, "inputs": rows}


@pytest.mark.parametrize(
    ("page", "number"), [("python.md", 0), ("python.md", 1), ("api.md", 0), ("faq.md", 0)]
)
def test_examples_run(place, page, number):
    with pd.option_context("plotting.backend", "plotly"):  # matplotlib need not be here
        _run(blocks(DOCS / page, "python")[number], place, names())


def test_the_same_network_trains_elsewhere(place):
    torch = pytest.importorskip("torch")
    from hpsearch import best_params

    best = best_params("digits", store=place / "mlruns")
    given = {"best": best, "x": torch.rand(40, 64), "y": torch.randint(10, (40,))}
    assert len(_run(blocks(DOCS / "python.md", "python")[2], place, given)["losses"]) == best.epochs


def test_estimators_of_the_page_learn(place):
    labelled = {**names(), "y": np.repeat([0, 1, 2], 20)}
    _run(blocks(DOCS / "python.md", "python")[3], place, labelled)


def test_no_example_is_left_out():
    assert [len(blocks(DOCS / page, "python")) for page in ("python.md", "api.md", "faq.md")] == [4, 1, 1]


def _run(block, place, given):
    for many, few in FEWER.items():
        block = block.replace(many, few)
    with chdir(place):
        exec(compile(block, "docs", "exec"), given)
    return given


@pytest.mark.slow
def test_a_users_script_passes_strict_type_checks(tmp_path):
    """Every public name, in use."""
    script = ROOT / "tests" / "support" / "typed_script.py"
    command = [sys.executable, "-m", "mypy", "--strict", "--cache-dir", tmp_path, script]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
