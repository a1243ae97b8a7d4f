"""Studies of pictures, texts and series of unequal length, whole: run, tracked, and their models loaded by MLflow."""

import json

import numpy as np
import pandas as pd
import pytest

from hpsearch.results import load_model
from hpsearch.store import Store
from tests.support.studies import run_quick

STUDY = """
study: {name}
data: {data}
model: {{kind: {kind}, depth: 1, width: 4}}
space: {{epochs: 3, batch_size: 8, learning_rate: [0.01, 0.03]}}
budget: {{trials: 2}}
"""


def pictures(base, random):
    y = np.arange(60) % 2
    pixels = (
        random.integers(0, 100, (60, 8, 8, 1)) + 150 * y[:, None, None, None] * (np.arange(8) > 3)[:, None]
    )
    np.savez(base / "pictures.npz", x=pixels.astype(np.uint8), y=y)
    return "{source: pictures.npz}", "convolutional", pixels[:5].astype(np.uint8)


def texts(base, random):
    good, bad = ["fine", "lovely", "warm"], ["cold", "broken", "late"]
    labels = np.arange(60) % 2
    said = [" ".join(random.choice(good if label else bad, random.integers(1, 6))) for label in labels]
    pd.DataFrame({"said": said, "liked": labels}).to_csv(base / "texts.csv", index=False)
    return (
        "{source: texts.csv, target: liked, text: {column: said}}",
        "recurrent",
        pd.DataFrame({"said": said[:5]}),
    )


def series(base, random):
    """Sines of two frequencies, 5 to 20 steps long, as a table of single steps."""
    rows = [
        (number, step, np.sin(step * (0.3 + number % 2)) + random.normal(scale=0.1), number % 2)
        for number in range(60)
        for step in range(random.integers(5, 20))
    ]
    frame = pd.DataFrame(rows, columns=["id", "t", "value", "label"])
    frame.to_csv(base / "series.csv", index=False)
    first = [frame[frame["id"] == number][["value"]].to_numpy() for number in range(5)]
    return "{source: series.csv, target: label, sequence: {series: id, time: t}}", "recurrent", first


@pytest.mark.parametrize("make", [pictures, texts, series], ids=lambda make: make.__name__)
def test_a_model_of_any_kind_of_inputs_is_loaded_by_mlflow_and_predicts_the_same(make, tmp_path):
    import mlflow

    data, kind, inputs = make(tmp_path, np.random.default_rng(0))
    text = STUDY.format(name=make.__name__, data=data, kind=kind)
    result, _ = run_quick(tmp_path / "mlruns", text, base=tmp_path)
    assert result.tracking_problem is None
    ours = load_model(make.__name__, store=tmp_path / "mlruns")
    assert len(ours.predict(inputs)) == 5

    before = mlflow.get_tracking_uri()
    mlflow.set_tracking_uri(f"sqlite:///{Store.locate(tmp_path / 'mlruns').database}")
    try:
        served = mlflow.pyfunc.load_model(f"models:/{make.__name__}@best")
    finally:
        mlflow.set_tracking_uri(before)
    assert served.metadata.signature is not None
    example = pd.DataFrame(**json.loads((result.home.model / "example.json").read_text(encoding="utf-8")))
    assert len(example)
    np.testing.assert_array_equal(served.predict(example), ours.predict(example))
