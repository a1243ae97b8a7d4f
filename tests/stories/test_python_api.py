"""What code takes from a study."""

import copy
import json
import pickle
import shutil

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_iris

from hpsearch import best_params, load_model
from hpsearch.errors import DataError, UnknownStudyError
from tests.support.studies import run_quick, write_houses

HOUSES = """
study: houses
data: {source: houses.csv, target: price}
space: {epochs: 15, learning_rate: [0.003, 0.01]}
budget: {trials: 3}
"""


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """A store with a run of the quick study, and one of a table."""
    directory = tmp_path_factory.mktemp("store")
    run_quick(directory)
    write_houses(directory / "houses.csv")
    run_quick(directory, HOUSES, base=directory)
    return directory


def test_best_params_is_an_immutable_mapping_with_provenance(store):
    """Items, attributes, and where they come from."""
    best = best_params("quick", store=store)
    assert dict(best)["learning_rate"] == best["learning_rate"] == best.learning_rate
    assert {"epochs", "batch_size", "optimizer", "dropout"} <= set(best)
    assert best.study == "quick"
    assert best.scores["best_validation_loss"] > 0
    assert best.test["accuracy"]["value"] > 0.5
    assert len(best.fingerprint) >= 8
    assert best.run_id
    with pytest.raises(AttributeError, match="cannot be changed"):
        best.learning_rate = 1.0
    with pytest.raises(TypeError):
        best["learning_rate"] = 1.0
    with pytest.raises(AttributeError, match="no parameter 'learning_rat'"):
        best.learning_rat  # noqa: B018


def test_best_params_can_be_copied_and_sent_but_not_written_to(store):
    """All of it is read-only, what is nested in it too; copies and pickles are equal to it."""
    best = best_params("quick", store=store)
    with pytest.raises(TypeError):
        best.scores["best_validation_loss"] = 0.0
    with pytest.raises(TypeError):
        best.test["accuracy"]["value"] = 1.0
    for other in (copy.copy(best), copy.deepcopy(best), pickle.loads(pickle.dumps(best))):
        assert other == best
        assert other.provenance() == best.provenance()
    assert json.loads(json.dumps(best.provenance())) == best.provenance()


def test_a_model_can_be_sent(store):
    """By pickle, as joblib and others do."""
    model, inputs = load_model("quick", store=store), load_iris().data
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(model)).predict(inputs), model.predict(inputs))


def test_no_rows_are_no_predictions(store):
    """An empty table is not an error: a filter may have left nothing."""
    model = load_model("quick", store=store)
    inputs = load_iris(as_frame=True)["data"].iloc[:0]
    assert model.predict(inputs).shape == (0,)
    assert model.predict_proba(inputs).shape == (0, 3)
    assert load_model("houses", store=store).predict([]).shape == (0,)


def test_a_model_is_shown_in_a_line(store):
    """Its weights are thousands of numbers."""
    assert len(repr(load_model("houses", store=store))) < 400


def test_the_model_predicts_on_raw_inputs(store):
    """Preprocessing is inside: raw rows in, the original labels out."""
    model = load_model("quick", store=store)
    inputs, labels = load_iris(return_X_y=True, as_frame=True)
    predicted = model.predict(inputs)
    assert set(predicted) <= set(labels)
    assert (predicted == labels).mean() > 0.8
    assert np.allclose(model.predict_proba(inputs).sum(axis=1), 1, atol=1e-5)
    assert (model.predict(inputs.to_numpy()) == predicted).all()


def test_a_regression_model_predicts_in_the_targets_own_units(store):
    """From text columns and missing values to prices."""
    model = load_model("houses", store=store)
    table = pd.read_csv(store / "houses.csv")
    predicted = model.predict(table.drop(columns="price"))
    assert predicted.shape == (len(table),)
    assert np.corrcoef(predicted, table["price"])[0, 1] > 0.9
    assert abs(predicted.mean() - table["price"].mean()) < 0.2 * table["price"].std()


def test_a_missing_column_is_named(store):
    """Not guessed, not a KeyError."""
    table = pd.read_csv(store / "houses.csv").drop(columns=["price", "area"])
    with pytest.raises(DataError, match="area"):
        load_model("houses", store=store).predict(table)


def test_an_unknown_study_is_named(store):
    """With the studies that there are."""
    with pytest.raises(UnknownStudyError, match=r"no study 'digit'.*houses, quick"):
        best_params("digit", store=store)


def test_a_model_needs_its_own_files_alone(store, tmp_path):
    """Not the trials, which may be many, and in a database elsewhere."""
    shutil.copytree(store, tmp_path / "copy")
    for facts in (tmp_path / "copy").rglob("facts.journal"):
        facts.unlink()
    expected = load_model("quick", store=store).predict(load_iris().data[:5])
    np.testing.assert_array_equal(
        load_model("quick", store=tmp_path / "copy").predict(load_iris().data[:5]), expected
    )
