"""Scaling, codes and gaps, column by column: against scikit-learn, to JSON and back, from training rows alone."""

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from sklearn import decomposition, preprocessing

from hpsearch.data import RawData, prepare, prepare_raw
from hpsearch.data.curves import STRAIGHT, Curve
from hpsearch.data.prepared import Task
from hpsearch.data.preprocessing import Preprocessor
from hpsearch.data.targets import scaled_task
from hpsearch.errors import DataError
from hpsearch.judgment.metrics import final_scores
from hpsearch.spec import PreprocessSpec
from hpsearch.spec.preprocessing import SCALINGS
from tests.support.tables import settings

RANDOM = np.random.default_rng(0)
SKEWED = np.exp(RANDOM.normal(size=80)) - 0.5
PEERS = {
    "standardize": preprocessing.StandardScaler(),
    "min_max": preprocessing.MinMaxScaler(),
    "robust": preprocessing.RobustScaler(),
    "power": preprocessing.PowerTransformer(),
    "quantile": preprocessing.QuantileTransformer(n_quantiles=80, output_distribution="normal"),
}


def table():
    random = np.random.default_rng(1)
    cities = random.choice(["x", "y", "z"], 80).astype(object)
    frame = pd.DataFrame({"a": SKEWED, "b": random.normal(size=80), "city": cities})
    frame.loc[3, "a"], frame.loc[[5, 6], "city"] = np.nan, None
    return frame


def fitted(**given):
    return Preprocessor.fit(table(), PreprocessSpec(**given))


@pytest.mark.parametrize("how", list(PEERS))
def test_a_scaling_is_that_of_scikit_learn(how):
    """On the rows that it was fitted to, on others, and after a way through JSON."""
    frame = table().assign(a=SKEWED)
    peer = PEERS[how].fit(frame[["a"]].to_numpy())
    ours = Preprocessor.fit(frame, PreprocessSpec(columns={"a": {"scale": how}}))
    again = Preprocessor.from_json(json.loads(json.dumps(ours.to_json())))
    assert again == ours
    others = frame.assign(a=np.linspace(-3, 9, 80))
    for rows in (frame, others):
        expected = peer.transform(rows[["a"]].to_numpy())[:, 0]
        np.testing.assert_allclose(again.transform(rows)[:, 0], expected, rtol=1e-4, atol=1e-4)


def test_a_logarithm_is_standardized_and_takes_any_number():
    ours = Preprocessor.fit(table().assign(a=SKEWED), PreprocessSpec(numeric="log"))
    x = ours.transform(table().assign(a=SKEWED))[:, 0]
    logs = np.sign(SKEWED) * np.log1p(np.abs(SKEWED))
    np.testing.assert_allclose(x, (logs - logs.mean()) / logs.std(), rtol=1e-5, atol=1e-6)


def test_each_column_has_its_own_settings():
    ours = fitted(columns={"a": {"scale": "min_max", "missing": 0.5}, "city": {"encode": "ordinal"}})
    x = ours.transform(table())
    assert ours.feature_names == ("a", "b", "city")
    a, low, high = table()["a"], np.nanmin(SKEWED), np.nanmax(np.delete(SKEWED, 3))
    assert x[3, 0] == pytest.approx((0.5 - low) / (high - low), rel=1e-5)
    np.testing.assert_allclose(x[:3, 0], (a[:3] - low) / (high - low), rtol=1e-5)
    assert set(x[:, 2]) == {0.0, 0.5, 1.0}
    assert x[5, 2] == 0.5
    np.testing.assert_allclose(x[:, 1].std(), 1, rtol=1e-5)


def test_a_gap_is_told_by_a_feature_where_training_had_one():
    ours = fitted(missing="indicator")
    assert ours.feature_names == ("a", "a is missing", "b", "city=x", "city=y", "city=z")
    x = ours.transform(table())
    assert x[:, 1].tolist() == [float(i == 3) for i in range(80)]


def test_hashing_takes_texts_that_training_never_saw():
    ours = fitted(categorical="hashing", hash_features=8)
    assert ours.feature_names[2:] == tuple(f"city#{i}" for i in range(8))
    x = ours.transform(table().assign(city="never heard of"))[:, 2:]
    assert (x.sum(axis=1) == 1).all()
    assert (ours.transform(table())[[5, 6], 2:] == 0).all()


