"""Saved models: any network comes back to the bit, and models of the first format are still read."""

import json

import numpy as np
import pandas as pd
import pytest

from hpsearch.data.prepared import Task
from hpsearch.data.preprocessing import Preprocessor
from hpsearch.engine import Cohort, Weights
from hpsearch.errors import StorageError
from hpsearch.model import TrainedModel
from hpsearch.spec import PreprocessSpec
from tests.laws.test_layers_of_all_kinds import COLUMNS, NETWORKS, data_for, members_of, told

TASK = Task(kind="multiclass", target_names=("kind",), classes=("a", "b", "c"))
TABLE = pd.DataFrame({"one": [0.0, 1.0, 2.0], "two": [1.0, 0.0, 5.0]})


def model_of(weights):
    preprocessor = Preprocessor.fit(TABLE, PreprocessSpec())
    return TrainedModel(weights=weights, loss="cross_entropy", task=TASK, preprocessor=preprocessor)


@pytest.mark.parametrize(("shape", "ids", "ragged", "text"), NETWORKS.values(), ids=NETWORKS)
def test_any_network_comes_back_to_the_bit(tmp_path, shape, ids, ragged, text):
    part = data_for(shape, ids, ragged=ragged)
    cohort = Cohort(members_of(text, COLUMNS[:1]), part, outputs=3, **told(ids))
    cohort.train_epoch()
    weights = cohort.weights(0)
    model_of(weights).save(tmp_path)
    again = TrainedModel.load(tmp_path).weights
    assert again.plan == weights.plan
    assert weights.arrays().keys() == again.arrays().keys()
    for name, array in weights.arrays().items():
        np.testing.assert_array_equal(again.arrays()[name], array)


def dense_pairs():
    rng = np.random.default_rng(0)
    return [(rng.random((d, h), np.float32), rng.random(h, np.float32)) for d, h in ((2, 4), (4, 3))]


def test_a_model_of_the_first_format_predicts_as_it_did(tmp_path):
    model, pairs = model_of(Weights.dense(dense_pairs(), "tanh")), dense_pairs()
    model.save(tmp_path)
    description = json.loads((tmp_path / "model.json").read_text())
    del description["network"]
    description |= {"format": 1, "layers": 2, "activation": "tanh"}
    (tmp_path / "model.json").write_text(json.dumps(description))
    arrays = {f"weight_{i}": weight for i, (weight, _) in enumerate(pairs)}
    np.savez(tmp_path / "weights.npz", **arrays, **{f"bias_{i}": bias for i, (_, bias) in enumerate(pairs)})
    again = TrainedModel.load(tmp_path)
    np.testing.assert_array_equal(again.predict_proba(TABLE), model.predict_proba(TABLE))


@pytest.mark.parametrize(
    "damage",
    [
        lambda d: d.update(format=3),
        lambda d: d["network"].update(outputs=9),
        lambda d: d["network"]["layers"].pop(),
        lambda d: d["network"]["layers"][0].update(kind="magic"),
        lambda d: d["network"]["inputs"].update(shape=[7]),
        lambda d: d.pop("network"),
    ],
)
def test_a_damaged_description_is_an_error_that_says_so(tmp_path, damage):
    model_of(Weights.dense(dense_pairs(), "tanh")).save(tmp_path)
    description = json.loads((tmp_path / "model.json").read_text())
    damage(description)
    (tmp_path / "model.json").write_text(json.dumps(description))
    with pytest.raises(StorageError, match=r"cannot be read|is not known"):
        TrainedModel.load(tmp_path)