@pytest.mark.parametrize("wanted", [2, 0.9])
def test_components_are_those_of_scikit_learn(wanted):
    plain, ours = fitted(), fitted(pca=wanted)
    x = plain.transform(table())
    expected = decomposition.PCA(wanted, svd_solver="full").fit_transform(x.astype(float))
    again = Preprocessor.from_json(json.loads(json.dumps(ours.to_json())))
    np.testing.assert_allclose(again.transform(table()), expected, atol=1e-5)
    assert len(again.feature_names) == expected.shape[1]


NUMBERS = st.floats(-1e6, 1e6, allow_subnormal=False)


@given(
    st.lists(NUMBERS, min_size=3, max_size=30),
    st.sampled_from(SCALINGS),
)
@examples(deadline=None)
def test_scaling_of_targets_is_undone(values, how):
    """Back in their own units, after JSON too; and a perfect prediction has no error."""
    values = np.array(values)[:, None]
    task = scaled_task(Task(kind="regression", target_names=("t",)), values, how=how)
    task = Task.from_json(json.loads(json.dumps(task.to_json())))
    y = task.encode(values)
    spread = np.abs(values).max() + 1
    np.testing.assert_allclose(task.unscale(y), values, rtol=1e-4, atol=1e-4 * spread)
    assert final_scores(y, y, task=task, loss="mse")["mae"] == 0


@pytest.mark.parametrize("how", ["log", "sqrt", "power", "quantile"])
def test_scores_of_targets_on_a_curve_are_in_their_own_units(how):
    values = np.exp(np.arange(6.0))[:, None]
    task = scaled_task(Task(kind="regression", target_names=("t",)), values, how=how)
    guess = np.exp(np.arange(6.0)[:, None] + 0.1)
    found = final_scores(task.encode(guess), task.encode(values), task=task, loss="mse")
    assert found["mae"] == pytest.approx(np.abs(guess - values).mean(), rel=1e-3)
    assert found["rmse"] == pytest.approx(np.sqrt(np.square(guess - values).mean()), rel=1e-3)
    expected = 1 - np.square(guess - values).sum() / np.square(values - values.mean()).sum()
    assert found["r2"] == pytest.approx(expected, rel=1e-3)


@given(st.lists(NUMBERS, min_size=3, max_size=30), st.sampled_from(["power", "quantile"]), NUMBERS)
@examples(deadline=None)
def test_a_target_beyond_those_of_training_comes_back_too(values, how, other):
    """The truth that a score compares with is the number of the data, however far it lies from the training part's."""
    task = scaled_task(Task(kind="regression", target_names=("t",)), np.array(values)[:, None], how=how)
    scaled = (task.target_curves or [STRAIGHT])[0].apply(np.array([other]))
    back = (task.target_curves or [STRAIGHT])[0].undo(scaled)
    spread = max(map(abs, [*values, other])) + 1
    np.testing.assert_allclose(back, [other], rtol=1e-6, atol=1e-9 * spread)


@pytest.mark.parametrize("how", SCALINGS)
def test_a_curve_never_falls(how):
    for undone in (False, True):
        curve = Curve.fit(SKEWED, how, undone=undone)
        assert (np.diff(curve.apply(np.linspace(-20, 50, 500))) >= 0).all()


def test_square_roots_are_standardized_and_keep_the_sign():
    ours = Preprocessor.fit(table().assign(a=SKEWED), PreprocessSpec(numeric="sqrt"))
    roots = np.sign(SKEWED) * np.sqrt(np.abs(SKEWED))
    expected = (roots - roots.mean()) / roots.std()
    np.testing.assert_allclose(ours.transform(table().assign(a=SKEWED))[:, 0], expected, rtol=1e-5, atol=1e-6)


def test_the_power_of_a_target_is_that_of_scikit_learn_where_it_has_an_inverse():
    values = RANDOM.gamma(2.0, 3.0, 200)[:, None]
    task = scaled_task(Task(kind="regression", target_names=("t",)), values, how="power")
    peer = preprocessing.PowerTransformer().fit(values)
    np.testing.assert_allclose(task.encode(values), peer.transform(values), rtol=1e-5, atol=1e-5)
    steps = np.linspace(-2, 2, 9)[:, None]
    np.testing.assert_allclose(task.unscale(steps), peer.inverse_transform(steps), rtol=1e-6)
    heavy = np.exp(np.exp(RANDOM.normal(size=(200, 1))))
    assert preprocessing.PowerTransformer().fit(heavy).lambdas_[0] < 0
    far = scaled_task(Task(kind="regression", target_names=("t",)), heavy, how="power")
    assert np.isfinite(far.unscale(np.array([[20.0]]))).all()


def test_only_training_rows_are_fitted(tmp_path):
    """Other rows may hold anything: the fitted numbers stay."""
    frame = table().assign(price=RANDOM.normal(size=80))
    given = {"numeric": "power", "columns": {"b": {"scale": "quantile"}}, "pca": 3, "missing": "indicator"}
    seen = []
    for factor in (1.0, 50.0):
        changed = frame.copy()
        changed.loc[48:, ["a", "b"]] *= factor
        changed.to_csv(tmp_path / "table.csv", index=False)
        data = prepare(settings(preprocess=given, split={"shuffle": False}), seed=0, base=tmp_path)
        seen.append(data.preprocessor.to_json())
    assert seen[0] == seen[1]


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"cty": {"encode": "ordinal"}}, "there is no input column 'cty'; did you mean 'city'?"),
        ({"a": {"encode": "ordinal"}}, "column 'a' holds numbers, which are not encoded; use scale"),
        ({"city": {"scale": "log"}}, "column 'city' holds texts, which have no scale; use encode"),
    ],
)
def test_settings_that_fit_no_column_are_told(tmp_path, columns, said):
    table().assign(price=1.0 * np.arange(80)).to_csv(tmp_path / "table.csv", index=False)
    with pytest.raises(DataError) as caught:
        prepare(settings(preprocess={"columns": columns}), seed=0, base=tmp_path)
    assert said in str(caught.value)


def test_embedded_categories_are_numbers_from_one_and_none_for_what_training_never_saw():
    """Beside the other features, in their places; to JSON and back."""
    columns = {"city": {"embedding": 3}}
    ours = fitted(columns=columns)
    features = ours.transform(pd.DataFrame({"a": [1.0] * 4, "b": [0.0] * 4, "city": ["x", "z", "new", None]}))
    assert features[:, 2].tolist() == [1, 3, 0, 0]
    (column,) = ours.embedded
    assert (column.name, column.place, column.categories) == ("city", 2, 3)
    assert Preprocessor.from_json(json.loads(json.dumps(ours.to_json()))) == ours
    with pytest.raises(DataError, match="of at most 1000 that can be one-hot encoded"):
        many(categorical="one_hot")
    assert many(categorical="embedding").embedded[0].categories == 1200


def many(**how):
    frame = pd.DataFrame({"name": [f"n{i}" for i in range(2000)], "a": np.arange(2000) % 7})
    raw = RawData(name="data", inputs=frame, targets=pd.DataFrame({"y": np.arange(2000) / 3}))
    return prepare_raw(raw, settings(preprocess=how), seed=0).training


@pytest.mark.parametrize(
    "how", [{}, {"categorical": "embedding"}, {"missing": "indicator", "dates": "cyclic"}, {"pca": 0.99}]
)
def test_folds_whose_training_rows_differ_in_categories_have_inputs_of_one_shape(how):
    """A category, a gap or a year that only some folds train on: zeros stand for it in the others."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"city": rng.choice(["x", "y"], 60), "a": rng.normal(size=60)})
    frame.loc[[3, 40], "city"] = ["rare", "other"]
    frame.loc[7, "a"] = np.nan
    frame["day"] = pd.Timestamp("2024-01-01")
    frame.loc[9, "day"] = pd.Timestamp("2026-03-01")
    raw = RawData(name="data", inputs=frame, targets=pd.DataFrame({"y": rng.normal(size=60)}))
    data = prepare_raw(raw, settings(preprocess=how, split={"folds": 5, "test": 0.1}), seed=0)
    assert len({part.shape for fold in data.training.folds for part in (fold.train, fold.validation)}) == 1
    assert len(data.preprocessor.feature_names) == data.training.train.shape[0]
    again = Preprocessor.from_json(json.loads(json.dumps(data.preprocessor.to_json())))
    np.testing.assert_array_equal(again.transform(frame), data.preprocessor.transform(frame))
